from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.utils.html import format_html_join

from medusa_payments.admin.base import ReadOnlyAdmin, deletion
from medusa_payments.admin.columns import (
    badge_column,
    identifier_column,
    json_column,
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
