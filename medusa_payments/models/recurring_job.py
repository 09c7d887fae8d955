"""What is to run again and again: when it last did, and with what result."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from medusa_payments.models.fields import IdentifierField


class RecurringJob(models.Model):
    """One row a job, written over at each run: a health check needs no history."""

    name = IdentifierField(primary_key=True, max_length=64)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)  # the last run that came to its end
    figures = models.JSONField(default=dict)  # of that run

    objects: ClassVar[models.Manager[RecurringJob]] = models.Manager()

    def __str__(self) -> str:
        return str(self.name)
