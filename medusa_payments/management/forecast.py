"""What a sweep would ask now, without asking it."""

from __future__ import annotations

from typing import Any

from medusa_payments.models import Discrepancy, ProviderCall
from medusa_payments.operations.database import database_alias
from medusa_payments.reconciliation.sweep import (
    live_calls,
    unapplied_events,
    unfinished_calls,
    unresolved_calls,
)
from medusa_payments.statuses import CallKind, CallState, DiscrepancyState


def forecast(*, everything: bool) -> dict[str, Any]:
    """A report of the sweep's shape in which nothing was done yet."""
    unfinished = list(unfinished_calls(everything=everything))
    if everything:
        unfinished += live_calls({call.pk for call in unfinished})
    open_ones = Discrepancy.objects.using(database_alias()).filter(state=DiscrepancyState.OPEN)
    return {
        "dry_run": True,
        "examined": len(unfinished),
        "resolved": 0,
        "undone": 0,
        "unresolved": unresolved_calls().count() + unapplied_events(everything=True).count(),
        "discrepancies": open_ones.count(),
        "events": unapplied_events(everything=everything).count(),
        "calls": [_foreseen(call) for call in unfinished],
    }


def _foreseen(call: ProviderCall) -> dict[str, Any]:
    return {
        "id": call.pk,
        "kind": call.kind,
        "state": call.state,
        "payment_session": call.payment_session_id,
        "generation": call.generation,
        "evidence": call.evidence,
        "idempotency_key": call.idempotency_key,
        "would": _first_step(call),
    }


def _first_step(call: ProviderCall) -> str:
    """The table of ``operations.performing.advance``, in words."""
    if call.state == CallState.OPEN and call.last_sent_at is None:
        return f"send the {call.kind}"
    if call.is_final:
        return "look up what the provider holds"
    if call.kind == CallKind.INITIATE:
        return "look the payment up; it is never sent again"
    return f"look up; send the {call.kind} again if it did not happen"
