"""What merged facts mean for a session's status and for its unfinished calls.

Called at the end of every record, whatever door the evidence came through, so that a response, a
webhook and a lookup that tell the same end in the same rows.
"""

from __future__ import annotations

from medusa_payments.models import Payment, PaymentSession, ProviderCall
from medusa_payments.operations import movements, undoing, update_records
from medusa_payments.operations.calls import in_flight
from medusa_payments.operations.locking import LockedCollection
from medusa_payments.statuses import (
    CallKind,
    CallState,
    Evidence,
    ProviderState,
    SessionStatus,
)

_STATUS = {
    ProviderState.PAYABLE: SessionStatus.PENDING,
    ProviderState.ACTION_REQUIRED: SessionStatus.REQUIRES_MORE,
    ProviderState.PROCESSING: SessionStatus.PENDING_AUTHORIZATION,
    ProviderState.HELD: SessionStatus.AUTHORIZED,
    # Stored as authorized, as Medusa does (CONTRACT 7.2).
    ProviderState.CAPTURED: SessionStatus.AUTHORIZED,
    ProviderState.CANCELED: SessionStatus.CANCELED,
}


def conclude(
    locked: LockedCollection, session: PaymentSession, *, evidence: Evidence, looked: bool
) -> Payment | None:
    """Bring rows in line with the session's facts, then plan what law 7 demands.

    ``looked``: the facts are those of a lookup made now, refunds included.
    """
    payment = movements.payment_of(locked, session)
    _conclude_initiate(locked, session, evidence=evidence)
    update_records.conclude_update(locked, session, evidence=evidence)
    if payment is not None:
        movements.settle_captures(locked, session, payment, evidence=evidence)
        _conclude_canceled(locked, session, payment)
    _conclude_cancels(locked, session, payment, evidence=evidence)
    _set_status(locked, session)
    is_fresh = evidence not in (Evidence.WEBHOOK, Evidence.OPERATOR)
    undoing.plan(locked, session, payment, looked=looked, is_fresh=is_fresh)
    return payment


def _conclude_initiate(
    locked: LockedCollection, session: PaymentSession, *, evidence: Evidence
) -> None:
    call = locked.initiate_of(session)
    if not session.provider_reference:
        return
    if call.is_final and not call.is_provisional:
        return
    # While its process is alive its answer decides, unless money was already shown (law 5):
    # the buyer has no way to pay an object whose secret nobody handed out.
    if not session.has_money and in_flight(call, now=locked.now):
        return
    movements.finish_call(locked, call, CallState.SUCCEEDED, evidence=evidence)


def _conclude_canceled(locked: LockedCollection, session: PaymentSession, payment: Payment) -> None:
    if session.provider_state == ProviderState.CANCELED and not session.captured_minor:
        is_ours = any(call.kind == CallKind.CANCEL for call in locked.calls_of(session))
        movements.record_canceled(locked, payment, is_ours=is_ours)


def _conclude_cancels(
    locked: LockedCollection,
    session: PaymentSession,
    payment: Payment | None,
    *,
    evidence: Evidence,
) -> None:
    state = session.provider_state
    cancels = [call for call in locked.calls_of(session) if call.kind == CallKind.CANCEL]
    for call in cancels:
        if call.is_final:
            _correct_verdict(locked, session, payment, call, evidence=evidence)
        elif state == ProviderState.CANCELED:
            movements.finish_call(locked, call, CallState.SUCCEEDED, evidence=evidence)
        elif state == ProviderState.CAPTURED:
            movements.finish_call(locked, call, CallState.FAILED, evidence=evidence)


def _correct_verdict(
    locked: LockedCollection,
    session: PaymentSession,
    payment: Payment | None,
    call: ProviderCall,
    *,
    evidence: Evidence,
) -> None:
    """What a person said of a cancel yields to the state that the provider shows."""
    if not call.is_provisional or Evidence.OPERATOR in (evidence, session.evidence):
        return
    is_canceled = session.provider_state == ProviderState.CANCELED
    if call.state == CallState.SUCCEEDED:
        state = CallState.SUCCEEDED if is_canceled else CallState.FAILED
        movements.finish_call(locked, call, state, evidence=evidence)
        if not is_canceled and payment is not None:
            locked.totals_changed = True
            locked.change(payment, "payment.not_canceled", canceled_at=None)
    elif is_canceled and call == _last_cancel(locked, session):
        movements.finish_call(locked, call, CallState.SUCCEEDED, evidence=evidence)


def _last_cancel(locked: LockedCollection, session: PaymentSession) -> ProviderCall:
    """Whoever asked last has most likely done it."""
    return [call for call in locked.calls_of(session) if call.kind == CallKind.CANCEL][-1]


def _set_status(locked: LockedCollection, session: PaymentSession) -> None:
    status = _STATUS.get(ProviderState(session.provider_state))
    if status is None:
        return
    if session.failure_code and status in (SessionStatus.PENDING, SessionStatus.CANCELED):
        status = SessionStatus.ERROR  # declined, and its object closed behind it
    if session.declined and status == SessionStatus.PENDING:
        status = SessionStatus.ERROR
    if session.is_in_other_currency and status == SessionStatus.AUTHORIZED:
        status = SessionStatus.ERROR  # it holds money, and not what was asked for
    if status == session.status:
        return
    locked.totals_changed = True
    locked.change(session, f"session.{status}", status=status)
    if status == SessionStatus.ERROR and session.is_live:
        locked.tell("payment_failed", session=session)
