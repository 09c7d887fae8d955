from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from medusa_payments.admin.base import ReadOnlyAdmin, deletion, deletion_marks
from medusa_payments.admin.columns import (
    badge_column,
    identifier_column,
    json_column,
    link_column,
    money_column,
    own_link_column,
    time_column,
)
from medusa_payments.admin.display import badge, record_link
from medusa_payments.admin.filters import DeletedFilter, ProviderFilter
from medusa_payments.models import Payment, PaymentSession


class UndoingFilter(admin.SimpleListFilter):
    """Soft-deleted sessions by whether it is known where their money is."""

    title = "undoing"
    parameter_name = "undoing"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("unresolved", "Not resolved yet"), ("resolved", "Resolved")]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[PaymentSession]
    ) -> QuerySet[PaymentSession]:
        if self.value() == "unresolved":
            return queryset.filter(deleted__isnull=False, resolution="")
        return queryset.exclude(resolution="") if self.value() == "resolved" else queryset


@admin.register(PaymentSession)
class PaymentSessionAdmin(ReadOnlyAdmin):
    list_display = (
        "own_link",
        "amount",
        "status_badge",
        deletion,
        "provider",
        "reference",
        "state",
        "collection",
        "created",
    )
    list_filter = (
        DeletedFilter,
        UndoingFilter,
        "deleted_reason",
        "resolution",
        "status",
        "provider_state",
        ProviderFilter,
        "created_at",
    )
    search_fields = (
        "id__startswith",
        "provider_reference__startswith",
        "payment_collection__id__startswith",
        "payment_collection__cart_reference__startswith",
        "payment_collection__order_reference__startswith",
        "payment__id__startswith",
    )
    search_help_text = "Id of the session, collection or payment; cart or order; provider's id."
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "own_link",
                    "amount",
                    "status_badge",
                    "collection",
                    "payment_link",
                    "provider",
                    "failure_code",
                    "created",
                    "authorized",
                )
            },
        ),
        (
            "Soft deletion",
            {
                "fields": (
                    "deleted_at",
                    "reason",
                    "indeterminate",
                    "resolution_badge",
                    "resolved",
                )
            },
        ),
        (
            "At the provider, as last proven",
            {
                "fields": (
                    "reference",
                    "state",
                    "amount_there",
                    "held",
                    "captured",
                    "observed",
                    "evidence",
                )
            },
        ),
        ("Data", {"fields": ("data_json", "context_json", "metadata_json")}),
    )

    own_link = own_link_column()
    amount = money_column("amount_minor", "amount")
    status_badge = badge_column("status")
    collection = link_column("payment_collection", "collection")
    provider = identifier_column("provider_id", "provider")
    created = time_column("created_at", "created")
    authorized = time_column("authorized_at", "authorized")
    deleted_at = time_column("deleted")
    reason = badge_column("deleted_reason", "reason")
    resolution_badge = badge_column("resolution")
    resolved = time_column("resolved_at", "resolved")
    reference = identifier_column("provider_reference", "id at the provider")
    state = badge_column("provider_state", "at the provider", blank="never seen")
    amount_there = money_column("provider_amount_minor", "amount")
    held = money_column("held_minor", "held")
    captured = money_column("captured_minor", "captured")
    observed = time_column("observed_at", "seen")
    data_json = json_column("data")
    context_json = json_column("context")
    metadata_json = json_column("metadata")

    @admin.display(description="payment")
    def payment_link(self, session: PaymentSession) -> object:
        payment = Payment.objects.filter(payment_session=session).first()
        return record_link(Payment, payment and payment.pk, site=self.admin_site.name)

    def marks(self, row: PaymentSession) -> list[str]:
        return [badge(row.status), *deletion_marks(row)]
