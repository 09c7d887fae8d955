"""One act about an account holder: written and performed, or taken up where it was left."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from medusa_payments.errors import (
    AccountHolderIndeterminate,
    AccountHolderRefused,
    Conflict,
    InvalidData,
    NotAllowed,
    PaymentProviderUnavailable,
)
from medusa_payments.models import AccountHolder, AccountHolderCall
from medusa_payments.operations.actors import Actor
from medusa_payments.operations.calls import digest, in_flight, lease_seconds
from medusa_payments.operations.database import database_alias, refuse_open_transaction
from medusa_payments.operations.holder_locking import LockedHolder, under_holder_lock
from medusa_payments.operations.holder_performing import advance, perform
from medusa_payments.providers.registry import get_provider
from medusa_payments.providers.types import NOT_REACHED, Json
from medusa_payments.redaction import redact
from medusa_payments.statuses import AccountHolderCallKind, AccountHolderState, CallState

# How long a second request waits for the first one's answer, and how often it looks.
_PATIENCE_SECONDS = 5.0
_PAUSE_SECONDS = 0.1


@dataclass(frozen=True)
class _Turn:
    """Whose turn it is: a call just written for us, or one that somebody left or is asking."""

    call: AccountHolderCall
    is_new: bool = False
    is_busy: bool = False


def act_upon(
    holder: AccountHolder,
    kind: AccountHolderCallKind,
    arguments: dict[str, Any],
    *,
    actor: Actor,
) -> Json:
    """Ask the provider for something, once an earlier call of unknown outcome is resolved.

    One call about a holder is unresolved at a time, so that a late one cannot undo a newer one;
    the same act again is the same call. Returns the provider's answer, which is not stored.

    :raises AccountHolderIndeterminate: what became of it, or of the earlier one, is not known yet.
    :raises AccountHolderRefused: the provider said no.
    :raises PaymentProviderUnavailable: it was not reached.
    :raises NotAllowed: the provider does not know the holder, or it is deleted.
    :raises Conflict: another request is still asking.
    :raises InvalidData: the arguments hold a secret or card data.
    """
    refuse_open_transaction()
    _refuse_secrets(arguments)
    patience_ends = time.monotonic() + _PATIENCE_SECONDS
    while True:
        turn = _take_turn(holder, kind, arguments, actor=actor)
        if turn is None:
            return {}
        if turn.is_new:
            return result_of(turn.call, perform(turn.call, actor=actor))
        if turn.is_busy:
            _wait(patience_ends)
            continue
        answer = advance(turn.call, actor=actor)
        turn.call.refresh_from_db(using=database_alias())
        if turn.call.is_unresolved or _is_same(turn.call, kind, arguments):
            return result_of(turn.call, answer)


def result_of(call: AccountHolderCall, answer: Json) -> Json:
    """The answer, or the error that tells how the call ended. ``call`` is as recorded."""
    if call.state == CallState.SUCCEEDED:
        return answer
    if call.is_unresolved:
        raise AccountHolderIndeterminate(account_holder_id=call.account_holder_id)
    if call.failure_kind in NOT_REACHED:
        raise PaymentProviderUnavailable
    raise AccountHolderRefused(account_holder_id=call.account_holder_id)


def _refuse_secrets(arguments: dict[str, Any]) -> None:
    """What is sent again must be stored, and secrets are not."""
    if redact(arguments) != arguments:
        raise InvalidData(
            "Secrets and card data may not be sent through the shop; the buyer's browser hands"
            " them to the payment provider itself."
        )


def _take_turn(
    holder: AccountHolder,
    kind: AccountHolderCallKind,
    arguments: dict[str, Any],
    *,
    actor: Actor,
) -> _Turn | None:
    """None: there is nothing left to do."""

    def work(locked: LockedHolder) -> _Turn | None:
        if unresolved := locked.unresolved_calls():
            first = unresolved[0]
            return _Turn(first, is_busy=in_flight(first, now=locked.now))
        if kind == AccountHolderCallKind.CREATE:
            is_wanted = locked.holder.deleted is None
            if not is_wanted or locked.holder.state != AccountHolderState.FAILED:
                return None
            locked.change(locked.holder, "holder.requested", state=AccountHolderState.REQUESTED)
        elif locked.holder.state != AccountHolderState.ACTIVE:
            raise NotAllowed(f"Account holder {locked.holder.pk} is {locked.holder.state}.")
        return _Turn(_write(locked, kind, arguments), is_new=True)

    return under_holder_lock(holder.pk, work, actor=actor)


def _write(
    locked: LockedHolder, kind: AccountHolderCallKind, arguments: dict[str, Any]
) -> AccountHolderCall:
    lease = lease_seconds(get_provider(locked.holder.provider_id))
    return locked.write_call(kind, arguments=arguments, leased_for=lease)


def _wait(patience_ends: float) -> None:
    if time.monotonic() > patience_ends:
        raise Conflict
    time.sleep(_PAUSE_SECONDS)


def _is_same(
    call: AccountHolderCall, kind: AccountHolderCallKind, arguments: dict[str, Any]
) -> bool:
    return call.kind == kind and call.arguments_digest == digest(arguments)
