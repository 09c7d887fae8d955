from __future__ import annotations

from django.contrib import admin

from medusa_payments.admin.base import ReadOnlyAdmin, deletion
from medusa_payments.admin.columns import (
    identifier_column,
    json_column,
    own_link_column,
    text_column,
    time_column,
)
from medusa_payments.admin.filters import DeletedFilter, ProviderFilter
from medusa_payments.models import AccountHolder, RefundReason


@admin.register(AccountHolder)
class AccountHolderAdmin(ReadOnlyAdmin):
    list_display = ("own_link", "provider", "external", "email", deletion, "created")
    list_filter = (ProviderFilter, DeletedFilter)
    search_fields = ("id__startswith", "external_id__startswith", "email__icontains")
    search_help_text = "Id, the provider's id of the customer, or email address."
    fieldsets = (
        (None, {"fields": ("own_link", "provider", "external", "email", "created", "deleted_at")}),
        ("Data", {"fields": ("data_json", "metadata_json")}),
    )

    own_link = own_link_column()
    provider = identifier_column("provider_id", "provider")
    external = identifier_column("external_id", "id at the provider")
    created = time_column("created_at", "created")
    deleted_at = time_column("deleted")
    data_json = json_column("data")
    metadata_json = json_column("metadata")


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
