from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Case, Count, Q, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.timesince import timesince

from medusa_payments.admin.base import ReadOnlyAdmin
from medusa_payments.admin.columns import (
    badge_column,
    identifier_column,
    link_column,
    money_column,
    own_link_column,
    text_column,
    time_column,
)
from medusa_payments.admin.decision_pages import DecidingAdmin
from medusa_payments.admin.display import NOTHING, badge, identifier, scrub
from medusa_payments.admin.filters import ProviderFilter
from medusa_payments.admin.proposal_decisions import Approve, Reject
from medusa_payments.models import Approval, Proposal
from medusa_payments.operations.database import database_alias
from medusa_payments.statuses import ProposalState

_STATES = {
    ProposalState.OPEN: ("waits for a person", "doubt"),
    ProposalState.APPROVED: ("approved, not done yet", "busy"),
    ProposalState.REJECTED: ("rejected", "gone"),
    ProposalState.DONE: ("done", "good"),
}
_OPEN_FIRST = Case(
    When(state=ProposalState.OPEN, then=Value(0)),
    When(state=ProposalState.APPROVED, then=Value(1)),
    default=Value(2),
)


def proposal_badge(proposal: Proposal) -> str:
    label, tone = _STATES[ProposalState(proposal.state)]
    return badge(proposal.state, label, tone=tone)


def words_on(proposal: Proposal) -> list[dict[str, Any]]:
    """Who said what, in the order in which they did."""
    words = Approval.objects.using(database_alias()).filter(proposal=proposal).order_by("pk")
    return [
        {
            "at": each.created_at,
            "who": identifier(each.actor),
            "what": badge("closed", "agreed") if each.is_approved else badge("lost", "refused"),
            "reason": scrub(each.reason),
        }
        for each in words
    ]


@admin.register(Proposal)
class ProposalAdmin(DecidingAdmin):
    """What waits for people, with the exact request; they approve or reject it from here."""

    decisions = (Approve(), Reject())
    actions = ("approve_proposals", "reject_proposals")
    ordering = (_OPEN_FIRST, "-pk")
    list_display = (
        "own_link",
        "state_badge",
        "kind_badge",
        "amount",
        "agreed",
        "waiting",
        "text",
        "session",
        "created",
    )
    list_filter = ("state", "kind", ProviderFilter, "created_at")
    search_fields = (
        "id__startswith",
        "payment_collection__id__startswith",
        "payment_session__id__startswith",
        "provider_call__id__startswith",
        "provider_reference__startswith",
    )
    search_help_text = "Id of the proposal, its collection, session or call; provider's id."
    fieldsets = (
        (None, {"fields": ("own_link", "state_badge", "kind_badge", "amount", "request")}),
        ("Why it waits", {"fields": ("text", "proof_text", "by")}),
        ("Who said what", {"fields": ("agreed", "words", "created", "decided")}),
        (
            "About",
            {
                "fields": (
                    "collection",
                    "session",
                    "call",
                    "discrepancy_link",
                    "provider",
                    "reference",
                )
            },
        ),
    )

    own_link = own_link_column()
    kind_badge = badge_column("kind")
    amount = money_column("amount_minor", "amount")
    text = text_column("reason", "because")
    proof_text = text_column("proof")
    request = identifier_column("detail", "what would be done")
    by = identifier_column("proposed_by", "proposed by")
    session = link_column("payment_session", "session")
    collection = link_column("payment_collection", "collection")
    call = link_column("provider_call", "call")
    discrepancy_link = link_column("discrepancy")
    provider = identifier_column("provider_id", "provider")
    reference = identifier_column("provider_reference", "id at the provider")
    created = time_column("created_at", "proposed")
    decided = time_column("decided_at", "decided")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        agreed = Count("approvals", filter=Q(approvals__is_approved=True))
        rows: QuerySet[Any] = super().get_queryset(request).annotate(agreed_count=agreed)
        return rows

    @admin.display(description="state", ordering="state")
    def state_badge(self, proposal: Proposal) -> str:
        return proposal_badge(proposal)

    @admin.display(description="agreed")
    def agreed(self, proposal: Any) -> str:
        return f"{proposal.agreed_count} of {proposal.approvals_needed}"

    @admin.display(description="waits for", ordering="created_at")
    def waiting(self, proposal: Proposal) -> str:
        if proposal.state != ProposalState.OPEN:
            return NOTHING
        return timesince(proposal.created_at, depth=1)

    @admin.display(description="words")
    def words(self, proposal: Proposal) -> str:
        return render_to_string(
            "admin/medusa_payments/includes/words.html", {"words": words_on(proposal)}
        )

    def marks(self, row: Any) -> list[str]:
        return [proposal_badge(row)]

    def has_approve_permission(self, request: HttpRequest) -> bool:
        return self.may(request, self.decisions[0])

    @admin.action(description="Approve selected proposals", permissions=["approve"])
    def approve_proposals(
        self, request: HttpRequest, queryset: QuerySet[Proposal]
    ) -> HttpResponse | None:
        return self.ask(request, self.decisions[0], queryset)

    @admin.action(description="Reject selected proposals", permissions=["approve"])
    def reject_proposals(
        self, request: HttpRequest, queryset: QuerySet[Proposal]
    ) -> HttpResponse | None:
        return self.ask(request, self.decisions[1], queryset)


@admin.register(Approval)
class ApprovalAdmin(ReadOnlyAdmin):
    list_display = ("own_link", "word", "who", "text", "proposal_link", "created")
    list_filter = ("is_approved", "created_at")
    search_fields = ("id__startswith", "proposal__id__startswith", "actor__startswith")
    search_help_text = "Id of the word or the proposal; name."
    fieldsets = (
        (None, {"fields": ("own_link", "word", "who", "text", "proposal_link", "created")}),
    )

    own_link = own_link_column()
    who = identifier_column("actor", "who")
    text = text_column("reason")
    proposal_link = link_column("proposal")
    created = time_column("created_at", "when")

    @admin.display(description="word", ordering="is_approved")
    def word(self, approval: Approval) -> str:
        return badge("closed", "agreed") if approval.is_approved else badge("lost", "refused")

    def marks(self, row: Any) -> list[str]:
        return [self.word(row)]
