"""What is left to do, and what is not known: the sweep works on it, a forecast only shows it.

Every query here walks an index of what is unfinished, so that its cost does not depend on how
many records there are. ``live_calls`` alone reads all sessions that may still be paid.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.db.models import Max, Q, QuerySet

from medusa_payments.models import AccountHolderCall, AuditEntry, ProviderCall, WebhookEvent
from medusa_payments.operations.calls import is_free
from medusa_payments.operations.database import DatabaseNow, database_alias
from medusa_payments.statuses import (
    OPEN_PROVIDER_STATES,
    UNRESOLVED_CALLS,
    CallKind,
    CallState,
)

# "Is not null" as a range: of that alone SQLite would think that it is true of most rows.
_EVER = datetime(1970, 1, 1, tzinfo=UTC)


def unfinished_calls(*, everything: bool, until: datetime | None = None) -> QuerySet[ProviderCall]:
    """Calls about payments about which something is left to do, oldest due first.

    Without ``everything`` those that are due, or were due at ``until``.
    """
    return _unfinished(ProviderCall.objects.all(), everything=everything, until=until)


def unfinished_holder_calls(*, everything: bool) -> QuerySet[AccountHolderCall]:
    """As ``unfinished_calls``, about account holders."""
    return _unfinished(AccountHolderCall.objects.all(), everything=everything)


def _unfinished(
    rows: QuerySet[Any], *, everything: bool, until: datetime | None = None
) -> QuerySet[Any]:
    free = is_free(whatever_the_lease_said=everything)
    due = Q(next_attempt_at__gt=_EVER)
    if not everything:
        due = Q(next_attempt_at__lte=DatabaseNow() if until is None else until)
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
    """Events that are stored and neither applied nor quarantined; those alone have a next try."""
    rows = WebhookEvent.objects.using(database_alias()).filter(next_attempt_at__gt=_EVER)
    return rows if everything else rows.filter(next_attempt_at__lte=DatabaseNow())


def progress_of() -> tuple[Any, ...]:
    """Changes whenever a round learned or did something."""
    return (
        *(tuple(_open_calls(model)) for model in (ProviderCall, AccountHolderCall)),
        AuditEntry.objects.using(database_alias()).aggregate(last=Max("pk"))["last"],
        unapplied_events(everything=True).count(),
    )


def _open_calls(model: Any) -> QuerySet[Any, tuple[Any, ...]]:
    rows = model.objects.using(database_alias()).filter(next_attempt_at__gt=_EVER)
    found: QuerySet[Any, tuple[Any, ...]] = rows.order_by("pk").values_list(
        "pk", "state", "generation", "key_is_spent"
    )
    return found


def unresolved_count() -> int:
    """Everything of which the outcome is not known: calls, undoings, events."""
    holder_calls = AccountHolderCall.objects.using(database_alias()).filter(
        state__in=UNRESOLVED_CALLS, next_attempt_at__gt=_EVER
    )
    return (
        unresolved_calls().count()
        + holder_calls.count()
        + unapplied_events(everything=True).count()
    )


def unresolved_calls() -> QuerySet[ProviderCall]:
    """Calls of unknown outcome, and those of soft-deleted sessions whose undoing goes on.

    While an undoing goes on, one of its calls is unfinished: itself, or the initiate that is the
    session's clock. So only unfinished calls are read.
    """
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
        ),
        next_attempt_at__gt=_EVER,
    )
