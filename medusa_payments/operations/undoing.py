"""Law 7: money under a soft-deleted session goes back, exactly once.

Undone is a state of the provider's object (nothing payable, nothing held, nothing kept), not the
success of our call. So every step is planned here, under the lock, from what the provider was
last seen to hold; a refund is planned from a fresh lookup only.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from medusa_payments import settings
from medusa_payments.ids import new_id
from medusa_payments.models import Capture, Payment, PaymentSession, Refund
from medusa_payments.operations import adoption, movements
from medusa_payments.operations.adoption import LateSuccess
from medusa_payments.operations.calls import write_call
from medusa_payments.operations.database import database_alias
from medusa_payments.operations.discrepancies import close_by_evidence, open_discrepancy
from medusa_payments.operations.locking import LockedCollection
from medusa_payments.operations.permits import is_written_off, wait_for_permit
from medusa_payments.operations.proposal_records import Step, close_undoings
from medusa_payments.operations.setting_aside import soft_delete
from medusa_payments.operations.totals import PaymentTotals, payment_totals
from medusa_payments.operations.undoing_steps import (
    STILL_OPEN,
    cancel_step,
    next_step,
    refund_step,
)
from medusa_payments.operations.undoing_tries import failed_tries, failures_of, unresolved_moves
from medusa_payments.providers.registry import get_provider
from medusa_payments.statuses import (
    OPEN_PROVIDER_STATES,
    CallKind,
    CallState,
    DeletedReason,
    DiscrepancyKind,
    MovementStatus,
    ProposalKind,
    ProviderState,
    Resolution,
)


def plan(
    locked: LockedCollection,
    session: PaymentSession,
    payment: Payment | None,
    *,
    looked: bool,
    is_fresh: bool = True,
    is_asked: bool = False,
) -> None:
    """Demand the next step that gives back what the session holds, or record that it is done.

    ``looked``: what is known comes from a lookup made now, refunds included. ``is_fresh``: it comes
    at least from the provider's answer, not from an event that may be old. ``is_asked``: a person
    asks for the session to be closed; what reconciliation may do by itself is no question then.
    """
    if session.is_live:
        _close_declined(locked, session)
        return
    if session.resolution == Resolution.ADOPTED or _stays_written_off(session, payment):
        return
    if not get_provider(session.provider_id).capabilities.can_look_up:
        looked = is_fresh = True
    late = adoption.decide(locked, session, payment, looked=looked)
    if late == LateSuccess.ADOPT and payment is not None:
        _adopt(locked, session, payment)
    elif late == LateSuccess.GIVE_BACK:
        _undo(locked, session, payment, looked=looked, is_fresh=is_fresh, is_asked=is_asked)


def _close_declined(locked: LockedCollection, session: PaymentSession) -> None:
    """The object of a payment that was declined when it was started could still be paid."""
    if not session.failure_code:
        return
    if session.provider_state in OPEN_PROVIDER_STATES:
        _cancel(locked, session, is_asked=False)
    else:
        close_undoings(locked, session)


def _stays_written_off(session: PaymentSession, payment: Payment | None) -> bool:
    """A person left the money where it is; what they did not know of is not covered by that."""
    if session.resolution != Resolution.WRITTEN_OFF:
        return False
    step = next_step(session, payment)
    return step is None or is_written_off(session, step)


def _adopt(locked: LockedCollection, session: PaymentSession, payment: Payment) -> None:
    """It pays its collection after all; the live session is closed, so that nobody pays twice.

    Should its buyer pay it at this very moment, law 7 gives that back.
    """
    payment.payment_session = session
    live = locked.live_session()
    resolve(locked, session, Resolution.ADOPTED)
    movements.tell_of(locked, "payment_authorized", payment)
    taken = Capture.objects.using(database_alias()).filter(payment=payment)
    for capture in taken.filter(status=MovementStatus.SUCCEEDED).order_by("pk"):
        movements.tell_of(locked, "payment_captured", payment, capture=capture)
    if live is not None:
        live = locked.session(live.pk)
        soft_delete(locked, live, DeletedReason.REPLACED)
        _undo(locked, live, None, looked=False, is_fresh=True, is_asked=True)


def _undo(
    locked: LockedCollection,
    session: PaymentSession,
    payment: Payment | None,
    *,
    looked: bool,
    is_fresh: bool,
    is_asked: bool,
) -> None:
    if session.provider_state in STILL_OPEN:
        _reopen(locked, session)
        if is_fresh:
            _cancel(locked, session, is_asked=is_asked)
        else:
            locked.look_at(session)
    elif session.captured_minor and payment is not None:
        _give_back(locked, session, payment, looked=looked)
    elif session.provider_state == ProviderState.CANCELED:
        resolve(locked, session, Resolution.CLOSED)
    else:
        _wait_for_initiate(locked, session)


def _wait_for_initiate(locked: LockedCollection, session: PaymentSession) -> None:
    """Nothing was ever seen: it never existed, or the truth is still looked for."""
    initiate = locked.initiate_of(session)
    if initiate.state == CallState.FAILED:
        resolve(locked, session, Resolution.NOT_CREATED)


def _cancel(locked: LockedCollection, session: PaymentSession, *, is_asked: bool) -> None:
    if unresolved_moves(locked, session):
        return
    failures = failures_of(locked, session, CallKind.CANCEL)
    if session.provider_state == ProviderState.PROCESSING and failures:
        # Known to take long; the provider tells when it is over.
        _look_again(locked, session, locked.now + timedelta(seconds=settings.PENDING_INTERVAL))
        return
    if not _may_try(locked, session, failures):
        return
    step = cancel_step(session)
    if not is_asked and _must_wait(locked, session, step):
        return
    call = write_call(locked, CallKind.CANCEL, session, arguments=step.arguments, is_undoing=True)
    locked.demand(call)
    _look_again(locked, session, None)


def _give_back(
    locked: LockedCollection, session: PaymentSession, payment: Payment, *, looked: bool
) -> None:
    close_undoings(locked, session, (ProposalKind.CANCEL,))
    sums = payment_totals(payment)
    refunds = Refund.objects.filter(payment=payment)
    is_waiting = refunds.filter(status=MovementStatus.PENDING).exists()
    if unresolved_moves(locked, session):
        _reopen(locked, session)
    elif sums.refundable_minor:
        _reopen(locked, session)
        _refund(locked, session, payment, sums, looked=looked)
    elif is_waiting or sums.open_disputes_minor:
        _reopen(locked, session)
        _look_again(locked, session, locked.now + timedelta(seconds=settings.PENDING_INTERVAL))
    elif looked:
        resolve(locked, session, Resolution.REFUNDED)
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
    if not _may_try(locked, session, failures_of(locked, session, CallKind.REFUND)):
        return
    step = refund_step(session, payment, sums.refundable_minor)
    if _must_wait(locked, session, step):
        return
    locked.totals_changed = True
    refund: Refund = locked.add(
        Refund(
            payment=payment,
            amount_minor=step.amount_minor,
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
        arguments=step.arguments,
        about=refund,
        is_undoing=True,
    )
    locked.demand(call)
    _look_again(locked, session, None)


def _must_wait(locked: LockedCollection, session: PaymentSession, step: Step) -> bool:
    """Policies, caps, people and the kill switch have their say; looking goes on meanwhile."""
    when = wait_for_permit(locked, session, step)
    if when is not None and locked.initiate_of(session).is_final:
        _look_again(locked, session, when)
    return when is not None


def _may_try(locked: LockedCollection, session: PaymentSession, failures: int) -> bool:
    """At once the first time; after refusals at growing intervals, and loudly when they end.

    The initiate call of a soft-deleted session is its clock: it is due when the next try is.
    """
    if not failures:
        return True
    last = max(call.updated_at for call in failed_tries(locked, session))
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


def resolve(locked: LockedCollection, session: PaymentSession, resolution: Resolution) -> None:
    """Record how the money of a soft-deleted session ended, and tell the shop."""
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
        close_undoings(locked, session)
    _look_again(locked, session, None)


def _reopen(locked: LockedCollection, session: PaymentSession) -> None:
    """Later proof, or a refund that failed after it had succeeded, starts it again."""
    if session.resolution:
        locked.change(session, "session.reopened", resolution="", resolved_at=None)


def _look_again(locked: LockedCollection, session: PaymentSession, when: datetime | None) -> None:
    initiate = locked.initiate_of(session)
    if initiate.is_final or when is not None:
        locked.change(initiate, "call.scheduled", next_attempt_at=when)
