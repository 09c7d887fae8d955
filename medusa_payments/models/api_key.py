"""A key that opens the API: publishable ones the store's routes, secret ones the admin's."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from medusa_payments.models.base import Record
from medusa_payments.models.fields import IdentifierField
from medusa_payments.statuses import ApiKeyType


class ApiKey(Record):
    """Of a secret key only a digest is kept, so whoever reads the table cannot use it."""

    ID_PREFIX = "apk"

    type = models.CharField(max_length=16, choices=ApiKeyType)
    title = models.CharField(max_length=255)
    token_digest = IdentifierField(unique=True, max_length=64, editable=False)
    token = IdentifierField(blank=True, default="", editable=False)  # of a publishable key
    redacted = models.CharField(max_length=32, editable=False)
    created_by = IdentifierField(editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)
    revoked_by = IdentifierField(blank=True, default="", editable=False)

    class Meta:
        verbose_name = "API key"
        constraints = [
            models.CheckConstraint(
                condition=Q(type=ApiKeyType.SECRET, token="")
                | (Q(type=ApiKeyType.PUBLISHABLE) & ~Q(token="")),
                name="api_key_secret_token_not_kept",
            ),
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=True, revoked_by="")
                | (Q(revoked_at__isnull=False) & ~Q(revoked_by="")),
                name="api_key_revoked_by_somebody",
            ),
        ]
        permissions = [("revoke_apikey", "Can revoke API keys")]
