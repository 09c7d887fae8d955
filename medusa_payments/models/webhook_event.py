"""One signed message of a provider, stored once."""

from __future__ import annotations

from django.db import models

from medusa_payments.models.base import Record
from medusa_payments.models.fields import IdentifierField
from medusa_payments.models.payment_session import PaymentSession
from medusa_payments.statuses import EventState


class WebhookEvent(Record):
    """``credentials`` names the provider's account set-up: variants that share an account share
    its events, so one that reaches two of their addresses is stored once."""

    ID_PREFIX = "whevt"

    provider_id = IdentifierField()
    credentials = IdentifierField()
    account = IdentifierField(blank=True, default="")
    event_id = IdentifierField()
    event_type = models.CharField(max_length=255)
    occurred_at = models.DateTimeField()
    payload = models.JSONField()
    state = models.CharField(max_length=16, choices=EventState, default=EventState.RECEIVED)
    note = models.CharField(max_length=255, blank=True, default="")
    payment_session = models.ForeignKey(
        PaymentSession, null=True, on_delete=models.PROTECT, related_name="webhook_events"
    )
    applied_at = models.DateTimeField(null=True)
    tries = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, db_index=True)
    signals = models.JSONField(default=list)  # for the shop
    follow_up_at = models.DateTimeField(null=True, db_index=True)  # null once the shop was told
    followed_up_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["credentials", "account", "event_id"], name="webhook_event_stored_once"
            ),
        ]
