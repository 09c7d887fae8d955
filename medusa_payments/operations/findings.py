"""Recording what a lookup found, and what to do about a call that it shows undone.

The table is DESIGN's "What resolves what". A state that a provider shows is believed at once;
that something is not in a listing is believed only after the horizon, and stays provisional.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from medusa_payments import settings
from medusa_payments.models import PaymentSession, ProviderCall, Refund
from medusa_payments.operations import movements
from medusa_payments.operations.actors import Actor
from medusa_payments.operations.automation import holds_back
from medusa_payments.operations.call_keys import (
    is_past_horizon,
    key_works,
    last_kind,
    was_refused,
)
from medusa_payments.operations.conclusions import conclude
from medusa_payments.operations.database import database_alias
from medusa_payments.operations.discrepancies import open_discrepancy
from medusa_payments.operations.dispute_records import merge_dispute
from medusa_payments.operations.integrity import believed_reading
from medusa_payments.operations.locking import LockedCollection, under_lock
from medusa_payments.operations.merging import merge_payment
from medusa_payments.operations.recording import (
    Recorded,
    finish,
    leave_open,
    merge_refund_of,
)
from medusa_payments.operations.schedule import believable_from, is_exhausted, next_look
from medusa_payments.operations.setting_aside import set_aside
from medusa_payments.operations.unseen_refunds import overturn_unseen_refunds
from medusa_payments.providers.registry import get_provider
from medusa_payments.providers.types import (
    FailureKind,
    Found,
    LookupResult,
    NotFound,
    ProviderPayment,
)
from medusa_payments.statuses import (
    CallKind,
    CallState,
    DiscrepancyKind,
    Evidence,
    MovementStatus,
)


@dataclass(frozen=True)
class Look:
    """How a lookup is to be read."""

    seconds_ago: float  # since it was asked
    may_send: bool = True  # an undone call may be sent again now
    ignores_schedule: bool = False
    # Its collection's live session was read just before; None: nobody tried to.
    live_was_seen: bool | None = None


def record_lookup(
    call: ProviderCall, result: LookupResult, *, look: Look, actor: Actor
) -> Recorded:
    """Write down what a lookup found for a call whose lease the caller holds."""

    def work(locked: LockedCollection) -> Recorded:
        locked.ignores_schedule = look.ignores_schedule
        locked.live_was_seen = look.live_was_seen
        session = locked.session(call.payment_session_id)
        mine = next(each for each in locked.calls_of(session) if each.pk == call.pk)
        if mine.lease_token != call.lease_token:
            return Recorded()
        is_held_back = _is_sendable(mine) and holds_back(actor, mine.provider_id)
        looks = mine.looks if is_held_back else mine.looks + 1  # no try is spent on waiting
        locked.change(mine, "call.looked_up", leased_until=None, looks=looks)
        may_send = look.may_send and not is_held_back
        send_again = _read(locked, session, mine, result, replace(look, may_send=may_send))
        return finish(locked, mine, send_again=send_again)

    return under_lock(call.payment_collection_id, work, actor=actor, cause="lookup")


def _is_sendable(call: ProviderCall) -> bool:
    return call.is_unresolved and call.kind != CallKind.INITIATE


def record_sighting(session: PaymentSession, seen: ProviderPayment, *, actor: Actor) -> Recorded:
    """Write down what reading a session's object showed, outside the work on any one call."""

    def work(locked: LockedCollection) -> Recorded:
        row = locked.session(session.pk)
        if isinstance(believed_reading(locked, row, Found(payment=seen)), Found):
            _merge_found(locked, row, seen)
        initiate = locked.initiate_of(row)
        return finish(locked, initiate)

    return under_lock(session.payment_collection_id, work, actor=actor, cause="lookup")


def record_abandoned(call: ProviderCall, *, actor: Actor) -> Recorded:
    """Its process died while it asked: the buyer never got an answer, so law 5 holds."""

    def work(locked: LockedCollection) -> Recorded:
        session = locked.session(call.payment_session_id)
        mine = next(each for each in locked.calls_of(session) if each.pk == call.pk)
        is_abandoned = mine.lease_token == call.lease_token and mine.state == CallState.OPEN
        if is_abandoned and not session.has_money:
            set_aside(locked, session, mine)
        return finish(locked, mine)

    return under_lock(call.payment_collection_id, work, actor=actor, cause="abandoned")


def _read(
    locked: LockedCollection,
    session: PaymentSession,
    call: ProviderCall,
    result: LookupResult,
    look: Look,
) -> bool:
    """Returns whether the call may be sent again now."""
    result = believed_reading(locked, session, result)
    if isinstance(result, Found):
        _merge_found(locked, session, result.payment)
        for other in result.others:
            merge_payment(locked, session, other, evidence=Evidence.LOOKUP)
        if call.is_unresolved:
            return _decide(locked, session, call, result.payment, look)
        _rest(locked, call, session, look)
        return False
    if isinstance(result, NotFound):
        _conclude_not_found(locked, session, call, result, look)
    elif call.is_unresolved and _can_only_repeat(call):
        return look.may_send
    elif call.is_final:
        _ask_again(locked, call)
        return False
    _look_later(locked, session, call, look)
    return False


def _merge_found(locked: LockedCollection, session: PaymentSession, seen: ProviderPayment) -> None:
    merge_payment(locked, session, seen, evidence=Evidence.LOOKUP)
    for refund in seen.refunds or ():
        merge_refund_of(locked, session, refund, evidence=Evidence.LOOKUP)
    for dispute in seen.disputes or ():
        if payment := movements.payment_of(locked, session):
            merge_dispute(locked, payment, dispute, evidence=Evidence.LOOKUP)
    if seen.refunds is not None:
        overturn_unseen_refunds(locked, session)
    locked.needs_look.clear()
    conclude(locked, session, evidence=Evidence.LOOKUP, looked=seen.refunds is not None)


def _rest(
    locked: LockedCollection, call: ProviderCall, session: PaymentSession, look: Look
) -> None:
    """A finished call that was looked at as somebody's clock: rest, unless that goes on."""
    asked_at = locked.now - timedelta(seconds=look.seconds_ago)
    if call.next_attempt_at is None or call.next_attempt_at > asked_at:
        return  # nothing is due, or only since this look was asked
    when = None
    if _is_pending(call):
        when = locked.now + timedelta(seconds=settings.PENDING_INTERVAL)
    elif not session.is_live and not session.resolution:
        when = next_look(call.looks, now=locked.now)
    locked.change(call, "call.scheduled", next_attempt_at=when)


def _ask_again(locked: LockedCollection, call: ProviderCall) -> None:
    """Nothing was learned, so what the look was needed for is still owed."""
    if call.next_attempt_at is not None:
        when = next_look(call.looks, now=locked.now)
        locked.change(call, "call.scheduled", next_attempt_at=when)


def _is_pending(call: ProviderCall) -> bool:
    rows = Refund.objects.using(database_alias()).filter(status=MovementStatus.PENDING)
    return bool(call.refund_id) and rows.filter(pk=call.refund_id).exists()


def _decide(
    locked: LockedCollection,
    session: PaymentSession,
    call: ProviderCall,
    seen: ProviderPayment,
    look: Look,
) -> bool:
    """The provider shows that the call did not happen (yet)."""
    if call.kind == CallKind.REFUND:
        return _decide_refund(locked, session, call, seen, look)
    is_moot = call.kind == CallKind.UPDATE and not session.is_live
    if call.kind == CallKind.INITIATE or is_moot:
        _look_later(locked, session, call, look)
        return False
    if was_refused(call):
        _fail(locked, session, call, is_provisional=False)
        return False
    return _send_again(locked, session, call, look, may_renew=_is_harmless_twice(call))


def _is_harmless_twice(call: ProviderCall) -> bool:
    """Whether a second execution is refused, or changes nothing, should the first come late."""
    if call.kind in (CallKind.CANCEL, CallKind.UPDATE):
        return True
    return get_provider(call.provider_id).capabilities.captures_per_authorization == 1


def _decide_refund(
    locked: LockedCollection,
    session: PaymentSession,
    call: ProviderCall,
    seen: ProviderPayment,
    look: Look,
) -> bool:
    if seen.refunds is None:
        _look_later(locked, session, call, look)
        return False
    if last_kind(call) == FailureKind.WRONG_STATE.value:
        _fail(locked, session, call, is_provisional=False)
        return False
    is_believable = _is_believable(locked, call, look)
    if is_believable and (
        was_refused(call) or not (key_works(call, now=locked.now) or call.is_undoing)
    ):
        _fail(locked, session, call, is_provisional=True)
        return False
    return _send_again(locked, session, call, look, may_renew=is_believable and call.is_undoing)


def _send_again(
    locked: LockedCollection,
    session: PaymentSession,
    call: ProviderCall,
    look: Look,
    *,
    may_renew: bool,
) -> bool:
    """With the same key while it can still act; with the next generation's where that is safe."""
    if look.may_send and key_works(call, now=locked.now):
        return True
    if look.may_send and may_renew:
        locked.change(
            call,
            "call.renewed",
            generation=call.generation + 1,
            key_is_spent=False,
            first_sent_at=None,
        )
        return True
    _look_later(locked, session, call, look)
    return False


def _can_only_repeat(call: ProviderCall) -> bool:
    """A provider that cannot be asked, but for which the same key acts once."""
    capabilities = get_provider(call.provider_id).capabilities
    return (
        capabilities.repeats_with_key
        and not capabilities.can_look_up
        and call.kind != CallKind.INITIATE
    )


def _is_believable(locked: LockedCollection, call: ProviderCall, look: Look) -> bool:
    return is_past_horizon(call, now=locked.now - timedelta(seconds=look.seconds_ago))


def _conclude_not_found(
    locked: LockedCollection,
    session: PaymentSession,
    call: ProviderCall,
    result: NotFound,
    look: Look,
) -> None:
    if session.provider_reference:
        _report_missing(locked, session)
        return
    is_believable = not result.listed or _is_believable(locked, call, look)
    if call.kind == CallKind.INITIATE and call.is_unresolved and is_believable:
        movements.finish_call(
            locked, call, CallState.FAILED, evidence=Evidence.LOOKUP, is_provisional=True
        )
        conclude(locked, session, evidence=Evidence.LOOKUP, looked=False)


def _report_missing(locked: LockedCollection, session: PaymentSession) -> None:
    open_discrepancy(
        locked,
        DiscrepancyKind.MISSING,
        about=session.pk,
        detail=f"The provider says that {session.provider_reference} does not exist.",
        session=session,
        amount_minor=session.amount_minor,
    )


def _fail(
    locked: LockedCollection, session: PaymentSession, call: ProviderCall, *, is_provisional: bool
) -> None:
    movement = movements.movement_of(call)
    if movement is None:
        movements.finish_call(
            locked,
            call,
            CallState.FAILED,
            evidence=Evidence.LOOKUP,
            is_provisional=is_provisional,
        )
    else:
        movement.payment.payment_session = session
        movements.fail_movement(
            locked, movement, evidence=Evidence.LOOKUP, is_provisional=is_provisional
        )
    conclude(locked, session, evidence=Evidence.LOOKUP, looked=True)


def _look_later(
    locked: LockedCollection, session: PaymentSession, call: ProviderCall, look: Look
) -> None:
    if call.is_final:
        _rest(locked, call, session, look)
        return
    leave_open(locked, session, call, movements.movement_of(call))
    locked.change(call, "call.scheduled", next_attempt_at=_next_time(locked, call))
    if is_exhausted(call.looks):
        open_discrepancy(
            locked,
            DiscrepancyKind.UNRESOLVED,
            about=call.pk,
            detail=f"No answer to the {call.kind} after {call.looks} looks; looking goes on.",
            session=session,
            amount_minor=call.arguments.get("amount_minor"),
            provider_call=call,
        )


def _next_time(locked: LockedCollection, call: ProviderCall) -> datetime:
    """By the schedule, but no look whose "not there" would not be believed right after."""
    when = next_look(max(0, call.looks - 1), now=locked.now)
    if call.kind == CallKind.INITIATE and call.last_sent_at is not None:
        horizon = believable_from(call.last_sent_at)
        if locked.now < horizon < when:
            return horizon
    return when
