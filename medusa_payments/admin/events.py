from __future__ import annotations

from typing import Any

from django.contrib import admin

from medusa_payments.admin.base import ReadOnlyAdmin
from medusa_payments.admin.columns import (
    badge_column,
    identifier_column,
    json_column,
    link_column,
    own_link_column,
    text_column,
    time_column,
)
from medusa_payments.admin.display import badge
from medusa_payments.admin.filters import ProviderFilter
from medusa_payments.models import WebhookEvent


@admin.register(WebhookEvent)
class WebhookEventAdmin(ReadOnlyAdmin):
    list_display = (
        "own_link",
        "event_type",
        "state_badge",
        "session",
        "text",
        "occurred",
        "received",
    )
    list_filter = ("state", ProviderFilter, "occurred_at")
    search_fields = (
        "id__startswith",
        "event_id__startswith",
        "event_type__startswith",
        "payment_session__id__startswith",
        "payment_session__provider_reference__startswith",
    )
    search_help_text = "Id here or at the provider, type, id of the session or its provider's id."
    list_select_related = ("payment_session",)
    fieldsets = (
        (
            None,
            {"fields": ("own_link", "event", "event_type", "state_badge", "text", "session")},
        ),
        ("From", {"fields": ("provider", "credentials", "account_id")}),
        (
            "Time",
            {"fields": ("occurred", "received", "applied", "tries", "next_try", "followed_up")},
        ),
        ("Message, as far as it was kept", {"fields": ("payload_json",)}),
    )

    own_link = own_link_column()
    event = identifier_column("event_id", "id at the provider")
    state_badge = badge_column("state")
    session = link_column("payment_session", "session")
    text = text_column("note")
    provider = identifier_column("provider_id", "provider")
    account_id = identifier_column("account")
    occurred = time_column("occurred_at", "occurred")
    received = time_column("created_at", "received")
    applied = time_column("applied_at", "applied")
    next_try = time_column("next_attempt_at", "next try")
    followed_up = time_column("followed_up_at", "shop was told")
    payload_json = json_column("payload", "message")

    def marks(self, row: Any) -> list[str]:
        return [badge(row.state)]

    def collection_id(self, row: WebhookEvent) -> str:
        return row.payment_session.payment_collection_id if row.payment_session else ""
