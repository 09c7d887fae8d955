from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.template.loader import render_to_string

from medusa_payments.admin.base import ReadOnlyAdmin
from medusa_payments.admin.columns import (
    badge_column,
    identifier_column,
    json_column,
    link_column,
    own_link_column,
    time_column,
)
from medusa_payments.admin.display import badge, money, scrub
from medusa_payments.admin.filters import CallOutcomeFilter, ProviderFilter
from medusa_payments.models import ProviderCall
from medusa_payments.models.recorded_call import RecordedCall


def call_amount(call: ProviderCall) -> str:
    """What it asked to move; a cancel names no amount."""
    arguments = call.arguments
    return money(arguments.get("amount_minor"), arguments.get("currency_code", ""))


def attempts(call: RecordedCall) -> list[dict[str, str]]:
    """Every attempt, without the secrets that a provider's text may hold."""
    return [{name: scrub(str(value)) for name, value in each.items()} for each in call.attempts]


@admin.register(ProviderCall)
class ProviderCallAdmin(ReadOnlyAdmin):
    list_display = (
        "own_link",
        "kind",
        "state_badge",
        "amount",
        "session",
        "attempt_count",
        "evidence",
        "next_attempt",
        "created",
    )
    list_filter = (CallOutcomeFilter, "state", "kind", "is_undoing", ProviderFilter, "created_at")
    search_fields = (
        "id__startswith",
        "payment_session__id__startswith",
        "payment_collection__id__startswith",
        "payment__id__startswith",
        "capture__id__startswith",
        "refund__id__startswith",
        "payment_session__provider_reference__startswith",
        "request_id__startswith",
    )
    search_help_text = (
        "Id of the call, its session, collection, payment or movement; provider's id."
    )
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "own_link",
                    "kind",
                    "state_badge",
                    "amount",
                    "is_undoing",
                    "collection",
                    "session",
                    "payment_link",
                    "capture_link",
                    "refund_link",
                    "provider",
                )
            },
        ),
        (
            "Evidence",
            {
                "fields": (
                    "evidence",
                    "evidence_from",
                    "is_provisional",
                    "request",
                    "failure_kind",
                    "failure_code",
                )
            },
        ),
        ("Attempts", {"fields": ("key", "generation", "key_is_spent", "attempts_table")}),
        (
            "Schedule",
            {
                "fields": (
                    "created",
                    "first_sent",
                    "last_sent",
                    "next_attempt",
                    "looks",
                    "leased",
                    "followed_up",
                )
            },
        ),
        ("Arguments", {"fields": ("arguments_json", "digest")}),
    )

    own_link = own_link_column()
    state_badge = badge_column("state")
    collection = link_column("payment_collection", "collection")
    session = link_column("payment_session", "session")
    payment_link = link_column("payment")
    capture_link = link_column("capture")
    refund_link = link_column("refund")
    provider = identifier_column("provider_id", "provider")
    evidence_from = identifier_column("evidence_reference", "evidence from")
    request = identifier_column("request_id", "provider's request id")
    key = identifier_column("idempotency_key")
    digest = identifier_column("arguments_digest", "digest of the arguments")
    created = time_column("created_at", "created")
    first_sent = time_column("first_sent_at", "first sent")
    last_sent = time_column("last_sent_at", "last sent")
    next_attempt = time_column("next_attempt_at", "next look")
    leased = time_column("leased_until")
    followed_up = time_column("followed_up_at", "shop was told")
    arguments_json = json_column("arguments")

    @admin.display(description="amount")
    def amount(self, call: ProviderCall) -> str:
        return call_amount(call)

    @admin.display(description="attempts")
    def attempt_count(self, call: ProviderCall) -> int:
        return len(call.attempts)

    @admin.display(description="attempts")
    def attempts_table(self, call: ProviderCall) -> str:
        return render_to_string(
            "admin/medusa_payments/includes/attempts.html", {"attempts": attempts(call)}
        )

    def marks(self, row: Any) -> list[str]:
        return [badge(row.state)]
