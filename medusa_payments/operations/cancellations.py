"""Releasing held money before it is captured."""

from __future__ import annotations

from medusa_payments.errors import (
    CancelRefused,
    Conflict,
    NotAllowed,
    PaymentProviderUnavailable,
)
from medusa_payments.models import Payment, ProviderCall
from medusa_payments.operations.actors import SYSTEM, Actor
from medusa_payments.operations.calls import in_flight, lease_seconds, write_call
from medusa_payments.operations.database import database_alias, refuse_open_transaction
from medusa_payments.operations.locking import LockedCollection, under_lock
from medusa_payments.operations.payments import locked_payment
from medusa_payments.operations.performing import perform_or_take_up
from medusa_payments.providers.registry import get_provider
from medusa_payments.providers.types import NOT_REACHED
from medusa_payments.statuses import CallKind, CallState


def cancel_payment(payment: Payment, *, actor: Actor = SYSTEM) -> Payment:
    """Cancel an authorized payment; a second time does nothing.

    While the outcome is not known ``payment.canceled_at`` stays empty and the call unresolved.

    :raises NotAllowed: it was captured, or a capture is not resolved yet.
    :raises CancelRefused: the provider said no; the payment is as it was.
    :raises PaymentProviderUnavailable: the provider cannot be reached; nothing was changed.
    :raises Conflict: it is being canceled right now.
    """
    refuse_open_transaction()
    call, is_new = _prepare(payment, actor=actor)
    if call is not None:
        perform_or_take_up(call, is_new=is_new, actor=actor)
    return _result(payment, call)


def _prepare(payment: Payment, *, actor: Actor) -> tuple[ProviderCall | None, bool]:
    def work(locked: LockedCollection) -> tuple[ProviderCall | None, bool]:
        current = locked_payment(locked, payment)
        if current.is_canceled:
            return None, False
        for call in locked.calls_of(current.payment_session):
            if call.kind == CallKind.CANCEL and call.is_unresolved:
                if in_flight(call, now=locked.now):
                    raise Conflict
                return call, False
        _refuse_unless_cancelable(locked, current)
        return _write(locked, current), True

    return under_lock(payment.payment_collection_id, work, actor=actor)


def _refuse_unless_cancelable(locked: LockedCollection, payment: Payment) -> None:
    session = payment.payment_session
    if session.captured_minor:
        raise NotAllowed(f"Payment {payment.pk} was captured; refund it instead.")
    for call in locked.calls_of(session):
        if call.kind == CallKind.CAPTURE and call.is_unresolved:
            raise NotAllowed(
                f"A capture of payment {payment.pk} is not resolved yet, so it cannot be canceled."
            )


def _write(locked: LockedCollection, payment: Payment) -> ProviderCall:
    return write_call(
        locked,
        CallKind.CANCEL,
        payment.payment_session,
        arguments={"reference": payment.payment_session.provider_reference},
        about=payment,
        leased_for=lease_seconds(get_provider(payment.provider_id)),
    )


def _result(payment: Payment, call: ProviderCall | None) -> Payment:
    payment = Payment.objects.using(database_alias()).get(pk=payment.pk)
    if call is None:
        return payment
    call.refresh_from_db()
    if call.state != CallState.FAILED:
        return payment
    if call.failure_kind in NOT_REACHED:
        raise PaymentProviderUnavailable
    raise CancelRefused(payment_id=payment.pk)
