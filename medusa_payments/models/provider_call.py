"""One thing asked of a provider: committed before it is asked, kept for ever."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from medusa_payments.models.base import Record
from medusa_payments.models.fields import IdentifierField
from medusa_payments.models.movements import Capture, Refund
from medusa_payments.models.payment import Payment
from medusa_payments.models.payment_collection import PaymentCollection
from medusa_payments.models.payment_session import PaymentSession
from medusa_payments.statuses import (
    UNRESOLVED_CALLS,
    CallKind,
    CallState,
    Evidence,
)


class ProviderCall(Record):
    """The write-ahead record (law 1).

    ``next_attempt_at`` is null once nothing about the call is left to do, so its index holds just
    the unfinished ones. ``lease_token`` is a fencing token: whoever takes the lease over raises
    it, and an answer under an older token is evidence but no longer writes the call.
    """

    ID_PREFIX = "pcall"
    MONEY_FIELDS = ("kind", "state", "generation")

    kind = models.CharField(max_length=16, choices=CallKind)
    payment_collection = models.ForeignKey(
        PaymentCollection, on_delete=models.PROTECT, related_name="provider_calls"
    )
    payment_session = models.ForeignKey(
        PaymentSession, on_delete=models.PROTECT, related_name="provider_calls"
    )
    payment = models.ForeignKey(
        Payment, null=True, on_delete=models.PROTECT, related_name="provider_calls"
    )
    capture = models.OneToOneField(
        Capture, null=True, on_delete=models.PROTECT, related_name="provider_call"
    )
    refund = models.OneToOneField(
        Refund, null=True, on_delete=models.PROTECT, related_name="provider_call"
    )
    provider_id = IdentifierField()
    # Asked by law 7, to undo what a soft-deleted session left behind.
    is_undoing = models.BooleanField(default=False)

    state = models.CharField(max_length=16, choices=CallState, default=CallState.OPEN)
    evidence = models.CharField(max_length=16, choices=Evidence, blank=True, default=Evidence.NONE)
    evidence_reference = IdentifierField(blank=True, default="")
    # Concluded from not finding something: any proof overrides it.
    is_provisional = models.BooleanField(default=False)
    generation = models.PositiveIntegerField(default=1)
    arguments = models.JSONField(default=dict)
    arguments_digest = models.CharField(max_length=64)
    attempts = models.JSONField(default=list)
    provider_reference = IdentifierField(blank=True, default="")
    request_id = IdentifierField(blank=True, default="")
    failure_kind = models.CharField(max_length=32, blank=True, default="")
    failure_code = models.CharField(max_length=100, blank=True, default="")
    # The key can only repeat a useless answer, such as a stored 500.
    key_is_spent = models.BooleanField(default=False)
    first_sent_at = models.DateTimeField(null=True)  # of this generation
    last_sent_at = models.DateTimeField(null=True)

    lease_token = models.PositiveBigIntegerField(default=0)
    leased_at = models.DateTimeField(null=True)
    leased_until = models.DateTimeField(null=True)
    next_attempt_at = models.DateTimeField(null=True, db_index=True)
    looks = models.PositiveIntegerField(default=0)  # made on schedule since the answer was lost
    signals = models.JSONField(default=list)  # for the shop
    follow_up_at = models.DateTimeField(null=True, db_index=True)  # null once the shop was told
    followed_up_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=UNRESOLVED_CALLS) | ~Q(evidence=Evidence.NONE),
                name="provider_call_final_state_has_evidence",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=UNRESOLVED_CALLS) | Q(next_attempt_at__isnull=False),
                name="provider_call_unresolved_has_next_attempt",
            ),
            models.CheckConstraint(
                condition=Q(generation__gte=1), name="provider_call_generation_positive"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=(CallKind.INITIATE, CallKind.UPDATE, CallKind.CANCEL))
                | Q(kind=CallKind.CAPTURE, capture__isnull=False)
                | Q(kind=CallKind.REFUND, refund__isnull=False),
                name="provider_call_names_its_movement",
            ),
        ]

    @property
    def idempotency_key(self) -> str:
        """The same on every retry of one generation; never used for anything else (law 4)."""
        return self.id if self.generation == 1 else f"{self.id}:{self.generation}"

    @property
    def is_unresolved(self) -> bool:
        return self.state in UNRESOLVED_CALLS

    @property
    def is_final(self) -> bool:
        return not self.is_unresolved

    @property
    def movement(self) -> Capture | Refund | None:
        return self.capture or self.refund
