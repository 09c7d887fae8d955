"""What a person must decide: the two sides disagree, or no answer came."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from medusa_payments.models.account_holder import AccountHolder, AccountHolderCall
from medusa_payments.models.base import Record
from medusa_payments.models.fields import IdentifierField, amount_field
from medusa_payments.models.payment_collection import PaymentCollection
from medusa_payments.models.payment_session import PaymentSession
from medusa_payments.models.provider_call import ProviderCall
from medusa_payments.models.webhook_event import WebhookEvent
from medusa_payments.statuses import DiscrepancyKind, DiscrepancyState, Severity


class Discrepancy(Record):
    """Opened with what is known; closed by evidence or by a named person with a reason."""

    ID_PREFIX = "discr"
    MONEY_FIELDS = ("kind", "state", "amount_minor")

    kind = models.CharField(max_length=16, choices=DiscrepancyKind)
    severity = models.CharField(max_length=16, choices=Severity, default=Severity.WARNING)
    state = models.CharField(max_length=16, choices=DiscrepancyState, default=DiscrepancyState.OPEN)
    # What it is about; null once closed, so that one thing has one open discrepancy.
    open_key = IdentifierField(null=True, unique=True, editable=False)
    payment_collection = models.ForeignKey(
        PaymentCollection, null=True, on_delete=models.PROTECT, related_name="discrepancies"
    )
    payment_session = models.ForeignKey(
        PaymentSession, null=True, on_delete=models.PROTECT, related_name="discrepancies"
    )
    provider_call = models.ForeignKey(
        ProviderCall, null=True, on_delete=models.PROTECT, related_name="discrepancies"
    )
    account_holder = models.ForeignKey(
        AccountHolder, null=True, on_delete=models.PROTECT, related_name="discrepancies"
    )
    account_holder_call = models.ForeignKey(
        AccountHolderCall, null=True, on_delete=models.PROTECT, related_name="discrepancies"
    )
    webhook_event = models.ForeignKey(
        WebhookEvent, null=True, on_delete=models.PROTECT, related_name="discrepancies"
    )
    provider_id = IdentifierField(blank=True, default="")
    provider_reference = IdentifierField(blank=True, default="")
    amount_minor = amount_field(null=True)  # money at risk
    currency_code = models.CharField(max_length=3, blank=True, default="")
    detail = models.TextField()  # what is known
    not_known = models.TextField(blank=True, default="")
    closed_at = models.DateTimeField(null=True)
    closed_by = IdentifierField(blank=True, default="")
    closing_reason = models.TextField(blank=True, default="")

    class Meta:
        verbose_name_plural = "discrepancies"
        permissions = [("close_discrepancy", "Can close discrepancies")]
        constraints = [
            models.CheckConstraint(
                condition=Q(state=DiscrepancyState.OPEN, open_key__isnull=False)
                | (
                    Q(
                        state=DiscrepancyState.CLOSED,
                        open_key__isnull=True,
                        closed_at__isnull=False,
                    )
                    & ~Q(closed_by="")
                    & ~Q(closing_reason="")
                ),
                name="discrepancy_closed_by_somebody_for_a_reason",
            ),
        ]
