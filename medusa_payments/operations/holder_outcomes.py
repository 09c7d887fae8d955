"""Recording what is known of a call about an account holder. No other module writes it.

The rows hold ids and details of the shop's own; what a provider answers for a front end (such as a
SetupIntent's client_secret) is handed on in memory and never stored.
"""

from __future__ import annotations

from typing import Any

from medusa_payments.models import AccountHolderCall
from medusa_payments.operations.actors import Actor
from medusa_payments.operations.call_keys import is_past_horizon, key_works, was_refused_at_last
from medusa_payments.operations.calls import answered
from medusa_payments.operations.discrepancies import close_by_evidence, open_discrepancy
from medusa_payments.operations.holder_locking import LockedHolder, under_holder_lock
from medusa_payments.operations.holder_records import accept, follow_deletion, refuse
from medusa_payments.operations.schedule import is_exhausted, next_look
from medusa_payments.providers.registry import get_provider
from medusa_payments.providers.types import (
    NOT_REACHED,
    Failed,
    Json,
    KeptFound,
    KeptLookupResult,
    NoAnswer,
    NotFound,
    Outcome,
    Succeeded,
)
from medusa_payments.statuses import (
    AccountHolderCallKind,
    CallState,
    DiscrepancyKind,
    Evidence,
)

# What shows that it was done: the object is there, or it is gone.
_DONE_WHEN_GONE = (AccountHolderCallKind.DELETE, AccountHolderCallKind.DELETE_PAYMENT_METHOD)
# A second execution leaves the provider as the first one did.
_SAME_TWICE = (AccountHolderCallKind.UPDATE, *_DONE_WHEN_GONE)


def record_outcome(
    call: AccountHolderCall, outcome: Outcome, *, actor: Actor
) -> list[AccountHolderCall]:
    """Write down what a provider's answer means; returns the calls that this demands.

    Under a lease that was lost, a success is proof all the same, and no answer means that the
    request was sent later than whoever took over had reason to think.
    """

    def work(locked: LockedHolder) -> list[AccountHolderCall]:
        mine = locked.call(call.pk)
        is_ours = mine.lease_token == call.lease_token
        if is_ours:
            locked.change(mine, "call.answered", **answered(call, outcome))
        if isinstance(outcome, Succeeded):
            accept(locked, mine, outcome.data, evidence=Evidence.RESPONSE)
        elif is_ours and isinstance(outcome, Failed):
            _settle_refusal(locked, mine, outcome)
        elif is_ours and mine.is_unresolved:
            _leave_open(locked, mine)
        return _finish(locked, mine)

    cause = outcome.request_id[:255]
    return under_holder_lock(call.account_holder_id, work, actor=actor, cause=cause)


def record_lookup(
    call: AccountHolderCall, result: KeptLookupResult, *, may_send: bool, actor: Actor
) -> tuple[bool, list[AccountHolderCall]]:
    """Write down what a lookup found. Returns whether the call may be sent again now."""

    def work(locked: LockedHolder) -> tuple[bool, list[AccountHolderCall]]:
        mine = locked.call(call.pk)
        if mine.lease_token != call.lease_token:
            return False, []
        locked.change(mine, "call.looked_up", leased_until=None, looks=mine.looks + 1)
        send_again = mine.is_unresolved and _read(locked, mine, result, may_send=may_send)
        if mine.is_unresolved and not send_again:
            _leave_open(locked, mine)
        return send_again, _finish(locked, mine)

    return under_holder_lock(call.account_holder_id, work, actor=actor, cause="lookup")


def shown(result: KeptLookupResult) -> Json:
    """What a lookup tells the front end."""
    return result.objects[0].data if isinstance(result, KeptFound) else {}


def _settle_refusal(locked: LockedHolder, call: AccountHolderCall, outcome: Failed) -> None:
    if call.is_final:
        return
    was_not_reached = outcome.kind.value in NOT_REACHED
    if was_not_reached and call.kind == AccountHolderCallKind.DELETE:
        _leave_open(locked, call)  # the holder is hidden already, so the sweep tries again
    else:
        refuse(locked, call, evidence=Evidence.RESPONSE)


def _read(
    locked: LockedHolder, call: AccountHolderCall, result: KeptLookupResult, *, may_send: bool
) -> bool:
    """Returns whether the call did not happen and may be sent again."""
    if _shows_it_done(call, result):
        accept(locked, call, _facts(result), evidence=Evidence.LOOKUP)
        _report_duplicates(locked, call, result)
        return False
    if isinstance(result, NoAnswer):
        return may_send and _can_repeat_key(locked, call)
    is_believable = is_past_horizon(call, now=locked.now)
    if is_believable and was_refused_at_last(call):
        refuse(locked, call, evidence=Evidence.LOOKUP)
        return False
    return may_send and _can_repeat(locked, call, is_believable=is_believable)


def _can_repeat(locked: LockedHolder, call: AccountHolderCall, *, is_believable: bool) -> bool:
    """With the same key while it can still act; with the next generation's where that is safe."""
    if _can_repeat_key(locked, call):
        return True
    if not is_believable and call.kind not in _SAME_TWICE:
        return False
    # A customer too many would be no money, and is reported.
    locked.change(
        call,
        "call.renewed",
        generation=call.generation + 1,
        key_is_spent=False,
        first_sent_at=None,
    )
    return True


def _can_repeat_key(locked: LockedHolder, call: AccountHolderCall) -> bool:
    """Whether the same key can still make it happen, and only once."""
    capabilities = get_provider(call.provider_id).capabilities
    return capabilities.repeats_with_key and key_works(call, now=locked.now)


def _shows_it_done(call: AccountHolderCall, result: KeptLookupResult) -> bool:
    if call.kind in _DONE_WHEN_GONE:
        return isinstance(result, NotFound)
    return isinstance(result, KeptFound) and result.objects[0].is_as_asked


def _facts(result: KeptLookupResult) -> dict[str, Any]:
    if not isinstance(result, KeptFound):
        return {}
    return {**result.objects[0].data, "id": result.objects[0].reference}


def _report_duplicates(
    locked: LockedHolder, call: AccountHolderCall, result: KeptLookupResult
) -> None:
    if not isinstance(result, KeptFound) or len(result.objects) == 1:
        return
    first, *others = (each.reference for each in result.objects)
    open_discrepancy(
        locked,
        DiscrepancyKind.DUPLICATE,
        about=call.pk,
        detail=f"The provider made more than one object for this {call.kind}:"
        f" {', '.join(others)} beside {first}.",
        account_holder_call=call,
    )


def _leave_open(locked: LockedHolder, call: AccountHolderCall) -> None:
    locked.change(
        call,
        "call.indeterminate",
        state=CallState.INDETERMINATE,
        next_attempt_at=next_look(max(0, call.looks - 1), now=locked.now),
    )
    if is_exhausted(call.looks):
        open_discrepancy(
            locked,
            DiscrepancyKind.UNRESOLVED,
            about=call.pk,
            detail=f"No answer to the {call.kind} after {call.looks} looks; looking goes on.",
            account_holder_call=call,
        )


def _finish(locked: LockedHolder, call: AccountHolderCall) -> list[AccountHolderCall]:
    if call.is_final:
        close_by_evidence(
            locked,
            DiscrepancyKind.UNRESOLVED,
            about=call.pk,
            reason=f"The {call.kind} has {call.state}.",
        )
    follow_deletion(locked)
    locked.owe_signals(call)
    locked.flush()
    return locked.demanded
