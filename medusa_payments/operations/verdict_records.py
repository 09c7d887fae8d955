"""Recording what a person says of a call, as an answer of the provider would be recorded.

All of it is provisional: whatever the provider shows later overrides it, and opens a discrepancy
where it differs (``movements.finish_call``).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from medusa_payments import settings
from medusa_payments.models import Capture, PaymentSession, ProviderCall, Refund
from medusa_payments.operations import movements, refund_records
from medusa_payments.operations.conclusions import conclude
from medusa_payments.operations.discrepancies import open_discrepancy
from medusa_payments.operations.locking import LockedCollection
from medusa_payments.operations.recording import leave_open
from medusa_payments.operations.setting_aside import set_aside
from medusa_payments.statuses import (
    CallKind,
    CallState,
    DiscrepancyKind,
    Evidence,
    ProviderState,
    Verdict,
)

_BY_WORD: dict[str, Any] = {"evidence": Evidence.OPERATOR, "is_provisional": True}


def record_verdict(
    locked: LockedCollection,
    session: PaymentSession,
    call: ProviderCall,
    verdict: Verdict,
    *,
    persons: str,
) -> None:
    """Give the call its state by the word of ``persons``, and do what that demands."""
    locked.cause = persons[:255]
    if verdict == Verdict.HAPPENED:
        _HAPPENED[CallKind(call.kind)](locked, session, call)
    else:
        _not_happened(locked, session, call)
    conclude(locked, session, evidence=Evidence.OPERATOR, looked=False)


def note_as_uncertain(
    locked: LockedCollection, session: PaymentSession, call: ProviderCall
) -> None:
    """A process died while it asked: as the sweep, take the outcome for unknown (law 5)."""
    if call.state != CallState.OPEN:
        return
    if call.kind == CallKind.INITIATE:
        set_aside(locked, session, call)
    else:
        leave_open(locked, session, call, _movement(session, call))


def _not_happened(locked: LockedCollection, session: PaymentSession, call: ProviderCall) -> None:
    movement = _movement(session, call)
    if movement is not None:
        movements.fail_movement(locked, movement, **_BY_WORD)
        return
    movements.finish_call(locked, call, CallState.FAILED, **_BY_WORD)


def _initiated(locked: LockedCollection, session: PaymentSession, call: ProviderCall) -> None:
    """Its object is not known here, so nobody can undo it yet: it is looked for daily, loudly."""
    movements.finish_call(locked, call, CallState.SUCCEEDED, **_BY_WORD)
    tomorrow = locked.now + timedelta(seconds=settings.PENDING_INTERVAL)
    locked.change(call, "call.scheduled", next_attempt_at=tomorrow)
    open_discrepancy(
        locked,
        DiscrepancyKind.UNDO_BLOCKED,
        about=session.pk,
        detail=f"{locked.cause} said that this payment was started; its object was not found yet.",
        not_known="Which object it is, and whether it holds money.",
        session=session,
        amount_minor=session.amount_minor,
        provider_call=call,
    )


def _captured(locked: LockedCollection, session: PaymentSession, call: ProviderCall) -> None:
    capture = _movement(session, call)
    if isinstance(capture, Capture):
        movements.succeed_capture(locked, capture, **_BY_WORD)


def _refunded(locked: LockedCollection, session: PaymentSession, call: ProviderCall) -> None:
    refund = _movement(session, call)
    if isinstance(refund, Refund):
        refund_records.accept_refund(locked, refund, evidence=Evidence.OPERATOR)
        locked.change(refund, "refund.claimed", is_provisional=True)
        locked.change(call, "call.claimed", is_provisional=True)


def _canceled(locked: LockedCollection, session: PaymentSession, call: ProviderCall) -> None:
    locked.change(
        session,
        "session.canceled",
        provider_state=ProviderState.CANCELED,
        held_minor=0,
        evidence=Evidence.OPERATOR,
        observed_at=locked.now,
    )
    movements.finish_call(locked, call, CallState.SUCCEEDED, **_BY_WORD)


def _movement(session: PaymentSession, call: ProviderCall) -> Capture | Refund | None:
    movement = movements.movement_of(call)
    if movement is not None:
        movement.payment.payment_session = session
    return movement


_HAPPENED: dict[CallKind, Any] = {
    CallKind.INITIATE: _initiated,
    CallKind.CAPTURE: _captured,
    CallKind.REFUND: _refunded,
    CallKind.CANCEL: _canceled,
}
