"""One thing asked of a provider about a payment: committed before it is asked, kept for ever."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from medusa_payments.models.movements import Capture, Refund
from medusa_payments.models.payment import Payment
from medusa_payments.models.payment_collection import PaymentCollection
from medusa_payments.models.payment_session import PaymentSession
from medusa_payments.models.recorded_call import RecordedCall, rules_of_calls
from medusa_payments.statuses import CallKind


class ProviderCall(RecordedCall):
    ID_PREFIX = "pcall"

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
    # Asked by law 7, to undo what a soft-deleted session left behind.
    is_undoing = models.BooleanField(default=False)

    class Meta:
        permissions = [("resolve_providercall", "Can resolve provider calls by hand")]
        constraints = [
            *rules_of_calls("provider_call"),
            models.CheckConstraint(
                condition=Q(kind__in=(CallKind.INITIATE, CallKind.UPDATE, CallKind.CANCEL))
                | Q(kind=CallKind.CAPTURE, capture__isnull=False)
                | Q(kind=CallKind.REFUND, refund__isnull=False),
                name="provider_call_names_its_movement",
            ),
        ]

    @property
    def movement(self) -> Capture | Refund | None:
        return self.capture or self.refund
