"""Law 7: money under a soft-deleted session goes back, exactly once.

Undone is a state of the provider's object (nothing payable, nothing held, nothing kept), not the
success of our call. So every step is planned here, under the lock, from what the provider was
last seen to hold; a refund is planned from a fresh lookup only.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from medusa_payments import settings
from medusa_payments.ids import new_id
from medusa_payments.models import Payment, PaymentSession, ProviderCall, Refund
from medusa_payments.operations.calls import write_call
from medusa_payments.operations.discrepancies import close_by_evidence, open_discrepancy
from medusa_payments.operations.locking import LockedCollection
from medusa_payments.operations.totals import PaymentTotals, payment_totals
from medusa_payments.providers.registry import get_provider
from medusa_payments.statuses import (
    OPEN_PROVIDER_STATES,
    CallKind,
    CallState,
    DiscrepancyKind,
    MovementStatus,
    ProviderState,
    Resolution,
)

_STILL_OPEN = (*OPEN_PROVIDER_STATES, ProviderState.HELD)


def plan(
    locked: LockedCollection,
    session: PaymentSession,
    payment: Payment | None,
    *,
    looked: bool,
    is_fresh: bool = True,
) -> None:
    """Demand the next step that gives back what the session holds, or record that it is done.

    ``looked``: what is known comes from a lookup made now, refunds included. ``is_fresh``: it comes
    at least from the provider's answer, not from an event that may be old.
    """
    if session.is_live:
        _close_declined(locked, session)
        return
    if session.resolution in (Resolution.ADOPTED, Resolution.WRITTEN_OFF):
        return
    if not get_provider(session.provider_id).capabilities.can_look_up:
        looked = is_fresh = True
    if session.provider_state in _STILL_OPEN:
        _reopen(locked, session)
        if is_fresh:
            _cancel(locked, session)
        else:
            locked.look_at(session)
    elif session.captured_minor and payment is not None:
        _give_back(locked, session, payment, looked=looked)
    elif session.provider_state == ProviderState.CANCELED:
        _resolve(locked, session, Resolution.CLOSED)
    else:
        _wait_for_initiate(locked, session)


def _close_declined(locked: LockedCollection, session: PaymentSession) -> None:
    """The object of a payment that was declined when it was started could still be paid."""
    if session.failure_code and session.provider_state in OPEN_PROVIDER_STATES:
        _cancel(locked, session)


def _wait_for_initiate(locked: LockedCollection, session: PaymentSession) -> None:
    """Nothing was ever seen: it never existed, or the truth is still looked for."""
    initiate = locked.initiate_of(session)
    if initiate.state == CallState.FAILED:
        _resolve(locked, session, Resolution.NOT_CREATED)


def _cancel(locked: LockedCollection, session: PaymentSession) -> None:
    if _unresolved(locked, session):
        return
    failures = _failures(locked, session, CallKind.CANCEL)
    if session.provider_state == ProviderState.PROCESSING and failures:
        # Known to take long; the provider tells when it is over.
        _look_again(locked, session, locked.now + timedelta(seconds=settings.PENDING_INTERVAL))
        return
    if not _may_try(locked, session, failures):
        return
    call = write_call(
        locked,
        CallKind.CANCEL,
        session,
        arguments={"reference": session.provider_reference},
        is_undoing=True,
    )
    locked.demand(call)
    _look_again(locked, session, None)


def _give_back(
    locked: LockedCollection, session: PaymentSession, payment: Payment, *, looked: bool
) -> None:
    sums = payment_totals(payment)
    refunds = Refund.objects.filter(payment=payment)
    is_waiting = refunds.filter(status=MovementStatus.PENDING).exists()
    if _unresolved(locked, session):
        _reopen(locked, session)
    elif sums.refundable_minor:
        _reopen(locked, session)
        _refund(locked, session, payment, sums, looked=looked)
    elif is_waiting or sums.open_disputes_minor:
        _reopen(locked, session)
        _look_again(locked, session, locked.now + timedelta(seconds=settings.PENDING_INTERVAL))
    elif looked:
        _resolve(locked, session, Resolution.REFUNDED)
    elif not session.resolution:
        locked.look_at(session)


def _refund(
    locked: LockedCollection,
    session: PaymentSession,
    payment: Payment,
    sums: PaymentTotals,
    *,
    looked: bool,
) -> None:
    if not looked:
        locked.look_at(session)
        return
    if not _may_try(locked, session, _failures(locked, session, CallKind.REFUND)):
        return
    locked.totals_changed = True
    refund: Refund = locked.add(
        Refund(
            payment=payment,
            amount_minor=sums.refundable_minor,
            request_key=new_id("undo"),
            is_undoing=True,
            note=f"Given back: session {session.pk} was {session.deleted_reason}.",
        ),
        "refund.requested",
    )
    call = write_call(
        locked,
        CallKind.REFUND,
        session,
        arguments={
            "reference": session.provider_reference,
            "amount_minor": refund.amount_minor,
            "currency_code": payment.currency_code,
        },
        about=refund,
        is_undoing=True,
    )
    locked.demand(call)
    _look_again(locked, session, None)


def _may_try(locked: LockedCollection, session: PaymentSession, failures: int) -> bool:
    """At once the first time; after refusals at growing intervals, and loudly when they end.

    The initiate call of a soft-deleted session is its clock: it is due when the next try is.
    """
    if not failures:
        return True
    last = max(call.updated_at for call in _failed(locked, session))
    schedule = settings.RECONCILE_SCHEDULE
    due = last + timedelta(seconds=schedule[min(failures, len(schedule)) - 1])
    if failures >= len(schedule):
        _report_blocked(locked, session)
    if locked.now >= due or locked.ignores_schedule:
        return True
    _look_again(locked, session, due)
    return False


def _report_blocked(locked: LockedCollection, session: PaymentSession) -> None:
    open_discrepancy(
        locked,
        DiscrepancyKind.UNDO_BLOCKED,
        about=session.pk,
        detail="The provider keeps refusing to undo what this session left behind there.",
        session=session,
        amount_minor=session.captured_minor or session.held_minor or None,
    )


def _resolve(locked: LockedCollection, session: PaymentSession, resolution: Resolution) -> None:
    if session.resolution != resolution:
        locked.totals_changed = True
        locked.change(
            session,
            f"session.resolved_{resolution}",
            resolution=resolution,
            resolved_at=locked.now,
        )
        locked.tell("session_resolved", session=session)
        close_by_evidence(
            locked,
            DiscrepancyKind.UNDO_BLOCKED,
            about=session.pk,
            reason=f"The session is {resolution}.",
        )
    _look_again(locked, session, None)


def _reopen(locked: LockedCollection, session: PaymentSession) -> None:
    """Later proof, or a refund that failed after it had succeeded, starts it again."""
    if session.resolution:
        locked.change(session, "session.reopened", resolution="", resolved_at=None)


def _look_again(locked: LockedCollection, session: PaymentSession, when: datetime | None) -> None:
    initiate = locked.initiate_of(session)
    if initiate.is_final or when is not None:
        locked.change(initiate, "call.scheduled", next_attempt_at=when)


def _unresolved(locked: LockedCollection, session: PaymentSession) -> list[ProviderCall]:
    """Captures, refunds and cancels of unknown outcome: nothing new is asked beside them."""
    return [
        call
        for call in locked.calls_of(session)
        if call.is_unresolved and call.kind not in (CallKind.INITIATE, CallKind.UPDATE)
    ]


def _failed(locked: LockedCollection, session: PaymentSession) -> list[ProviderCall]:
    return [
        call
        for call in locked.calls_of(session)
        if call.is_undoing and (call.state == CallState.FAILED or _refund_failed(call))
    ]


def _refund_failed(call: ProviderCall) -> bool:
    """Accepted, and failed at the bank afterwards."""
    failed = Refund.objects.filter(status=MovementStatus.FAILED)
    return bool(call.refund_id) and failed.filter(pk=call.refund_id).exists()


def _failures(locked: LockedCollection, session: PaymentSession, kind: CallKind) -> int:
    return sum(call.kind == kind for call in _failed(locked, session))
