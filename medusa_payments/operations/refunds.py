"""Giving captured money back to the customer."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from medusa_payments.errors import (
    PaymentProviderUnavailable,
    RefundExceedsRefundable,
    RefundRefused,
)
from medusa_payments.ids import new_id
from medusa_payments.models import Payment, ProviderCall, Refund, RefundReason
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
from medusa_payments.statuses import CallKind, MovementStatus


@dataclass(frozen=True)
class _Wanted:
    amount_minor: int
    request_key: str
    reason: RefundReason | None
    note: str | None
    is_default_amount: bool


@dataclass(frozen=True)
class _Prepared:
    refund: Refund
    call: ProviderCall | None
    is_new: bool = False


def refund_payment(
    payment: Payment,
    *,
    amount: Decimal | None = None,
    reason: RefundReason | None = None,
    note: str | None = None,
    request_key: str = "",
    actor: Actor = SYSTEM,
) -> Refund:
    """Refund ``amount`` (major units; default: the payment's whole amount).

    The refund and its provider call are committed before the provider is asked, so that a crash
    or a lost answer leaves rows that reconciliation finishes. While the outcome is not known the
    status is ``indeterminate`` and the amount stays reserved.

    :raises RefundExceedsRefundable: more than was captured and is not refunded, reserved or
        disputed.
    :raises RefundRefused: the provider said no; nothing was given back.
    :raises PaymentProviderUnavailable: the provider cannot be reached; nothing was given back.
    :raises Conflict: the same act is being asked right now, or its key was used for another.
    """
    refuse_open_transaction()
    wanted = _Wanted(
        payment.amount_minor if amount is None else to_minor(amount, payment.currency_code),
        request_key,
        reason,
        note,
        is_default_amount=amount is None,
    )
    prepared = _prepare(payment, wanted, actor=actor)
    if prepared.call is not None:
        perform_or_take_up(prepared.call, is_new=prepared.is_new, actor=actor)
    return _result(prepared.refund)


def _prepare(payment: Payment, wanted: _Wanted, *, actor: Actor) -> _Prepared:
    def work(locked: LockedCollection) -> _Prepared:
        current = locked_payment(locked, payment)
        same = movement_of_same_act(
            locked,
            Refund,
            current,
            amount_minor=wanted.amount_minor,
            request_key=wanted.request_key,
            refund_reason_id=wanted.reason.pk if wanted.reason else None,
            note=wanted.note,
        )
        if same is not None:
            return _Prepared(same, call_to_take_up(locked, same))
        _check_amount(current, wanted)
        return _write(locked, current, wanted)

    return under_lock(payment.payment_collection_id, work, actor=actor)


def _check_amount(payment: Payment, wanted: _Wanted) -> None:
    if wanted.amount_minor > payment_totals(payment).refundable_minor:
        raise RefundExceedsRefundable(
            "You cannot refund more than what is captured on the payment."
            if wanted.is_default_amount
            else None
        )
    get_provider(payment.provider_id).check_amount(wanted.amount_minor, payment.currency_code)


def _write(locked: LockedCollection, payment: Payment, wanted: _Wanted) -> _Prepared:
    locked.totals_changed = True
    refund: Refund = locked.add(
        Refund(
            payment=payment,
            amount_minor=wanted.amount_minor,
            request_key=wanted.request_key or new_id("act"),
            refund_reason=wanted.reason,
            note=wanted.note,
            created_by=locked.actor.created_by,
        ),
        "refund.requested",
    )
    call = write_call(
        locked,
        CallKind.REFUND,
        payment.payment_session,
        arguments={
            "reference": payment.payment_session.provider_reference,
            "amount_minor": wanted.amount_minor,
            "currency_code": payment.currency_code,
        },
        about=refund,
        leased_for=lease_seconds(get_provider(payment.provider_id)),
    )
    return _Prepared(refund, call, is_new=True)


def _result(refund: Refund) -> Refund:
    refund = reload(refund)
    if refund.status != MovementStatus.FAILED:
        return refund
    if was_unavailable(refund):
        raise PaymentProviderUnavailable
    raise RefundRefused(refund_id=refund.pk)
