"""What a sweep would ask now, without asking it: the exact requests, and what holds them back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone

from medusa_payments.management.decisions import describe_stop
from medusa_payments.models import (
    AccountHolderCall,
    Discrepancy,
    Payment,
    PaymentSession,
    Proposal,
    ProviderCall,
)
from medusa_payments.operations import caps
from medusa_payments.operations.adoption import may_be_adopted
from medusa_payments.operations.automation import active_stops, is_stopped
from medusa_payments.operations.database import database_alias
from medusa_payments.operations.permits import decision_on, mode_of
from medusa_payments.operations.proposal_records import UNDECIDED, Step
from medusa_payments.operations.requests import method_of
from medusa_payments.operations.undoing_steps import next_step
from medusa_payments.reconciliation.sweep import describe
from medusa_payments.reconciliation.unfinished import (
    live_calls,
    unapplied_events,
    unfinished_calls,
    unfinished_holder_calls,
    unresolved_count,
)
from medusa_payments.statuses import CallKind, DiscrepancyState


def forecast(*, everything: bool) -> dict[str, Any]:
    """A report of the sweep's shape in which nothing was done yet.

    A step of undoing is told by what was last seen at the provider; the sweep looks again first.
    """
    payments = list(unfinished_calls(everything=everything))
    if everything:
        payments += live_calls({call.pk for call in payments})
    unfinished: list[ProviderCall | AccountHolderCall] = [
        *unfinished_holder_calls(everything=everything),
        *payments,
    ]
    open_ones = Discrepancy.objects.using(database_alias()).filter(state=DiscrepancyState.OPEN)
    waiting = Proposal.objects.using(database_alias()).filter(state__in=UNDECIDED)
    now = timezone.now()
    return {
        "dry_run": True,
        "examined": len(unfinished),
        "resolved": 0,
        "undone": 0,
        "unresolved": unresolved_count(),
        "discrepancies": open_ones.count(),
        "proposals": waiting.count(),
        "events": unapplied_events(everything=everything).count(),
        "stopped": [describe_stop(stop) for stop in active_stops()],
        "calls": [_foreseen(call, now=now) for call in unfinished],
    }


def _foreseen(call: ProviderCall | AccountHolderCall, *, now: datetime) -> dict[str, Any]:
    stopped = is_stopped(call.provider_id)
    return {
        **describe(call),
        "idempotency_key": call.idempotency_key,
        "would": _first_step(call),
        **_request(call, now=now),
        "stopped": stopped,
    }


def _request(call: ProviderCall | AccountHolderCall, *, now: datetime) -> dict[str, Any]:
    """What would be sent after that, and what policy and caps say of it."""
    if isinstance(call, AccountHolderCall):
        return _shown("" if call.is_final else call.kind, {})  # a customer's data stays out
    if call.kind != CallKind.INITIATE and call.is_unresolved:
        return _shown(method_of(call), call.arguments)
    session = PaymentSession.all_objects.using(database_alias()).get(pk=call.payment_session_id)
    step = _step_of(session) if call.kind == CallKind.INITIATE else None
    if step is None:
        return _shown("", {})
    policy = decision_on(session, step) or mode_of(session, step, now=now)
    left = caps.left(currency_code=step.currency_code, now=now)
    return _shown(step.method, step.arguments, policy=policy, cap_left=left)


def _step_of(session: PaymentSession) -> Step | None:
    payments = Payment.objects.using(database_alias())
    return next_step(session, payments.filter(payment_session=session).first())


def _shown(
    method: str, arguments: dict[str, Any], *, policy: str = "", cap_left: Any = None
) -> dict[str, Any]:
    return {
        "method": method,
        "arguments": arguments,
        "policy": str(policy),
        "cap_left": cap_left or {},
    }


def _first_step(call: ProviderCall | AccountHolderCall) -> str:
    """The table of ``operations.performing.advance``, in words."""
    if call.was_never_sent:
        return f"send the {call.kind}"
    if isinstance(call, ProviderCall) and may_be_adopted(call.payment_session):
        return "look it up; adopt it if its collection is unpaid, or give it back"
    if call.is_final:
        return "look up what the provider holds"
    if call.kind == CallKind.INITIATE:
        return "look the payment up; it is never sent again"
    return f"look up; send the {call.kind} again if it did not happen"
