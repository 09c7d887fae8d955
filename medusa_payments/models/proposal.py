"""An act that waits for people: proposed, then approved by as many as it takes, or rejected."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from medusa_payments.models.base import Record
from medusa_payments.models.discrepancy import Discrepancy
from medusa_payments.models.fields import IdentifierField, amount_field
from medusa_payments.models.payment_collection import PaymentCollection
from medusa_payments.models.payment_session import PaymentSession
from medusa_payments.models.provider_call import ProviderCall
from medusa_payments.statuses import ProposalKind, ProposalState, Verdict


class Proposal(Record):
    """What would be done, and why it is not done without a person.

    Approved: an undoing is planned anew, from a lookup, and carried out up to this amount; a
    verdict on a call is recorded with the names of those who gave it.
    """

    ID_PREFIX = "prop"
    MONEY_FIELDS = ("kind", "state", "verdict", "amount_minor")

    kind = models.CharField(max_length=16, choices=ProposalKind)
    state = models.CharField(
        max_length=16, choices=ProposalState, default=ProposalState.OPEN, db_index=True
    )
    # What it is about; null once it is closed, so that one thing has one open proposal.
    open_key = IdentifierField(null=True, unique=True, editable=False)
    payment_collection = models.ForeignKey(
        PaymentCollection, null=True, on_delete=models.PROTECT, related_name="proposals"
    )
    payment_session = models.ForeignKey(
        PaymentSession, null=True, on_delete=models.PROTECT, related_name="proposals"
    )
    provider_call = models.ForeignKey(
        ProviderCall, null=True, on_delete=models.PROTECT, related_name="proposals"
    )
    discrepancy = models.ForeignKey(
        Discrepancy, null=True, on_delete=models.PROTECT, related_name="proposals"
    )
    provider_id = IdentifierField()
    provider_reference = IdentifierField(blank=True, default="")
    amount_minor = amount_field(null=True)
    currency_code = models.CharField(max_length=3, blank=True, default="")
    verdict = models.CharField(max_length=16, choices=Verdict, blank=True, default="")
    detail = models.TextField()  # the exact request, or what is claimed
    reason = models.TextField()  # why it waits, or why it is claimed
    proof = models.TextField(blank=True, default="")  # what a person rests a verdict on
    approvals_needed = models.PositiveSmallIntegerField(default=1)
    proposed_by = IdentifierField()
    decided_at = models.DateTimeField(null=True)

    class Meta:
        permissions = [("approve_proposal", "Can approve and reject proposals")]
        constraints = [
            models.CheckConstraint(
                condition=(
                    Q(state__in=(ProposalState.OPEN, ProposalState.APPROVED))
                    & Q(open_key__isnull=False)
                )
                | (
                    Q(state__in=(ProposalState.REJECTED, ProposalState.DONE))
                    & Q(open_key__isnull=True)
                ),
                name="proposal_open_while_undecided",
            ),
        ]


class Approval(Record):
    """One person's word on a proposal; nobody has two."""

    ID_PREFIX = "appr"

    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, related_name="approvals")
    actor = IdentifierField()
    is_approved = models.BooleanField()
    reason = models.TextField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["proposal", "actor"], name="approval_once_each"),
        ]
