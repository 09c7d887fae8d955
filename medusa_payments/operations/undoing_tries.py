"""What was asked to undo a session so far: what of it is unresolved, and how often it failed."""

from __future__ import annotations

from medusa_payments.models import PaymentSession, ProviderCall, Refund
from medusa_payments.operations.locking import LockedCollection
from medusa_payments.statuses import CallKind, CallState, MovementStatus


def unresolved_moves(locked: LockedCollection, session: PaymentSession) -> list[ProviderCall]:
    """Captures, refunds and cancels of unknown outcome: nothing new is asked beside them."""
    return [
        call
        for call in locked.calls_of(session)
        if call.is_unresolved and call.kind not in (CallKind.INITIATE, CallKind.UPDATE)
    ]


def failed_tries(locked: LockedCollection, session: PaymentSession) -> list[ProviderCall]:
    return [
        call
        for call in locked.calls_of(session)
        if call.is_undoing and (call.state == CallState.FAILED or _refund_failed(call))
    ]


def _refund_failed(call: ProviderCall) -> bool:
    """Accepted, and failed at the bank afterwards."""
    failed = Refund.objects.filter(status=MovementStatus.FAILED)
    return bool(call.refund_id) and failed.filter(pk=call.refund_id).exists()


def failures_of(locked: LockedCollection, session: PaymentSession, kind: CallKind) -> int:
    return sum(call.kind == kind for call in failed_tries(locked, session))
