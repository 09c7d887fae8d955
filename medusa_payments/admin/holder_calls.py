from __future__ import annotations

from django.contrib import admin

from medusa_payments.admin.columns import identifier_column, link_column
from medusa_payments.admin.filters import ProviderFilter
from medusa_payments.admin.recorded_calls import RecordedCallAdmin
from medusa_payments.models import AccountHolderCall


@admin.register(AccountHolderCall)
class AccountHolderCallAdmin(RecordedCallAdmin):
    list_display = (
        "own_link",
        "kind",
        "state_badge",
        "holder",
        "evidence",
        "next_attempt",
        "created",
    )
    list_filter = ("state", "kind", ProviderFilter, "created_at")
    search_fields = (
        "id__startswith",
        "account_holder__id__startswith",
        "provider_reference__startswith",
        "request_id__startswith",
    )
    search_help_text = "Id of the call or its account holder; provider's id of object or request."
    fieldsets = (
        (None, {"fields": ("own_link", "kind", "state_badge", "holder", "reference", "provider")}),
        ("Evidence", {"fields": ("evidence", "request", "failure_kind", "failure_code")}),
        ("Attempts", {"fields": ("key", "generation", "key_is_spent", "attempts_table")}),
        (
            "Schedule",
            {"fields": ("created", "first_sent", "last_sent", "next_attempt", "looks", "leased")},
        ),
        ("Arguments", {"fields": ("arguments_json", "digest")}),
    )

    holder = link_column("account_holder", "account holder")
    reference = identifier_column("provider_reference", "what it made at the provider")
