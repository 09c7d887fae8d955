"""Whether, and how often, the sweep may ask a provider: its breaker and its budget of reads."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from medusa_payments.models.fields import IdentifierField


class ProviderGate(models.Model):
    """One row for each account at a provider, shared by all workers; the rules are in
    ``reconciliation/gates.py``. No row: nothing was asked yet.

    Providers that share an account (``credentials``) share its health and its rate limit.
    """

    credentials = IdentifierField(primary_key=True)
    provider_id = IdentifierField()  # the one that was asked last; for people

    # The breaker. ``open_until`` is null while it is closed.
    failures = models.PositiveIntegerField(default=0)  # in a row
    opened_at = models.DateTimeField(null=True)
    open_until = models.DateTimeField(null=True)
    last_failure = models.CharField(max_length=255, blank=True, default="")
    last_failure_at = models.DateTimeField(null=True)
    last_answer_at = models.DateTimeField(null=True)

    # The budget of reads: a window of one minute, by the database's clock.
    window_started_at = models.DateTimeField(null=True)
    reads = models.PositiveIntegerField(default=0)  # granted in this window

    objects: ClassVar[models.Manager[ProviderGate]] = models.Manager()

    def __str__(self) -> str:
        return str(self.provider_id)
