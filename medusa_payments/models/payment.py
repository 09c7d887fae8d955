"""What an authorized session became."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import Q

from medusa_payments.models.base import Record
from medusa_payments.models.fields import IdentifierField, amount_field
from medusa_payments.models.payment_collection import PaymentCollection
from medusa_payments.models.payment_session import PaymentSession
from medusa_payments.money import to_major


class Payment(Record):
    """Held or taken money. Captured, refunded and refundable amounts are computed from rows, in
    ``operations/totals.py``."""

    ID_PREFIX = "pay"
    MONEY_FIELDS = ("amount_minor", "is_canceled", "is_captured")

    payment_collection = models.ForeignKey(
        PaymentCollection, on_delete=models.PROTECT, related_name="payments"
    )
    payment_session = models.OneToOneField(
        PaymentSession, on_delete=models.PROTECT, related_name="payment"
    )
    provider_id = IdentifierField()
    currency_code = models.CharField(max_length=3)
    amount_minor = amount_field()
    data = models.JSONField(default=dict, blank=True)
    metadata = models.JSONField(null=True, blank=True)
    captured_at = models.DateTimeField(null=True, editable=False)
    canceled_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="payment_amount_positive"),
        ]
        permissions = [
            ("refund_payment", "Can refund payments"),
            ("capture_payment", "Can capture payments"),
            ("cancel_payment", "Can cancel payments"),
        ]

    @property
    def amount(self) -> Decimal:
        return to_major(self.amount_minor, self.currency_code)

    @property
    def is_canceled(self) -> bool:
        return self.canceled_at is not None

    @property
    def is_captured(self) -> bool:
        return self.captured_at is not None
