"""All that is owed for one cart or order, in one currency."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import Q

from medusa_payments.errors import ImmutableRecord
from medusa_payments.models.base import SoftDeletableRecord
from medusa_payments.models.fields import IdentifierField, amount_field
from medusa_payments.money import to_major
from medusa_payments.statuses import CollectionStatus


def _major(amount_minor: int | None, currency_code: str) -> Decimal | None:
    return None if amount_minor is None else to_major(amount_minor, currency_code)


class PaymentCollection(SoftDeletableRecord):
    """Its ``version`` is the lock of everything below it; see ``operations/locking.py``.

    The totals are results, stored for reading: they are computed from rows under the lock, and
    are null until the first computation, as Medusa has them.
    """

    ID_PREFIX = "pay_col"
    MONEY_FIELDS = (
        "currency_code",
        "amount_minor",
        "status",
        "authorized_minor",
        "captured_minor",
        "refunded_minor",
    )

    currency_code = models.CharField(max_length=3)
    amount_minor = amount_field()
    status = models.CharField(
        max_length=32, choices=CollectionStatus, default=CollectionStatus.NOT_PAID
    )
    authorized_minor = amount_field(null=True, editable=False)
    captured_minor = amount_field(null=True, editable=False)
    refunded_minor = amount_field(null=True, editable=False)
    completed_at = models.DateTimeField(null=True, editable=False)
    canceled_at = models.DateTimeField(null=True, editable=False)
    cart_reference = IdentifierField(blank=True, default="", db_index=True)
    # Equal to cart_reference while live, else null: "unique while live" without a conditional
    # index, which MariaDB does not have.
    live_cart_reference = IdentifierField(null=True, unique=True, editable=False)
    order_reference = IdentifierField(blank=True, default="", db_index=True)
    metadata = models.JSONField(null=True, blank=True)
    version = models.BigIntegerField(default=0, editable=False)
    audit_length = models.BigIntegerField(default=0, editable=False)
    audit_head = models.CharField(max_length=64, blank=True, default="", editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0), name="payment_collection_amount_positive"
            ),
            models.CheckConstraint(
                condition=Q(live_cart_reference__isnull=True) | Q(deleted__isnull=True),
                name="payment_collection_live_cart",
            ),
        ]

    @property
    def amount(self) -> Decimal:
        return to_major(self.amount_minor, self.currency_code)

    @property
    def authorized_amount(self) -> Decimal | None:
        return _major(self.authorized_minor, self.currency_code)

    @property
    def captured_amount(self) -> Decimal | None:
        return _major(self.captured_minor, self.currency_code)

    @property
    def refunded_amount(self) -> Decimal | None:
        return _major(self.refunded_minor, self.currency_code)

    def _refuse_direct_deletion(self) -> None:
        if self.deleted is None:
            raise ImmutableRecord(
                "Delete a payment collection with"
                " operations.collections.delete_payment_collection(), which closes what the"
                " provider still holds."
            )
