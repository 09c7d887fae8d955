"""Captures and refunds: one amount, asked of a provider once. Disputes: what a bank took back."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import Q

from medusa_payments.models.base import Record, SoftDeletableRecord
from medusa_payments.models.fields import IdentifierField, amount_field
from medusa_payments.models.payment import Payment
from medusa_payments.money import to_major
from medusa_payments.statuses import DisputeStatus, Evidence, MovementStatus


class Movement(Record):
    """``request_key`` names the act for its caller: the same key is the same act for ever."""

    MONEY_FIELDS = ("amount_minor", "status", "provider_reference")

    amount_minor = amount_field()
    status = models.CharField(
        max_length=16, choices=MovementStatus, default=MovementStatus.REQUESTED
    )
    evidence = models.CharField(
        max_length=16, choices=Evidence, blank=True, default=Evidence.NONE, editable=False
    )
    request_key = IdentifierField(editable=False)
    # Further keys under which the same act was asked while its outcome was uncertain.
    other_request_keys = models.JSONField(default=list, editable=False)
    provider_reference = IdentifierField(blank=True, default="", editable=False)
    created_by = IdentifierField(null=True, editable=False)
    # Made at the provider by somebody else, such as a person in its dashboard.
    is_external = models.BooleanField(default=False, editable=False)
    # Failed because it was not found: any later proof overrides it.
    is_provisional = models.BooleanField(default=False, editable=False)
    metadata = models.JSONField(null=True, blank=True)

    payment: models.ForeignKey[Payment, Payment]

    class Meta:
        abstract = True

    @property
    def amount(self) -> Decimal:
        return to_major(self.amount_minor, self.payment.currency_code)

    def was_asked_as(self, request_key: str) -> bool:
        return request_key in (self.request_key, *self.other_request_keys)


def _constraints(name: str) -> list[models.BaseConstraint]:
    final = (MovementStatus.PENDING, MovementStatus.SUCCEEDED, MovementStatus.FAILED)
    return [
        models.CheckConstraint(condition=Q(amount_minor__gt=0), name=f"{name}_amount_positive"),
        models.CheckConstraint(
            condition=~Q(status__in=final) | ~Q(evidence=Evidence.NONE),
            name=f"{name}_status_has_evidence",
        ),
        models.UniqueConstraint(fields=["payment", "request_key"], name=f"{name}_request_key_once"),
    ]


class Capture(Movement):
    ID_PREFIX = "capt"

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="captures")

    class Meta:
        constraints = _constraints("capture")


class RefundReason(SoftDeletableRecord):
    ID_PREFIX = "refr"

    label = models.CharField(max_length=255)
    code = models.CharField(max_length=255)
    description = models.TextField(null=True, blank=True)
    metadata = models.JSONField(null=True, blank=True)

    def __str__(self) -> str:
        return self.label


class Refund(Movement):
    ID_PREFIX = "ref"

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    refund_reason = models.ForeignKey(
        RefundReason, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    note = models.TextField(null=True, blank=True)
    # Asked by law 7, to give back what a soft-deleted session took.
    is_undoing = models.BooleanField(default=False, editable=False)

    class Meta:
        # As that of sessions: for scans of the ledger.
        indexes = [models.Index(fields=["created_at"], name="refund_created")]
        constraints = _constraints("refund")


class Dispute(Record):
    """Open or lost, it counts against what can still be refunded."""

    ID_PREFIX = "disp"
    MONEY_FIELDS = ("amount_minor", "status")

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="disputes")
    provider_reference = IdentifierField(unique=True)
    amount_minor = amount_field()
    status = models.CharField(max_length=16, choices=DisputeStatus, default=DisputeStatus.OPEN)
    evidence = models.CharField(max_length=16, choices=Evidence)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="dispute_amount_positive"),
        ]

    @property
    def amount(self) -> Decimal:
        return to_major(self.amount_minor, self.payment.currency_code)
