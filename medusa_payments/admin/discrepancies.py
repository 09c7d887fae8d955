from __future__ import annotations

from typing import Any

from django.contrib import admin

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
from medusa_payments.admin.display import badge
from medusa_payments.admin.filters import ProviderFilter
from medusa_payments.models import Discrepancy


def discrepancy_badge(discrepancy: Discrepancy) -> str:
    """An open one waits for a person, so it stands out."""
    return badge(discrepancy.state, tone="bad" if discrepancy.state == "open" else "")


@admin.register(Discrepancy)
class DiscrepancyAdmin(ReadOnlyAdmin):
    list_display = (
        "own_link",
        "state_badge",
        "kind",
        "amount",
        "text",
        "collection",
        "session",
        "created",
        "closed",
    )
    list_filter = ("state", "kind", ProviderFilter, "created_at")
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
        (None, {"fields": ("own_link", "state_badge", "kind", "amount", "text")}),
        ("About", {"fields": ("collection", "session", "call", "event", "provider", "reference")}),
        ("Time", {"fields": ("created", "closed", "closed_by", "reason")}),
    )

    own_link = own_link_column()
    kind = badge_column("kind")
    amount = money_column("amount_minor", "at risk")
    text = text_column("detail", "what is wrong")
    collection = link_column("payment_collection", "collection")
    session = link_column("payment_session", "session")
    call = link_column("provider_call")
    event = link_column("webhook_event")
    provider = identifier_column("provider_id", "provider")
    reference = identifier_column("provider_reference", "id at the provider")
    created = time_column("created_at", "opened")
    closed = time_column("closed_at", "closed")
    reason = text_column("closing_reason", "closed because")

    @admin.display(description="state", ordering="state")
    def state_badge(self, discrepancy: Discrepancy) -> str:
        return discrepancy_badge(discrepancy)

    def marks(self, row: Any) -> list[str]:
        return [discrepancy_badge(row)]
