from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.template.loader import render_to_string
from django.utils.html import format_html_join

from medusa_payments.admin.base import ReadOnlyAdmin, deletion
from medusa_payments.admin.calls import attempts
from medusa_payments.admin.columns import (
    badge_column,
    identifier_column,
    json_column,
    link_column,
    own_link_column,
    text_column,
    time_column,
)
from medusa_payments.admin.display import NOTHING, badge, record_link
from medusa_payments.admin.filters import DeletedFilter, ProviderFilter
from medusa_payments.models import AccountHolder, AccountHolderCall, RefundReason
from medusa_payments.operations.database import database_alias

_MOST_CALLS = 50  # on a holder's page; the list of calls has them all


@admin.register(AccountHolder)
class AccountHolderAdmin(ReadOnlyAdmin):
    list_display = (
        "own_link",
        "provider",
        "customer",
        "external",
        "state_badge",
        "email",
        deletion,
        "created",
    )
    list_filter = ("state", ProviderFilter, DeletedFilter)
    search_fields = (
        "id__startswith",
        "customer_reference__startswith",
        "external_id__startswith",
        "email__icontains",
    )
    search_help_text = "Id, the shop's or the provider's id of the customer, or email address."
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "own_link",
                    "provider",
                    "customer",
                    "external",
                    "state_badge",
                    "email",
                    "created",
                    "deleted_at",
                )
            },
        ),
        ("Asked of the provider", {"fields": ("calls",)}),
        ("Data", {"fields": ("data_json", "metadata_json")}),
    )

    own_link = own_link_column()
    provider = identifier_column("provider_id", "provider")
    customer = identifier_column("customer_reference", "the shop's customer")
    external = identifier_column("external_id", "id at the provider")
    state_badge = badge_column("state")
    created = time_column("created_at", "created")
    deleted_at = time_column("deleted")
    data_json = json_column("data")
    metadata_json = json_column("metadata")

    @admin.display(description="calls")
    def calls(self, holder: AccountHolder) -> Any:
        rows = AccountHolderCall.objects.using(database_alias()).filter(account_holder=holder)
        site = self.admin_site.name
        return (
            format_html_join(
                "",
                "<div>{} {} {}</div>",
                (
                    (call.kind.replace("_", " "), badge(call.state), _link(call, site))
                    for call in rows.order_by("-pk")[:_MOST_CALLS]
                ),
            )
            or NOTHING
        )


def _link(call: AccountHolderCall, site: str) -> str:
    return record_link(AccountHolderCall, call.pk, site=site)


@admin.register(AccountHolderCall)
class AccountHolderCallAdmin(ReadOnlyAdmin):
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

    own_link = own_link_column()
    state_badge = badge_column("state")
    holder = link_column("account_holder", "account holder")
    reference = identifier_column("provider_reference", "what it made at the provider")
    provider = identifier_column("provider_id", "provider")
    request = identifier_column("request_id", "provider's request id")
    key = identifier_column("idempotency_key")
    digest = identifier_column("arguments_digest", "digest of the arguments")
    created = time_column("created_at", "created")
    first_sent = time_column("first_sent_at", "first sent")
    last_sent = time_column("last_sent_at", "last sent")
    next_attempt = time_column("next_attempt_at", "next look")
    leased = time_column("leased_until")
    arguments_json = json_column("arguments")

    @admin.display(description="attempts")
    def attempts_table(self, call: AccountHolderCall) -> str:
        return render_to_string(
            "admin/medusa_payments/includes/attempts.html", {"attempts": attempts(call)}
        )

    def marks(self, row: Any) -> list[str]:
        return [badge(row.state)]


@admin.register(RefundReason)
class RefundReasonAdmin(ReadOnlyAdmin):
    list_display = ("label", "code", deletion, "created")
    list_filter = (DeletedFilter,)
    search_fields = ("id__startswith", "label", "code")
    fieldsets = (
        (None, {"fields": ("own_link", "label", "code", "about", "created", "deleted_at")}),
        ("Data", {"fields": ("metadata_json",)}),
    )

    own_link = own_link_column()
    about = text_column("description")
    created = time_column("created_at", "created")
    deleted_at = time_column("deleted")
    metadata_json = json_column("metadata")
