"""What is left to do, and what is not known: the sweep works on it, a forecast only shows it."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet

from medusa_payments.models import AccountHolderCall, ProviderCall, WebhookEvent
from medusa_payments.operations.calls import is_free
from medusa_payments.operations.database import DatabaseNow, database_alias
from medusa_payments.statuses import (
    OPEN_PROVIDER_STATES,
    UNRESOLVED_CALLS,
    CallKind,
    CallState,
    EventState,
)


def unfinished_calls(*, everything: bool) -> QuerySet[ProviderCall]:
    """Calls about payments about which something is left to do, oldest due first."""
    return _unfinished(ProviderCall.objects.all(), everything=everything)


def unfinished_holder_calls(*, everything: bool) -> QuerySet[AccountHolderCall]:
    """As ``unfinished_calls``, about account holders."""
    return _unfinished(AccountHolderCall.objects.all(), everything=everything)


def _unfinished(rows: QuerySet[Any], *, everything: bool) -> QuerySet[Any]:
    free = is_free(whatever_the_lease_said=everything)
    due = Q(next_attempt_at__isnull=False) if everything else Q(next_attempt_at__lte=DatabaseNow())
    return rows.using(database_alias()).filter(free & due).order_by("next_attempt_at", "pk")


def live_calls(asked: set[str]) -> list[ProviderCall]:
    """The initiates of live sessions that may have been paid without our hearing of it."""
    rows = ProviderCall.objects.using(database_alias()).filter(
        kind=CallKind.INITIATE,
        state=CallState.SUCCEEDED,
        payment_session__deleted__isnull=True,
        payment_session__provider_state__in=[*OPEN_PROVIDER_STATES, "held"],
    )
    return [call for call in rows.order_by("pk").iterator() if call.pk not in asked]


def unapplied_events(*, everything: bool) -> QuerySet[WebhookEvent]:
    rows = WebhookEvent.objects.using(database_alias()).filter(
        state__in=(EventState.RECEIVED, EventState.PARKED)
    )
    return rows if everything else rows.filter(next_attempt_at__lte=DatabaseNow())


def unresolved_count() -> int:
    """Everything of which the outcome is not known: calls, undoings, events."""
    holder_calls = AccountHolderCall.objects.using(database_alias()).filter(
        state__in=UNRESOLVED_CALLS
    )
    return (
        unresolved_calls().count()
        + holder_calls.count()
        + unapplied_events(everything=True).count()
    )


def unresolved_calls() -> QuerySet[ProviderCall]:
    """Calls of unknown outcome, and those of soft-deleted sessions whose undoing goes on."""
    return ProviderCall.objects.using(database_alias()).filter(
        Q(state__in=UNRESOLVED_CALLS)
        | Q(
            kind=CallKind.INITIATE,
            payment_session__deleted__isnull=False,
            payment_session__resolution="",
        )
        | Q(  # declined, and what exists of it could still be paid
            kind=CallKind.INITIATE,
            state=CallState.FAILED,
            payment_session__deleted__isnull=True,
            payment_session__provider_state__in=OPEN_PROVIDER_STATES,
        )
    )
