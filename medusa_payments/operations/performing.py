"""Doing what the record demands: ask or look up, record, then whatever that demands in turn."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from medusa_payments.models import ProviderCall
from medusa_payments.operations.actors import Actor
from medusa_payments.operations.asking import ask
from medusa_payments.operations.automation import holds_back, wait_for_resume
from medusa_payments.operations.calls import claim, lease_seconds, renew
from medusa_payments.operations.findings import (
    Look,
    record_abandoned,
    record_lookup,
)
from medusa_payments.operations.live_beside import see_live_beside
from medusa_payments.operations.lookups import look_up
from medusa_payments.operations.outcomes import record_outcome
from medusa_payments.operations.recording import Recorded
from medusa_payments.operations.requests import send
from medusa_payments.operations.telling import tell_shop
from medusa_payments.providers.registry import get_provider
from medusa_payments.statuses import CallKind, CallState, Evidence

# More steps than any chain of undoing needs; what is left over is found by the sweep.
_MAX_STEPS = 20


def perform(call: ProviderCall, *, actor: Actor, data: dict[str, Any] | None = None) -> bool:
    """Ask the provider for a call that its caller has just written and leased.

    False: the lease was lost before anything was sent; whoever took it over finishes the call.
    Afterwards ``call.payment_session`` is as the record left it.

    If the answer is lost, look once: most lost answers are found again within the request. An
    initiate is not looked for: its session is set aside and the buyer answered first.
    """
    if not renew(call, lease=lease_seconds(get_provider(call.provider_id))):
        return False
    recorded = _ask(call, actor=actor, data=data)
    if recorded.demanded:
        perform_demanded(recorded.demanded, actor=actor)
        call.refresh_from_db()
    if call.kind != CallKind.INITIATE and _is_unresolved(call):
        look(call, actor=actor, may_send=False)
    return True


def perform_or_take_up(call: ProviderCall, *, is_new: bool, actor: Actor) -> None:
    """Perform a call just written, or find out what became of the same act's earlier one."""
    if is_new:
        perform(call, actor=actor)
    else:
        look(call, actor=actor, may_send=True)


def perform_demanded(calls: Iterable[ProviderCall], *, actor: Actor) -> None:
    """Perform calls that a record demanded, and what their records demand."""
    waiting = deque(calls)
    for _ in range(_MAX_STEPS):
        if not waiting:
            return
        waiting.extend(advance(waiting.popleft(), actor=actor))


def advance(
    call: ProviderCall,
    *,
    actor: Actor,
    may_send: bool = True,
    ignores_schedule: bool = False,
) -> tuple[ProviderCall, ...]:
    """One step for any call, in whatever state it is; safe to call at any time, from anywhere.

    A call that was never sent is sent. Any other is looked up first, and sent again only if that
    shows it undone. Returns what the record then demands.
    """
    call = ProviderCall.objects.get(pk=call.pk)
    if call.was_never_sent:
        return _send_first(call, actor=actor, ignores_schedule=ignores_schedule)
    lease = lease_seconds(get_provider(call.provider_id))
    if not claim(call, lease=lease, will_send=False, whatever_the_lease_said=ignores_schedule):
        return ()
    if call.kind == CallKind.INITIATE and call.state == CallState.OPEN:
        tell_shop(record_abandoned(call, actor=actor).carrier)
    recorded = _look(call, actor, Look(0, may_send, ignores_schedule), claimed=True)
    if not recorded.send_again:
        return recorded.demanded
    return (*recorded.demanded, *resend(call, actor=actor))


def send_first(
    call: ProviderCall, *, actor: Actor, ignores_schedule: bool = False
) -> tuple[ProviderCall, ...]:
    """Send a call that was never sent, unless somebody else has done it meanwhile.

    Returns what its record demands.
    """
    call = ProviderCall.objects.get(pk=call.pk)
    if not call.was_never_sent:
        return ()
    return _send_first(call, actor=actor, ignores_schedule=ignores_schedule)


def _send_first(
    call: ProviderCall, *, actor: Actor, ignores_schedule: bool
) -> tuple[ProviderCall, ...]:
    if holds_back(actor, call.provider_id):
        wait_for_resume(call)
        return ()
    lease = lease_seconds(get_provider(call.provider_id))
    if not claim(call, lease=lease, will_send=True, whatever_the_lease_said=ignores_schedule):
        return ()
    recorded = _ask(call, actor=actor)
    if _is_unresolved(call):
        return (*recorded.demanded, *_look(call, actor, Look(0, may_send=False)).demanded)
    return recorded.demanded


def resend(call: ProviderCall, *, actor: Actor) -> tuple[ProviderCall, ...]:
    """Send a call again that a lookup has just shown undone; returns what its record demands.

    Not if somebody else has taken it over since that lookup, or all is stopped meanwhile.
    """
    lease_token = call.lease_token
    call.refresh_from_db()
    if call.lease_token != lease_token:
        return ()
    if holds_back(actor, call.provider_id):
        wait_for_resume(call)
        return ()
    lease = lease_seconds(get_provider(call.provider_id))
    is_new_key = call.first_sent_at is None
    if not call.is_unresolved or not claim(call, lease=lease, will_send=True):
        return ()
    return _ask(call, actor=actor, sent_before=not is_new_key).demanded


def look(call: ProviderCall, *, actor: Actor, may_send: bool) -> None:
    """Look up a call now, and perform what that demands."""
    perform_demanded(advance(call, actor=actor, may_send=may_send), actor=actor)


def _ask(
    call: ProviderCall,
    *,
    actor: Actor,
    data: dict[str, Any] | None = None,
    sent_before: bool = False,
) -> Recorded:
    provider = get_provider(call.provider_id)
    known = dict(call.payment_session.data) if data is None else data
    outcome = ask(call, provider, lambda: send(call, provider, known), sent_before=sent_before)
    recorded = record_outcome(call, outcome, evidence=Evidence.RESPONSE, actor=actor)
    if isinstance(recorded.carrier, ProviderCall):
        call.payment_session = recorded.carrier.payment_session
    tell_shop(recorded.carrier)
    return recorded


def _look(call: ProviderCall, actor: Actor, look: Look, *, claimed: bool = False) -> Recorded:
    if not claimed:
        call.refresh_from_db()
        if not claim(call, lease=lease_seconds(get_provider(call.provider_id)), will_send=False):
            return Recorded()
    live_was_seen, demanded = see_live_beside(call.payment_session, actor=actor)
    started = time.monotonic()
    result = look_up(call.payment_session, call=call)
    seconds = time.monotonic() - started
    look = replace(look, seconds_ago=seconds, live_was_seen=live_was_seen)
    recorded = record_lookup(call, result, look=look, actor=actor)
    tell_shop(recorded.carrier)
    return replace(recorded, demanded=(*demanded, *recorded.demanded))


def _is_unresolved(call: ProviderCall) -> bool:
    call.refresh_from_db()
    return call.is_unresolved
