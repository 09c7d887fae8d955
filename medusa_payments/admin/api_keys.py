from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from medusa_payments.admin.base import ReadOnlyAdmin
from medusa_payments.admin.columns import (
    identifier_column,
    own_link_column,
    text_column,
    time_column,
)
from medusa_payments.admin.display import badge, identifier
from medusa_payments.admin.refund_action import actor_of
from medusa_payments.models import ApiKey
from medusa_payments.operations.api_keys import revoke_api_key


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    """Keys are made by the command ``create_api_key``: a token shown in a page may be kept by the
    browser."""

    actions = ("revoke_api_keys",)
    list_display = ("own_link", "about", "kind", "ending", "state", "created", "revoked")
    list_filter = ("type", "created_at")
    search_fields = ("id__startswith", "title")
    fieldsets = (
        (None, {"fields": ("own_link", "about", "kind", "shown", "state")}),
        ("Time", {"fields": ("created", "maker", "revoked", "revoker")}),
    )

    own_link = own_link_column()
    about = text_column("title")
    kind = text_column("type")
    created = time_column("created_at", "created")
    maker = identifier_column("created_by")
    revoked = time_column("revoked_at", "revoked")
    revoker = identifier_column("revoked_by")

    ending = identifier_column("redacted", "key")

    @admin.display(description="key")
    def shown(self, key: ApiKey) -> Any:
        return identifier(key.token or key.redacted)

    @admin.display(description="state", ordering="revoked_at")
    def state(self, key: ApiKey) -> str:
        return badge("closed", "revoked", tone="gone") if key.revoked_at else badge("open", "live")

    def marks(self, row: Any) -> list[str]:
        return [self.state(row)]

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request) and request.user.has_perm(
            "medusa_payments.revoke_apikey"
        )

    @admin.action(description="Revoke selected API keys", permissions=["revoke"])
    def revoke_api_keys(
        self, request: HttpRequest, queryset: QuerySet[ApiKey]
    ) -> HttpResponse | None:
        """First a page that asks, then one act for each key."""
        if "confirmed" not in request.POST:
            return self._confirmation(request, queryset)
        for key in queryset:
            revoke_api_key(key, actor=actor_of(request.user))
            self.message_user(request, f"Revoked: {key.title} ({key.pk}).", messages.SUCCESS)
        return None

    def _confirmation(self, request: HttpRequest, keys: QuerySet[ApiKey]) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": "Revoke API keys",
            "opts": self.opts,
            "keys": keys,
            "media": self.media,
        }
        return TemplateResponse(
            request, "admin/medusa_payments/apikey/revoke_confirmation.html", context
        )
