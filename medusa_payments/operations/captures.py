"""Taking held money, whole or in part."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from medusa_payments.errors import (
    CaptureExceedsCapturable,
    CaptureRefused,
    NotAllowed,
    PaymentCanceled,
    PaymentProviderUnavailable,
)
from medusa_payments.ids import new_id
from medusa_payments.models import Capture, Payment, ProviderCall
from medusa_payments.money import to_minor
from medusa_payments.operations.actors import SYSTEM, Actor
from medusa_payments.operations.calls import lease_seconds, write_call
from medusa_payments.operations.database import refuse_open_transaction
from medusa_payments.operations.locking import LockedCollection, under_lock
from medusa_payments.operations.payments import locked_payment, reload, was_unavailable
from medusa_payments.operations.performing import perform_or_take_up
from medusa_payments.operations.same_act import call_to_take_up, movement_of_same_act
from medusa_payments.operations.totals import payment_totals
from medusa_payments.providers.registry import get_provider
from medusa_payments.statuses import CallKind, MovementStatus, ProviderState


@dataclass(frozen=True)
class _Prepared:
    capture: Capture | None
    call: ProviderCall | None = None
    is_new: bool = False


def capture_payment(
    payment: Payment,
    *,
    amount: Decimal | None = None,
    request_key: str = "",
    actor: Actor = SYSTEM,
) -> Capture | None:
    """Capture ``amount`` (major units; default: the payment's whole amount, but never more than
    the session asked for).

    Returns the capture; its status is ``indeterminate`` while the outcome is not known, and then
    the amount stays reserved until reconciliation resolves it. None: it was fully captured before.

    :raises PaymentCanceled: the payment was canceled.
    :raises CaptureExceedsCapturable: more than is left to capture.
    :raises CaptureRefused: the provider said no; nothing was taken.
    :raises PaymentProviderUnavailable: the provider cannot be reached; nothing was taken.
    :raises Conflict: the same act is being asked right now, or its key was used for another.
    """
    refuse_open_transaction()
    amount_minor = _whole(payment) if amount is None else to_minor(amount, payment.currency_code)
    prepared = _prepare(payment, amount_minor=amount_minor, request_key=request_key, actor=actor)
    if prepared.capture is None:
        return None
    if prepared.call is not None:
        perform_or_take_up(prepared.call, is_new=prepared.is_new, actor=actor)
    return _result(prepared.capture)


def _whole(payment: Payment) -> int:
    """More may be held than was asked for; that much was not agreed."""
    asked: int = payment.payment_session.amount_minor
    held: int = payment.amount_minor
    return min(held, asked)


def _prepare(payment: Payment, *, amount_minor: int, request_key: str, actor: Actor) -> _Prepared:
    def work(locked: LockedCollection) -> _Prepared:
        current = locked_payment(locked, payment)
        same = movement_of_same_act(
            locked, Capture, current, amount_minor=amount_minor, request_key=request_key
        )
        if same is not None:
            return _Prepared(same, call_to_take_up(locked, same))
        if current.is_canceled:
            raise PaymentCanceled(payment_id=current.pk)
        # Captured while this request waited for the lock is no repetition, but too much.
        if current.is_captured and payment.is_captured:
            return _Prepared(None)
        _check_amount(locked, current, amount_minor)
        return _write(locked, current, amount_minor, request_key)

    return under_lock(payment.payment_collection_id, work, actor=actor)


def _check_amount(locked: LockedCollection, payment: Payment, amount_minor: int) -> None:
    session = payment.payment_session
    if not session.counts_for_collection:
        raise NotAllowed(
            f"Payment {payment.pk} is under a deleted payment session; its money goes back."
        )
    if locked.collection.canceled_at is not None:
        raise NotAllowed(f"The payment collection of payment {payment.pk} was canceled.")
    reserved = payment_totals(payment).captures_reserved_minor
    if amount_minor > payment.amount_minor - reserved:
        raise CaptureExceedsCapturable
    limit = get_provider(payment.provider_id).capabilities.captures_per_authorization
    if session.provider_state != ProviderState.HELD or (limit == 1 and reserved):
        raise NotAllowed(
            f"Nothing is left to capture of payment {payment.pk}: the provider takes one capture"
            " per authorization and releases the rest."
        )
    if any(
        call.kind == CallKind.CANCEL and call.is_unresolved for call in locked.calls_of(session)
    ):
        raise NotAllowed(f"Payment {payment.pk} is being canceled; the outcome is not known yet.")
    get_provider(payment.provider_id).check_amount(amount_minor, payment.currency_code)


def _write(
    locked: LockedCollection, payment: Payment, amount_minor: int, request_key: str
) -> _Prepared:
    locked.totals_changed = True
    capture: Capture = locked.add(
        Capture(
            payment=payment,
            amount_minor=amount_minor,
            request_key=request_key or new_id("act"),
            created_by=locked.actor.created_by,
        ),
        "capture.requested",
    )
    call = write_call(
        locked,
        CallKind.CAPTURE,
        payment.payment_session,
        arguments={
            "reference": payment.payment_session.provider_reference,
            "amount_minor": amount_minor,
            "currency_code": payment.currency_code,
        },
        about=capture,
        leased_for=lease_seconds(get_provider(payment.provider_id)),
    )
    return _Prepared(capture, call, is_new=True)


def _result(capture: Capture) -> Capture:
    capture = reload(capture)
    if capture.status != MovementStatus.FAILED:
        return capture
    if was_unavailable(capture):
        raise PaymentProviderUnavailable
    raise CaptureRefused(capture_id=capture.pk)
