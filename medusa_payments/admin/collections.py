from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from medusa_payments.admin.base import ReadOnlyAdmin, deletion, deletion_marks
from medusa_payments.admin.collection_page import CollectionPage
from medusa_payments.admin.columns import (
    badge_column,
    identifier_column,
    json_column,
    money_column,
    own_link_column,
    time_column,
)
from medusa_payments.admin.display import badge
from medusa_payments.admin.filters import DeletedFilter
from medusa_payments.models import PaymentCollection


@admin.register(PaymentCollection)
class PaymentCollectionAdmin(ReadOnlyAdmin):
    """Its page tells the whole story: totals, what is uncertain, all rows, and the timeline."""

    change_form_template = "admin/medusa_payments/paymentcollection/story.html"
    list_display = (
        "own_link",
        "amount",
        "status_badge",
        deletion,
        "authorized",
        "captured",
        "refunded",
        "cart",
        "order",
        "created",
    )
    list_filter = ("status", DeletedFilter, "created_at")
    search_fields = (
        "id__startswith",
        "cart_reference__startswith",
        "order_reference__startswith",
        "payment_sessions__id__startswith",
        "payment_sessions__provider_reference__startswith",
        "payments__id__startswith",
    )
    search_help_text = (
        "Id of the collection, a session or payment of it; cart or order; provider's id."
    )
    fieldsets = (
        (
            "Record",
            {
                "fields": (
                    "own_link",
                    "cart",
                    "order",
                    "created",
                    "completed",
                    "deleted_at",
                    "version",
                    "audit_length",
                    "head",
                    "metadata_json",
                )
            },
        ),
    )

    own_link = own_link_column()
    amount = money_column("amount_minor", "owed")
    status_badge = badge_column("status")
    authorized = money_column("authorized_minor", "authorized")
    captured = money_column("captured_minor", "captured")
    refunded = money_column("refunded_minor", "refunded")
    cart = identifier_column("cart_reference", "cart")
    order = identifier_column("order_reference", "order")
    created = time_column("created_at", "created")
    completed = time_column("completed_at", "completed")
    deleted_at = time_column("deleted")
    head = identifier_column("audit_head", "head of the audit chain")
    metadata_json = json_column("metadata")

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        context["story"] = CollectionPage(kwargs["obj"], site=self.admin_site.name)
        return super().render_change_form(request, context, *args, **kwargs)

    def marks(self, row: PaymentCollection) -> list[str]:
        return [badge(row.status), *deletion_marks(row)]
