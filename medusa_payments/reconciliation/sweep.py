"""The sweep: everything that is unfinished and due, whoever left it so.

Any number run side by side: each step takes the call's lease by compare-and-set.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db.models import F, QuerySet
from django.utils import timezone

from medusa_payments.models import (
    AccountHolderCall,
    AuditEntry,
    Discrepancy,
    PaymentSession,
    ProviderCall,
    WebhookEvent,
)
from medusa_payments.models.recorded_call import RecordedCall
from medusa_payments.operations import holder_performing
from medusa_payments.operations.actors import SWEEP
from medusa_payments.operations.database import (
    DatabaseNow,
    database_alias,
    patiently,
    refuse_open_transaction,
)
from medusa_payments.operations.keyed_requests import purge_expired_requests
from medusa_payments.operations.performing import advance
from medusa_payments.operations.schedule import next_look
from medusa_payments.operations.telling import tell_shop
from medusa_payments.operations.webhooks import apply_event
from medusa_payments.reconciliation.unfinished import (
    live_calls,
    unapplied_events,
    unfinished_calls,
    unfinished_holder_calls,
    unresolved_count,
)
from medusa_payments.statuses import (
    UNRESOLVED_CALLS,
    DiscrepancyState,
    Resolution,
)

logger = logging.getLogger("medusa_payments")

# Rounds of --all: a chain of undoing needs a handful; a provider that always demands more stops.
_MAX_ROUNDS = 10
_MAX_STEPS = 20
_BATCH = 500  # of one run by the schedule


@dataclass
class SweepReport:
    """What one run did. ``calls`` describes each call that it worked on, as it is afterwards."""

    examined: int = 0
    resolved: int = 0
    undone: int = 0
    unresolved: int = 0
    discrepancies: int = 0
    calls: list[dict[str, Any]] = field(default_factory=list)


def reconcile_due() -> SweepReport:
    """Work on what the schedule says is due."""
    return _run(rounds=1, everything=False)


def reconcile_all() -> SweepReport:
    """Work on everything unfinished, due or not, until nothing more can be learned or done.

    Ignores the schedule but not the horizon, and asks about live sessions that are not final.
    """
    return _run(rounds=_MAX_ROUNDS, everything=True)


def _run(*, rounds: int, everything: bool) -> SweepReport:
    refuse_open_transaction()
    before = _resolved_sessions().count()
    examined: dict[str, str] = {}
    asked_live: set[str] = set()
    for _ in range(rounds):
        seen = _progress()
        _apply_events(everything=everything)
        for call in (*_holder_calls(everything=everything), *_calls(everything=everything)):
            examined.setdefault(call.pk, call.state)
            _work_on(call, everything=everything)
        if everything:
            for call in live_calls(asked_live):
                asked_live.add(call.pk)
                examined.setdefault(call.pk, call.state)
                _work_on(call, everything=True)
        _tell()
        if _progress() == seen:
            break
    purge_expired_requests()
    return _report(examined, undone=_resolved_sessions().count() - before)


def _work_on(call: RecordedCall, *, everything: bool) -> None:
    try:
        _advance(call, everything=everything)
    except Exception:
        logger.exception("Call %s could not be worked on; the sweep goes on", call.pk)
        _postpone(call)


def _advance(call: RecordedCall, *, everything: bool) -> None:
    if isinstance(call, AccountHolderCall):
        holder_performing.advance(call, actor=SWEEP, ignores_schedule=everything)
    elif isinstance(call, ProviderCall):
        _advance_payment(call, everything=everything)


def _advance_payment(call: ProviderCall, *, everything: bool) -> None:
    waiting = [call]
    for _ in range(_MAX_STEPS):
        if not waiting:
            return
        waiting.extend(advance(waiting.pop(0), actor=SWEEP, ignores_schedule=everything))


def _postpone(call: RecordedCall) -> None:
    """A call that nobody can work on must not stand before the others at every sweep."""
    rows = (
        type(call)
        ._default_manager.using(database_alias())
        .filter(pk=call.pk, next_attempt_at__isnull=False)
    )
    when = next_look(call.looks, now=timezone.now())
    # Its lease lapses by itself: it may be somebody else's, who is asking.
    patiently(lambda: rows.update(next_attempt_at=when, looks=F("looks") + 1))


def _holder_calls(*, everything: bool) -> list[AccountHolderCall]:
    rows = unfinished_holder_calls(everything=everything)
    return list(rows if everything else rows[:_BATCH])


def _calls(*, everything: bool) -> list[ProviderCall]:
    rows = unfinished_calls(everything=everything)
    return list(rows if everything else rows[:_BATCH])


def _apply_events(*, everything: bool) -> None:
    rows = unapplied_events(everything=everything).order_by("occurred_at", "pk")
    for event in list(rows if everything else rows[:_BATCH]):
        apply_event(event, actor=SWEEP)


def _tell() -> None:
    """Signals that a crash or a raising receiver kept from the shop."""
    for model in (ProviderCall, AccountHolderCall, WebhookEvent):
        rows: Any = model._default_manager.using(database_alias())
        for carrier in rows.filter(follow_up_at__lte=DatabaseNow())[:_BATCH]:
            try:
                tell_shop(carrier)
            except Exception:
                logger.exception("The shop could not be told of %s", carrier.pk)


def _progress() -> tuple[Any, ...]:
    """Changes whenever a round learned or did something."""
    open_calls = [
        model.objects.using(database_alias()).filter(next_attempt_at__isnull=False).order_by("pk")
        for model in (ProviderCall, AccountHolderCall)
    ]
    return (
        *(
            tuple(calls.values_list("pk", "state", "generation", "key_is_spent"))
            for calls in open_calls
        ),
        AuditEntry.objects.using(database_alias()).count(),
        unapplied_events(everything=True).count(),
        _resolved_sessions().count(),
    )


def _resolved_sessions() -> QuerySet[PaymentSession]:
    rows: QuerySet[PaymentSession] = PaymentSession.deleted_objects.using(database_alias()).filter(
        resolution__in=(Resolution.CLOSED, Resolution.REFUNDED)
    )
    return rows


def _report(examined: dict[str, str], *, undone: int) -> SweepReport:
    calls = list(_described(examined))
    was_open = [each for each in calls if examined[each["id"]] in UNRESOLVED_CALLS]
    return SweepReport(
        examined=len(examined),
        resolved=sum(each["state"] not in UNRESOLVED_CALLS for each in was_open),
        undone=undone,
        unresolved=unresolved_count(),
        discrepancies=Discrepancy.objects.using(database_alias())
        .filter(state=DiscrepancyState.OPEN)
        .count(),
        calls=calls,
    )


def _described(examined: dict[str, str]) -> Iterator[dict[str, Any]]:
    ids = list(examined)
    rows: dict[str, ProviderCall | AccountHolderCall] = {
        **ProviderCall.objects.using(database_alias()).in_bulk(ids),
        **AccountHolderCall.objects.using(database_alias()).in_bulk(ids),
    }
    return (describe(rows[pk]) for pk in ids)


def describe(call: ProviderCall | AccountHolderCall) -> dict[str, Any]:
    """One line of the report."""
    about = (
        {"account_holder": call.account_holder_id}
        if isinstance(call, AccountHolderCall)
        else {"payment_session": call.payment_session_id}
    )
    return {
        "id": call.pk,
        "kind": call.kind,
        "state": call.state,
        **about,
        "generation": call.generation,
        "evidence": call.evidence,
    }
