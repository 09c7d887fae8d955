from __future__ import annotations

from django.contrib import admin

from medusa_payments.admin.columns import identifier_column, link_column, time_column
from medusa_payments.admin.decision_pages import DecidingAdmin
from medusa_payments.admin.display import money
from medusa_payments.admin.filters import CallOutcomeFilter, ProviderFilter
from medusa_payments.admin.recorded_calls import RecordedCallAdmin
from medusa_payments.admin.verdicts import GiveVerdict
from medusa_payments.models import ProviderCall


def call_amount(call: ProviderCall) -> str:
    """What it asked to move; a cancel names no amount."""
    arguments = call.arguments
    return money(arguments.get("amount_minor"), arguments.get("currency_code", ""))


@admin.register(ProviderCall)
class ProviderCallAdmin(RecordedCallAdmin, DecidingAdmin):
    decisions = (GiveVerdict(),)
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

    collection = link_column("payment_collection", "collection")
    session = link_column("payment_session", "session")
    payment_link = link_column("payment")
    capture_link = link_column("capture")
    refund_link = link_column("refund")
    evidence_from = identifier_column("evidence_reference", "evidence from")
    followed_up = time_column("followed_up_at", "shop was told")

    @admin.display(description="amount")
    def amount(self, call: ProviderCall) -> str:
        return call_amount(call)

    @admin.display(description="attempts")
    def attempt_count(self, call: ProviderCall) -> int:
        return len(call.attempts)
