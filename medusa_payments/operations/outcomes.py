"""Recording: the only place where an answer, an event or a lookup becomes statuses.

All doors end here. Each function runs one short transaction under the collection's lock and
returns the calls that the record then demands; the caller performs them.
"""

from __future__ import annotations

from typing import Any

from medusa_payments.models import (
    Capture,
    PaymentSession,
    ProviderCall,
    Refund,
)
from medusa_payments.operations import movements, refund_records, update_records
from medusa_payments.operations.actors import Actor
from medusa_payments.operations.calls import answered
from medusa_payments.operations.conclusions import conclude
from medusa_payments.operations.database import database_alias
from medusa_payments.operations.doubts import UNLIKE_ASKED, doubted_attempts
from medusa_payments.operations.integrity import believed_outcome
from medusa_payments.operations.locking import LockedCollection, under_lock
from medusa_payments.operations.merging import merge_payment
from medusa_payments.operations.recording import (
    Recorded,
    finish,
    leave_open,
    merge_refund_of,
)
from medusa_payments.operations.schedule import next_look
from medusa_payments.operations.setting_aside import set_aside
from medusa_payments.providers.types import (
    Failed,
    FailureKind,
    Indeterminate,
    Outcome,
    Succeeded,
)
from medusa_payments.statuses import (
    CallKind,
    CallState,
    Evidence,
    MovementStatus,
    ProviderState,
    Resolution,
    SessionStatus,
)


def record_outcome(
    call: ProviderCall, outcome: Outcome, *, evidence: Evidence, actor: Actor
) -> Recorded:
    """Write down what a provider's answer to a call means.

    An answer under a lease that was lost meanwhile writes the call no more; what it shows of the
    provider's object is evidence all the same.
    """

    def work(locked: LockedCollection) -> Recorded:
        session = locked.session(call.payment_session_id)
        mine = next(each for each in locked.calls_of(session) if each.pk == call.pk)
        believed = believed_outcome(locked, session, mine, outcome)
        if mine.lease_token == call.lease_token:
            locked.change(mine, "call.answered", **_answer(call, outcome, believed))
            if mine.is_provisional and mine.evidence == Evidence.OPERATOR:
                locked.look_at(session)  # a late answer, after a person's word: a look decides
            _SETTLE[CallKind(call.kind)](locked, session, mine, believed, evidence)
        else:
            _merge_shown(locked, session, believed, evidence)
            if isinstance(believed, Indeterminate):
                _reopen(locked, session, mine)
        conclude(locked, session, evidence=evidence, looked=False)
        return finish(locked, mine)

    return under_lock(call.payment_collection_id, work, actor=actor, cause=outcome.request_id[:255])


def _answer(call: ProviderCall, outcome: Outcome, believed: Outcome) -> dict[str, Any]:
    values = answered(call, believed)
    if believed.code == UNLIKE_ASKED and believed is not outcome:
        values["attempts"] = doubted_attempts(call.attempts, believed)
    return values


def _reopen(locked: LockedCollection, session: PaymentSession, call: ProviderCall) -> None:
    """It was sent after all, later than whoever concluded that it was not had reason to think."""
    if call.is_final and not call.is_provisional:
        return
    locked.change(
        call,
        "call.reopened",
        state=CallState.INDETERMINATE,
        evidence=Evidence.NONE,
        is_provisional=False,
        last_sent_at=locked.now,
        next_attempt_at=next_look(0, now=locked.now),
    )
    if session.resolution == Resolution.NOT_CREATED:
        locked.change(session, "session.reopened", resolution="", resolved_at=None)
    movement = movements.movement_of(call)
    if movement is not None and movement.is_provisional:
        locked.totals_changed = True
        locked.change(
            movement,
            f"{movement._meta.model_name}.indeterminate",
            status=MovementStatus.INDETERMINATE,
            evidence=Evidence.NONE,
            is_provisional=False,
        )


def _merge_shown(
    locked: LockedCollection, session: PaymentSession, outcome: Outcome, evidence: Evidence
) -> None:
    if outcome.payment is not None:
        merge_payment(locked, session, outcome.payment, evidence=evidence)
    if outcome.refund is not None:
        merge_refund_of(locked, session, outcome.refund, evidence=evidence)


def _settle_initiate(
    locked: LockedCollection,
    session: PaymentSession,
    call: ProviderCall,
    outcome: Outcome,
    evidence: Evidence,
) -> None:
    _merge_shown(locked, session, outcome, evidence)
    if isinstance(outcome, Succeeded):
        _accept_initiate(locked, session, call, outcome, evidence)
    elif isinstance(outcome, Failed):
        _refuse_initiate(locked, session, call, outcome, evidence)
    elif not session.has_money:
        set_aside(locked, session, call)
    elif call.is_unresolved:
        movements.finish_call(locked, call, CallState.SUCCEEDED, evidence=Evidence.WEBHOOK)


def _accept_initiate(
    locked: LockedCollection,
    session: PaymentSession,
    call: ProviderCall,
    outcome: Succeeded,
    evidence: Evidence,
) -> None:
    movements.finish_call(locked, call, CallState.SUCCEEDED, evidence=evidence)
    if session.is_live:
        if outcome.payment is None:
            locked.change(session, "session.answered", data={**session.data, **outcome.data})
        locked.tell("session_created", session=session)


def _refuse_initiate(
    locked: LockedCollection,
    session: PaymentSession,
    call: ProviderCall,
    outcome: Failed,
    evidence: Evidence,
) -> None:
    if session.has_money:  # a webhook has already proven the refusal wrong
        movements.finish_call(locked, call, CallState.SUCCEEDED, evidence=Evidence.WEBHOOK)
        return
    movements.finish_call(locked, call, CallState.FAILED, evidence=evidence)
    locked.change(
        session,
        "session.failed",
        status=SessionStatus.ERROR,
        failure_code=(outcome.decline_code or outcome.code or outcome.kind.value)[:100],
    )
    if session.is_live:
        locked.tell("payment_failed", session=session)


def _settle_update(
    locked: LockedCollection,
    session: PaymentSession,
    call: ProviderCall,
    outcome: Outcome,
    evidence: Evidence,
) -> None:
    if isinstance(outcome, Succeeded):
        update_records.accept_update(locked, session, call, evidence=evidence)
    _merge_shown(locked, session, outcome, evidence)
    if isinstance(outcome, Failed) and not _needs_lookup(outcome):
        if call.is_unresolved:
            update_records.refuse_update(locked, session, call, evidence=evidence)
    elif not isinstance(outcome, Succeeded):
        leave_open(locked, session, call)


def _settle_capture(
    locked: LockedCollection,
    session: PaymentSession,
    call: ProviderCall,
    outcome: Outcome,
    evidence: Evidence,
) -> None:
    capture = (
        Capture.objects.using(database_alias()).select_related("payment").get(pk=call.capture_id)
    )
    capture.payment.payment_session = session
    if isinstance(outcome, Succeeded) and outcome.payment is None:
        _take(locked, session, capture.amount_minor, evidence)
        movements.succeed_capture(locked, capture, evidence=evidence)
        return
    _merge_shown(locked, session, outcome, evidence)
    if isinstance(outcome, Succeeded) and outcome.payment and outcome.payment.captured_minor:
        # Its own capture first; what else was taken is told apart afterwards.
        movements.succeed_capture(locked, capture, evidence=evidence)
    elif isinstance(outcome, Failed) and not _needs_lookup(outcome):
        if call.is_unresolved:
            movements.fail_movement(locked, capture, evidence=evidence)
    else:
        leave_open(locked, session, call, capture)


def _take(
    locked: LockedCollection, session: PaymentSession, amount_minor: int, evidence: Evidence
) -> None:
    """A provider that shows nothing of its object: the answer to our call is the fact."""
    held = max(0, session.held_minor - amount_minor)
    locked.change(
        session,
        "session.captured",
        captured_minor=session.captured_minor + amount_minor,
        held_minor=held,
        provider_state=ProviderState.HELD if held else ProviderState.CAPTURED,
        evidence=evidence,
    )


def _settle_refund(
    locked: LockedCollection,
    session: PaymentSession,
    call: ProviderCall,
    outcome: Outcome,
    evidence: Evidence,
) -> None:
    refund = Refund.objects.using(database_alias()).select_related("payment").get(pk=call.refund_id)
    refund.payment.payment_session = session
    if isinstance(outcome, Succeeded) and outcome.refund is None:
        refund_records.accept_refund(locked, refund, evidence=evidence)
        return
    _merge_shown(locked, session, outcome, evidence)
    refund.refresh_from_db()
    if isinstance(outcome, Failed) and not _needs_lookup(outcome):
        if call.is_unresolved:
            movements.fail_movement(locked, refund, evidence=evidence)
    elif not isinstance(outcome, Succeeded):
        leave_open(locked, session, call, refund)


def _settle_cancel(
    locked: LockedCollection,
    session: PaymentSession,
    call: ProviderCall,
    outcome: Outcome,
    evidence: Evidence,
) -> None:
    if isinstance(outcome, Succeeded) and outcome.payment is None:
        locked.change(
            session,
            "session.canceled",
            provider_state=ProviderState.CANCELED,
            held_minor=0,
            evidence=evidence,
        )
        return
    _merge_shown(locked, session, outcome, evidence)
    if isinstance(outcome, Failed) and not _needs_lookup(outcome):
        if call.is_unresolved:
            movements.finish_call(locked, call, CallState.FAILED, evidence=evidence)
    elif not isinstance(outcome, Succeeded) or session.provider_state not in _CLOSED:
        leave_open(locked, session, call)


_CLOSED = (ProviderState.CANCELED, ProviderState.CAPTURED)


def _needs_lookup(outcome: Failed) -> bool:
    """This try did nothing, but an earlier one may have: the object's state says what is true."""
    return outcome.kind == FailureKind.WRONG_STATE


_SETTLE: dict[CallKind, Any] = {
    CallKind.INITIATE: _settle_initiate,
    CallKind.UPDATE: _settle_update,
    CallKind.CAPTURE: _settle_capture,
    CallKind.REFUND: _settle_refund,
    CallKind.CANCEL: _settle_cancel,
}
