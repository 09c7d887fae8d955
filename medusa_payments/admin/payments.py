from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import URLPattern, path

from medusa_payments.admin import refund_action
from medusa_payments.admin.base import ReadOnlyAdmin, deletion_marks
from medusa_payments.admin.collection_page import payment_badge
from medusa_payments.admin.columns import (
    identifier_column,
    json_column,
    link_column,
    money_column,
    own_link_column,
    time_column,
)
from medusa_payments.admin.display import badge, badges, identifier, money
from medusa_payments.admin.filters import PaymentOutcomeFilter, PaymentStateFilter, ProviderFilter
from medusa_payments.admin.movement_rows import movement_rows
from medusa_payments.models import Payment, ProviderCall
from medusa_payments.operations.database import database_alias
from medusa_payments.operations.totals import PaymentTotals, totals_of_payments
from medusa_payments.statuses import UNRESOLVED_CALLS


class PaymentList(ChangeList):
    """Reads the sums of a page's payments together, not row by row."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        payments: list[Any] = list(self.result_list)
        read_sums(payments)
        self.result_list = payments


def read_sums(payments: list[Any]) -> None:
    """Give each payment ``sums`` and ``is_uncertain``, for the columns below."""
    sums = totals_of_payments(payments)
    calls = ProviderCall.objects.using(database_alias()).filter(
        payment__in=payments, state__in=UNRESOLVED_CALLS
    )
    uncertain = set(calls.values_list("payment_id", flat=True))
    for payment in payments:
        payment.sums = sums[payment.pk]
        payment.is_uncertain = payment.pk in uncertain


@admin.register(Payment)
class PaymentAdmin(ReadOnlyAdmin):
    actions = ("refund_payments",)
    list_display = (
        "own_link",
        "amount",
        "state",
        "captured",
        "refunded",
        "refundable",
        "provider",
        "reference",
        "collection",
        "created",
    )
    list_filter = (PaymentOutcomeFilter, PaymentStateFilter, ProviderFilter, "created_at")
    list_select_related = ("payment_session",)
    search_fields = (
        "id__startswith",
        "payment_session__id__startswith",
        "payment_session__provider_reference__startswith",
        "payment_collection__id__startswith",
        "payment_collection__cart_reference__startswith",
        "payment_collection__order_reference__startswith",
        "refunds__id__startswith",
        "refunds__provider_reference__startswith",
        "captures__id__startswith",
    )
    search_help_text = (
        "Id of the payment, its session, collection or movements; cart or order; provider's id."
    )
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "own_link",
                    "amount",
                    "state",
                    "captured",
                    "refunded",
                    "refundable",
                    "disputed",
                )
            },
        ),
        ("Belongs to", {"fields": ("collection", "session", "provider", "reference")}),
        ("Time", {"fields": ("created", "captured_on", "canceled_on")}),
        ("Movements", {"fields": ("movements",)}),
        ("Data", {"fields": ("data_json", "metadata_json")}),
    )

    own_link = own_link_column()
    amount = money_column("amount_minor", "amount")
    collection = link_column("payment_collection", "collection")
    session = link_column("payment_session", "session")
    provider = identifier_column("provider_id", "provider")
    created = time_column("created_at", "created")
    captured_on = time_column("captured_at", "captured")
    canceled_on = time_column("canceled_at", "canceled")
    data_json = json_column("data")
    metadata_json = json_column("metadata")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return PaymentList

    def get_urls(self) -> list[URLPattern]:
        """Where a refund is asked for, no transaction may be open (law 2), whatever
        ATOMIC_REQUESTS says."""
        own = path(
            "refund/",
            self.admin_site.admin_view(self.refund_view),
            name="medusa_payments_payment_refund",
        )
        urls = [own, *super().get_urls()]
        exempt = transaction.non_atomic_requests(using=database_alias())
        for url in urls:
            if url.name in (own.name, "medusa_payments_payment_changelist"):
                exempt(url.callback)
        return urls

    def has_refund_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request) and request.user.has_perm(
            "medusa_payments.refund_payment"
        )

    @admin.action(description="Refund selected payments", permissions=["refund"])
    def refund_payments(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        return refund_action.confirmation(self, request, queryset)

    def refund_view(self, request: HttpRequest) -> HttpResponse:
        return refund_action.act(self, request)

    @admin.display(description="id at the provider")
    def reference(self, payment: Payment) -> Any:
        return identifier(payment.payment_session.provider_reference)

    @admin.display(description="state")
    def state(self, payment: Any) -> Any:
        _read_totals_of_payments(payment)
        marks = [payment_badge(payment), *deletion_marks(payment.payment_session)]
        if payment.is_uncertain:
            marks.append(badge("uncertain"))
        return badges(marks)

    @admin.display(description="captured")
    def captured(self, payment: Any) -> str:
        return money(_read_totals_of_payments(payment).captured_minor, payment.currency_code)

    @admin.display(description="refunded")
    def refunded(self, payment: Any) -> str:
        return money(_read_totals_of_payments(payment).refunded_minor, payment.currency_code)

    @admin.display(description="refundable")
    def refundable(self, payment: Any) -> str:
        return money(_read_totals_of_payments(payment).refundable_minor, payment.currency_code)

    @admin.display(description="disputed")
    def disputed(self, payment: Any) -> str:
        return money(_read_totals_of_payments(payment).disputed_minor, payment.currency_code)

    @admin.display(description="captures, refunds, disputes")
    def movements(self, payment: Payment) -> str:
        rows = movement_rows([payment], site=self.admin_site.name)[payment.pk]
        return render_to_string(
            "admin/medusa_payments/includes/movements.html", {"movements": rows}
        )

    def marks(self, row: Any) -> list[str]:
        return [self.state(row)]


def _read_totals_of_payments(payment: Any) -> PaymentTotals:
    """On a payment's own page nobody has read them before."""
    if not hasattr(payment, "sums"):
        read_sums([payment])
    sums: PaymentTotals = payment.sums
    return sums
