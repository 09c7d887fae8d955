"""Captures, refunds and disputes: one amount each, in the currency of their payment."""

from __future__ import annotations

from typing import Any, ClassVar

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
from medusa_payments.admin.display import badge, money, record_link
from medusa_payments.admin.filters import MovementOutcomeFilter
from medusa_payments.models import Capture, Dispute, ProviderCall, Refund


class _PaymentPartAdmin(ReadOnlyAdmin):
    list_select_related = ("payment",)

    own_link = own_link_column()
    status_badge = badge_column("status")
    payment_link = link_column("payment")
    reference = identifier_column("provider_reference", "id at the provider")
    created = time_column("created_at", "created")

    @admin.display(description="amount", ordering="amount_minor")
    def amount(self, row: Any) -> str:
        return money(row.amount_minor, row.payment.currency_code)

    def marks(self, row: Any) -> list[str]:
        return [badge(row.status)]

    def collection_id(self, row: Any) -> str:
        collection_id: str = row.payment.payment_collection_id
        return collection_id


class _MovementAdmin(_PaymentPartAdmin):
    list_display = (
        "own_link",
        "amount",
        "status_badge",
        "payment_link",
        "reference",
        "who",
        "created",
    )
    list_filter: ClassVar[Any] = (MovementOutcomeFilter, "status", "is_external", "created_at")
    search_fields = (
        "id__startswith",
        "payment__id__startswith",
        "payment__payment_collection__id__startswith",
        "payment__payment_session__id__startswith",
        "payment__payment_session__provider_reference__startswith",
        "provider_reference__startswith",
        "request_key__startswith",
        "created_by__startswith",
    )
    search_help_text = (
        "Id of the movement, its payment, session or collection; provider's id; request key."
    )

    who = identifier_column("created_by", "asked by")
    key = identifier_column("request_key")
    metadata_json = json_column("metadata")

    @admin.display(description="provider call")
    def call(self, row: Capture | Refund) -> Any:
        call_id = getattr(getattr(row, "provider_call", None), "pk", "")
        return record_link(ProviderCall, call_id, site=self.admin_site.name)


_EVIDENCE: Any = (
    "Evidence",
    {"fields": ("evidence", "is_provisional", "is_external", "call", "reference", "key")},
)
_DATA: Any = ("Data", {"fields": ("metadata_json",)})


@admin.register(Capture)
class CaptureAdmin(_MovementAdmin):
    fieldsets = (
        (
            None,
            {"fields": ("own_link", "amount", "status_badge", "payment_link", "who", "created")},
        ),
        _EVIDENCE,
        _DATA,
    )


@admin.register(Refund)
class RefundAdmin(_MovementAdmin):
    list_filter = (*_MovementAdmin.list_filter, "is_undoing")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "own_link",
                    "amount",
                    "status_badge",
                    "payment_link",
                    "reason",
                    "text",
                    "is_undoing",
                    "who",
                    "created",
                )
            },
        ),
        _EVIDENCE,
        _DATA,
    )

    reason = link_column("refund_reason", "reason")
    text = text_column("note")


@admin.register(Dispute)
class DisputeAdmin(_PaymentPartAdmin):
    list_display = ("own_link", "amount", "status_badge", "payment_link", "reference", "created")
    list_filter = ("status", "created_at")
    search_fields = (
        "id__startswith",
        "provider_reference__startswith",
        "payment__id__startswith",
        "payment__payment_collection__id__startswith",
    )
    search_help_text = "Id of the dispute, its payment or collection; provider's id."
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "own_link",
                    "amount",
                    "status_badge",
                    "payment_link",
                    "reference",
                    "evidence",
                    "created",
                )
            },
        ),
    )
