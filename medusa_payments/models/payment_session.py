"""One try at getting one provider's authorization."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import F, Q

from medusa_payments.errors import ImmutableRecord
from medusa_payments.models.base import SoftDeletableRecord
from medusa_payments.models.fields import IdentifierField, amount_field
from medusa_payments.models.payment_collection import PaymentCollection
from medusa_payments.money import to_major
from medusa_payments.statuses import (
    DeletedReason,
    Evidence,
    ProviderState,
    Resolution,
    SessionStatus,
)


class PaymentSession(SoftDeletableRecord):
    """Columns from ``provider_reference`` on say what the provider's object was last proven to be.

    ``deleted`` rows stay: whatever the provider still does under them is undone by law 7, and
    ``resolution`` then says how it ended.
    """

    ID_PREFIX = "payses"
    MONEY_FIELDS = (
        "amount_minor",
        "status",
        "provider_reference",
        "provider_state",
        "provider_amount_minor",
        "provider_currency_code",
        "funded_minor",
        "held_minor",
        "captured_minor",
        "deleted_reason",
        "indeterminate",
        "resolution",
    )

    payment_collection = models.ForeignKey(
        PaymentCollection, on_delete=models.PROTECT, related_name="payment_sessions"
    )
    # Equal to the collection's id while live, else null: a collection has one live session.
    live_collection_id = IdentifierField(null=True, unique=True, max_length=64, editable=False)
    provider_id = IdentifierField()
    currency_code = models.CharField(max_length=3)
    amount_minor = amount_field()
    status = models.CharField(max_length=32, choices=SessionStatus, default=SessionStatus.PENDING)
    data = models.JSONField(default=dict, blank=True)
    context = models.JSONField(null=True, blank=True)
    metadata = models.JSONField(null=True, blank=True)
    authorized_at = models.DateTimeField(null=True, editable=False)
    failure_code = models.CharField(max_length=100, blank=True, default="", editable=False)

    deleted_reason = models.CharField(
        max_length=32, choices=DeletedReason, blank=True, default="", editable=False
    )
    indeterminate = models.BooleanField(default=False, editable=False)
    resolution = models.CharField(
        max_length=32, choices=Resolution, blank=True, default="", editable=False
    )
    resolved_at = models.DateTimeField(null=True, db_index=True, editable=False)

    provider_reference = IdentifierField(blank=True, default="", db_index=True, editable=False)
    provider_state = models.CharField(
        max_length=32,
        choices=ProviderState,
        blank=True,
        default=ProviderState.UNKNOWN,
        editable=False,
    )
    provider_amount_minor = amount_field(null=True, editable=False)
    # Empty while nothing was seen, else nearly always what was asked for.
    provider_currency_code = models.CharField(max_length=3, blank=True, default="", editable=False)
    # Paid in by bank transfer, while the rest is waited for: neither held nor taken yet.
    funded_minor = amount_field(default=0, editable=False)
    held_minor = amount_field(default=0, editable=False)
    captured_minor = amount_field(default=0, editable=False)
    # The buyer's last try was refused; the object can still be paid.
    declined = models.BooleanField(default=False, editable=False)
    observed_at = models.DateTimeField(null=True, editable=False)
    evidence = models.CharField(
        max_length=16, choices=Evidence, blank=True, default=Evidence.NONE, editable=False
    )

    class Meta:
        # A scan of the provider's ledger reads the sessions of one window after the other.
        indexes = [models.Index(fields=["created_at"], name="payment_session_created")]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0), name="payment_session_amount_positive"
            ),
            models.CheckConstraint(
                condition=Q(held_minor__gte=0) & Q(captured_minor__gte=0),
                name="payment_session_provider_amounts",
            ),
            models.CheckConstraint(
                # Said twice, because a CHECK whose comparison is with null passes.
                condition=Q(
                    deleted__isnull=True,
                    live_collection_id__isnull=False,
                    live_collection_id=F("payment_collection"),
                )
                | Q(deleted__isnull=False, live_collection_id__isnull=True),
                name="payment_session_live_while_not_deleted",
            ),
            models.CheckConstraint(
                condition=Q(deleted__isnull=True, deleted_reason="")
                | (Q(deleted__isnull=False) & ~Q(deleted_reason="")),
                name="payment_session_deleted_for_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(indeterminate=False) | Q(deleted__isnull=False),
                name="payment_session_indeterminate_is_deleted",
            ),
            models.CheckConstraint(
                condition=Q(resolution="", resolved_at__isnull=True)
                | (~Q(resolution="") & Q(resolved_at__isnull=False, deleted__isnull=False)),
                name="payment_session_resolution_when_deleted",
            ),
            models.CheckConstraint(
                condition=Q(provider_state=ProviderState.UNKNOWN) | ~Q(evidence=Evidence.NONE),
                name="payment_session_state_has_evidence",
            ),
        ]

    @property
    def amount(self) -> Decimal:
        return to_major(self.amount_minor, self.currency_code)

    @property
    def is_live(self) -> bool:
        return self.deleted is None

    @property
    def counts_for_collection(self) -> bool:
        """Whether money under it pays what is owed; else it is set aside and goes back."""
        return self.deleted is None or self.resolution == Resolution.ADOPTED

    @property
    def money_currency_code(self) -> str:
        """What ``held_minor`` and ``captured_minor`` are counted in."""
        return self.provider_currency_code or self.currency_code

    @property
    def is_in_other_currency(self) -> bool:
        """Then its money pays for nothing: no sum may mix currencies."""
        return self.money_currency_code != self.currency_code

    @property
    def has_money(self) -> bool:
        return self.provider_state in (ProviderState.HELD, ProviderState.CAPTURED) or bool(
            self.held_minor or self.captured_minor
        )

    def _refuse_direct_deletion(self) -> None:
        if self.deleted is None:
            raise ImmutableRecord(
                "Delete a payment session with operations.sessions.delete_payment_session(), which"
                " closes what the provider still holds."
            )
