from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Case, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse

from medusa_payments.admin.columns import (
    badge_column,
    identifier_column,
    link_column,
    money_column,
    own_link_column,
    text_column,
    time_column,
)
from medusa_payments.admin.decision_pages import DecidingAdmin, Decision, Line, Result
from medusa_payments.admin.display import badge, money, scrub
from medusa_payments.admin.filters import ProviderFilter
from medusa_payments.models import Discrepancy
from medusa_payments.operations.actors import Actor
from medusa_payments.operations.discrepancies import close_discrepancy
from medusa_payments.statuses import DiscrepancyState, Severity

_SEVERITIES = {Severity.CRITICAL: "bad", Severity.WARNING: "doubt", Severity.INFO: "quiet"}
_OPEN_FIRST = Case(When(state=DiscrepancyState.OPEN, then=Value(0)), default=Value(1))


def discrepancy_badge(discrepancy: Discrepancy) -> str:
    """An open one waits for a person, so it stands out."""
    return badge(discrepancy.state, tone="bad" if discrepancy.state == "open" else "")


def severity_badge(discrepancy: Discrepancy) -> str:
    """Of a closed one it is history."""
    is_open = discrepancy.state == DiscrepancyState.OPEN
    tone = _SEVERITIES[Severity(discrepancy.severity)] if is_open else "quiet"
    return badge(discrepancy.severity, tone=tone)


class Close(Decision):
    name = "close"
    permission = "close_discrepancy"
    title = "Close discrepancies"
    button = "Close"
    intro = (
        "Closing moves no money and changes no other record: it says that you have looked into it,"
        " and why nothing more has to be done. The reason is kept for all that are chosen."
    )
    cancel = "Cancel, close nothing"

    def label(self, row: Discrepancy) -> str:
        return self.button if row.state == DiscrepancyState.OPEN else ""

    def line(self, row: Discrepancy, *, actor: Actor, site: str) -> Line:
        not_known = [f"Not known: {scrub(row.not_known)}"] if row.not_known else []
        return Line(
            marks=[severity_badge(row), badge(row.kind)],
            amount=money(row.amount_minor, row.currency_code),
            known=[scrub(row.detail), *not_known],
            will_happen=["It is closed with your name and reason."],
            why_not=_why_not(row),
        )

    def perform(self, row: Discrepancy, *, actor: Actor, site: str, **words: Any) -> Result:
        close_discrepancy(row, actor=actor, reason=words["reason"])
        return Result("succeeded", "Closed with your name. No money was moved.")


def _why_not(discrepancy: Discrepancy) -> str:
    if discrepancy.state == DiscrepancyState.OPEN:
        return ""
    return f"It was closed by {discrepancy.closed_by}: {scrub(discrepancy.closing_reason)}"


@admin.register(Discrepancy)
class DiscrepancyAdmin(DecidingAdmin):
    decisions = (Close(),)
    actions = ("close_discrepancies",)
    ordering = (_OPEN_FIRST, "-pk")
    list_display = (
        "own_link",
        "state_badge",
        "severity_mark",
        "kind_badge",
        "amount",
        "text",
        "collection",
        "session",
        "created",
        "closed",
    )
    list_filter = ("state", "severity", "kind", ProviderFilter, "created_at")
    search_fields = (
        "id__startswith",
        "payment_collection__id__startswith",
        "payment_session__id__startswith",
        "provider_call__id__startswith",
        "provider_reference__startswith",
        "open_key__icontains",
    )
    search_help_text = "Id of the discrepancy, or of what it is about; provider's id."
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "own_link",
                    "state_badge",
                    "severity_mark",
                    "kind_badge",
                    "amount",
                    "text",
                    "unknown",
                )
            },
        ),
        (
            "About",
            {
                "fields": (
                    "collection",
                    "session",
                    "call",
                    "holder",
                    "holder_call",
                    "event",
                    "provider",
                    "reference",
                )
            },
        ),
        ("Time", {"fields": ("created", "closed", "closer", "reason")}),
    )

    own_link = own_link_column()
    kind_badge = badge_column("kind")
    amount = money_column("amount_minor", "at risk")
    text = text_column("detail", "what is wrong")
    unknown = text_column("not_known", "what is not known")
    collection = link_column("payment_collection", "collection")
    session = link_column("payment_session", "session")
    call = link_column("provider_call")
    holder = link_column("account_holder")
    holder_call = link_column("account_holder_call", "call about the holder")
    event = link_column("webhook_event")
    provider = identifier_column("provider_id", "provider")
    reference = identifier_column("provider_reference", "id at the provider")
    created = time_column("created_at", "opened")
    closed = time_column("closed_at", "closed")
    closer = identifier_column("closed_by", "closed by")
    reason = text_column("closing_reason", "closed because")

    @admin.display(description="state", ordering="state")
    def state_badge(self, discrepancy: Discrepancy) -> str:
        return discrepancy_badge(discrepancy)

    @admin.display(description="severity")
    def severity_mark(self, discrepancy: Discrepancy) -> str:
        return severity_badge(discrepancy)

    def marks(self, row: Any) -> list[str]:
        return [discrepancy_badge(row), severity_badge(row)]

    def has_close_permission(self, request: HttpRequest) -> bool:
        return self.may(request, self.decisions[0])

    @admin.action(description="Close selected discrepancies", permissions=["close"])
    def close_discrepancies(
        self, request: HttpRequest, queryset: QuerySet[Discrepancy]
    ) -> HttpResponse | None:
        return self.ask(request, self.decisions[0], queryset)
