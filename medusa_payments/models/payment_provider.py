"""A registered provider that an operator can switch off."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from medusa_payments.models.base import KeptQuerySet
from medusa_payments.models.fields import IdentifierField


class PaymentProvider(models.Model):
    """No row means enabled, so that starting the app needs no query."""

    id = IdentifierField(primary_key=True)
    is_enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[models.Manager[PaymentProvider]] = KeptQuerySet.as_manager()

    def __str__(self) -> str:
        return str(self.id)
