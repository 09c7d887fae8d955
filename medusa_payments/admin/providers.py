from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from medusa_payments.admin.display import badge
from medusa_payments.models import PaymentProvider
from medusa_payments.operations.database import database_alias
from medusa_payments.providers.registry import provider_ids

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[PaymentProvider]
else:
    ModelAdmin = admin.ModelAdmin


@admin.register(PaymentProvider)
class PaymentProviderAdmin(ModelAdmin):
    """Switching a provider off stops new payments; work on existing ones goes on."""

    actions = None
    list_display = ("id", "is_enabled", "set_up", "updated_at")
    list_filter = ("is_enabled",)
    search_fields = ("id",)
    fields = ("id", "is_enabled", "set_up", "created_at", "updated_at")
    readonly_fields = ("id", "set_up", "created_at", "updated_at")

    class Media:
        css = {"all": ["medusa_payments/admin.css"]}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A provider is enabled while it has no row, so one in the settings may have none yet."""
        if self.has_view_or_change_permission(request):
            _write_missing_rows()
        return super().changelist_view(request, extra_context)

    @admin.display(description="in the settings")
    def set_up(self, provider: PaymentProvider) -> str:
        if provider.pk in provider_ids():
            return badge("open", "set up", tone="good")
        return badge("lost", "not in the settings any more", tone="quiet")


def _write_missing_rows() -> None:
    rows = PaymentProvider.objects.using(database_alias())
    known = set(rows.values_list("pk", flat=True))
    for provider_id in provider_ids():
        if provider_id not in known:
            rows.get_or_create(pk=provider_id)
