"""What a sweep would ask now, without asking it."""

from __future__ import annotations

from typing import Any

from medusa_payments.models import AccountHolderCall, Discrepancy, ProviderCall
from medusa_payments.operations.database import database_alias
from medusa_payments.reconciliation.sweep import describe
from medusa_payments.reconciliation.unfinished import (
    live_calls,
    unapplied_events,
    unfinished_calls,
    unfinished_holder_calls,
    unresolved_count,
)
from medusa_payments.statuses import CallKind, CallState, DiscrepancyState


def forecast(*, everything: bool) -> dict[str, Any]:
    """A report of the sweep's shape in which nothing was done yet."""
    payments = list(unfinished_calls(everything=everything))
    if everything:
        payments += live_calls({call.pk for call in payments})
    unfinished: list[ProviderCall | AccountHolderCall] = [
        *unfinished_holder_calls(everything=everything),
        *payments,
    ]
    open_ones = Discrepancy.objects.using(database_alias()).filter(state=DiscrepancyState.OPEN)
    return {
        "dry_run": True,
        "examined": len(unfinished),
        "resolved": 0,
        "undone": 0,
        "unresolved": unresolved_count(),
        "discrepancies": open_ones.count(),
        "events": unapplied_events(everything=everything).count(),
        "calls": [_foreseen(call) for call in unfinished],
    }


def _foreseen(call: ProviderCall | AccountHolderCall) -> dict[str, Any]:
    return {
        **describe(call),
        "idempotency_key": call.idempotency_key,
        "would": _first_step(call),
    }


def _first_step(call: ProviderCall | AccountHolderCall) -> str:
    """The table of ``operations.performing.advance``, in words."""
    if call.state == CallState.OPEN and call.last_sent_at is None:
        return f"send the {call.kind}"
    if call.is_final:
        return "look up what the provider holds"
    if call.kind == CallKind.INITIATE:
        return "look the payment up; it is never sent again"
    return f"look up; send the {call.kind} again if it did not happen"
