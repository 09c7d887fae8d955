"""Recognising the same act: a person's second click must not move money twice (law 4)."""

from __future__ import annotations

from typing import Any, TypeVar

from medusa_payments.errors import Conflict, RequestKeyReused
from medusa_payments.models import Capture, Payment, ProviderCall, Refund
from medusa_payments.operations.calls import in_flight
from medusa_payments.operations.database import database_alias
from medusa_payments.operations.locking import LockedCollection
from medusa_payments.providers.types import NOT_REACHED
from medusa_payments.statuses import MovementStatus

MovementType = TypeVar("MovementType", Capture, Refund)


def movement_of_same_act(
    locked: LockedCollection,
    model: type[MovementType],
    payment: Payment,
    *,
    amount_minor: int,
    request_key: str,
    **details: Any,
) -> MovementType | None:
    """The movement that this act already made, to be taken up again.

    The same key is the same act for ever. Without one, or under another, an equal act (same
    payment and amount) whose outcome is uncertain and that nobody is asking right now is taken up
    too. ``details`` are further columns that one key cannot name twice with other values.

    :raises RequestKeyReused: the key was used with other arguments.
    :raises Conflict: the act with this key is being asked right now.
    """
    found: Any = model._default_manager.using(database_alias()).filter(payment=payment)
    rows: list[MovementType] = list(found)
    for movement in rows:
        movement.payment = payment
    for movement in rows:
        if request_key and movement.was_asked_as(request_key):
            if not _never_reached(locked, movement):
                is_own = movement.request_key == request_key
                asked = {"amount_minor": amount_minor, **(details if is_own else {})}
                return _same_key(locked, movement, asked)
            _free_key(locked, movement, request_key)
    return _uncertain_equal(locked, rows, amount_minor=amount_minor, request_key=request_key)


def _uncertain_equal(
    locked: LockedCollection, rows: list[MovementType], *, amount_minor: int, request_key: str
) -> MovementType | None:
    for movement in rows:
        call = locked.call_of(movement)
        if movement.amount_minor != amount_minor or call is None or call.is_final:
            continue
        if not in_flight(call, now=locked.now):
            _remember_key(locked, movement, request_key)
            return movement
    return None


def _same_key(
    locked: LockedCollection, movement: MovementType, asked: dict[str, Any]
) -> MovementType:
    if any(getattr(movement, name) != value for name, value in asked.items()):
        raise RequestKeyReused
    call = locked.call_of(movement)
    if call is not None and in_flight(call, now=locked.now):
        raise Conflict
    return movement


def _never_reached(locked: LockedCollection, movement: Capture | Refund) -> bool:
    """It failed because the provider could not be asked: the same request may try again."""
    call = locked.call_of(movement)
    return (
        movement.status == MovementStatus.FAILED
        and call is not None
        and call.failure_kind in NOT_REACHED
    )


def _free_key(locked: LockedCollection, movement: Capture | Refund, request_key: str) -> None:
    others = [key for key in movement.other_request_keys if key != request_key]
    own = f"freed:{movement.pk}" if movement.request_key == request_key else movement.request_key
    locked.change(movement, "movement.key_freed", request_key=own, other_request_keys=others)


def _remember_key(locked: LockedCollection, movement: Capture | Refund, request_key: str) -> None:
    """The key that took the act up names it from now on: its own answer may be lost too."""
    if request_key:
        keys = [*movement.other_request_keys, request_key]
        locked.change(movement, "movement.taken_up", other_request_keys=keys)


def call_to_take_up(locked: LockedCollection, movement: Capture | Refund) -> ProviderCall | None:
    """The movement's call, when its outcome is still to be found out."""
    call = locked.call_of(movement)
    return call if call is not None and call.is_unresolved else None
