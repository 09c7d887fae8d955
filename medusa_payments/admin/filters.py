"""What lists can be narrowed down to."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest

from medusa_payments.models import ProviderCall
from medusa_payments.providers.registry import provider_ids
from medusa_payments.statuses import UNRESOLVED_CALLS, UNRESOLVED_MOVEMENTS


class ProviderFilter(admin.SimpleListFilter):
    """Of the providers in the settings: listing those in the table would read all of it."""

    title = "provider"
    parameter_name = "provider_id"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(provider_id, provider_id) for provider_id in provider_ids()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(provider_id=self.value()) if self.value() else queryset


class DeletedFilter(admin.SimpleListFilter):
    title = "deleted"
    parameter_name = "is_deleted"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("no", "Live"), ("yes", "Soft-deleted")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in ("no", "yes"):
            return queryset
        return queryset.filter(deleted__isnull=self.value() == "no")


class _OutcomeFilter(admin.SimpleListFilter):
    title = "outcome"
    parameter_name = "outcome"
    unknown: Q

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("unknown", "Not known yet"), ("known", "Known")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "unknown":
            return queryset.filter(self.unknown)
        return queryset.exclude(self.unknown) if self.value() == "known" else queryset


class CallOutcomeFilter(_OutcomeFilter):
    unknown = Q(state__in=UNRESOLVED_CALLS)


class MovementOutcomeFilter(_OutcomeFilter):
    unknown = Q(status__in=UNRESOLVED_MOVEMENTS)


class PaymentOutcomeFilter(_OutcomeFilter):
    """Payments of which something was asked whose outcome is not known."""

    unknown = Q(
        Exists(ProviderCall.objects.filter(payment=OuterRef("pk"), state__in=UNRESOLVED_CALLS))
    )


class PaymentStateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    _CONDITIONS = {
        "held": ("Held", Q(captured_at=None, canceled_at=None)),
        "captured": ("Captured", Q(captured_at__isnull=False)),
        "canceled": ("Canceled", Q(canceled_at__isnull=False)),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, label) for value, (label, _) in self._CONDITIONS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self._CONDITIONS.get(self.value() or "")
        return queryset.filter(chosen[1]) if chosen else queryset
