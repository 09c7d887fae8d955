"""The shop's customer at a provider."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from medusa_payments.models.base import SoftDeletableRecord
from medusa_payments.models.fields import IdentifierField


class AccountHolder(SoftDeletableRecord):
    ID_PREFIX = "acchld"
    LIVE_COLUMNS = ("live_external_id",)

    provider_id = IdentifierField()
    external_id = IdentifierField()
    # Equal to external_id while live, else null.
    live_external_id = IdentifierField(null=True, editable=False)
    email = models.EmailField(null=True, blank=True)
    data = models.JSONField(default=dict, blank=True)
    metadata = models.JSONField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider_id", "live_external_id"], name="account_holder_once_while_live"
            ),
            models.CheckConstraint(
                condition=Q(live_external_id__isnull=True) | Q(deleted__isnull=True),
                name="account_holder_live_external_id",
            ),
        ]
