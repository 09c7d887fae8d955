from __future__ import annotations

from typing import Any

from django.contrib import admin

from medusa_payments.admin.base import ReadOnlyAdmin
from medusa_payments.admin.columns import (
    identifier_column,
    own_link_column,
    text_column,
    time_column,
)
from medusa_payments.admin.display import badge
from medusa_payments.models import KeyedRequest


@admin.register(KeyedRequest)
class KeyedRequestAdmin(ReadOnlyAdmin):
    """Neither the key nor the answer is shown: whoever has the key gets the answer."""

    list_display = ("own_link", "asked", "caller", "state", "created", "expires")
    list_filter = ("created_at",)
    search_fields = ("id__startswith", "actor_id__startswith")
    fieldsets = (
        (None, {"fields": ("own_link", "asked", "caller", "state", "lease_token")}),
        ("Time", {"fields": ("created", "leased", "expires")}),
    )

    own_link = own_link_column()
    asked = text_column("path", "asked")
    caller = identifier_column("actor_id", "caller")
    created = time_column("created_at", "created")
    leased = time_column("leased_until", "in flight until")
    expires = time_column("expires_at", "expires")

    @admin.display(description="state", ordering="status")
    def state(self, row: KeyedRequest) -> str:
        if row.status is not None:
            return badge("closed", f"answered {row.status}")
        return badge("open", "in flight or not certain")

    def marks(self, row: Any) -> list[str]:
        return [self.state(row)]
