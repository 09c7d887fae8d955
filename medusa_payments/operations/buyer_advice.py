"""What a buyer who waits for a payment should do: read from the record, asked of nobody.

Waiting and starting again are both safe: what an abandoned try took goes back by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from medusa_payments.models import PaymentSession, ProviderCall
from medusa_payments.operations.database import database_alias
from medusa_payments.statuses import (
    UNRESOLVED_CALLS,
    CallKind,
    CollectionStatus,
    Resolution,
    SessionStatus,
)


class BuyerAction(StrEnum):
    WAIT = "wait"  # and ask again after ``retry_after``
    TRY_AGAIN = "try_again"  # start a new payment session
    CONTINUE = "continue"  # do what the provider's form asks for
    NONE = "none"


@dataclass(frozen=True)
class Advice:
    """``is_final``: nothing about the session will change by itself any more."""

    action: BuyerAction
    message: str
    is_final: bool = False
    retry_after: int | None = None  # seconds


_BEING_STARTED = Advice(
    BuyerAction.WAIT, "The payment is being started. Please wait a moment.", retry_after=2
)
_BEING_UPDATED = Advice(
    BuyerAction.WAIT, "The amount of the payment is being changed. Please wait.", retry_after=2
)
_DECLINED = Advice(
    BuyerAction.CONTINUE,
    "The last try was declined, and nothing was taken. Please use another payment method.",
)
_PAID_OTHERWISE = Advice(
    BuyerAction.NONE,
    "This was paid with another try. Please do nothing: if this one took money too, it is given"
    " back automatically.",
)
_SET_ASIDE = Advice(
    BuyerAction.TRY_AGAIN,
    "We do not know yet whether this try took money. Please try again: if it did, it is given back"
    " automatically.",
)
_REPLACED = Advice(
    BuyerAction.TRY_AGAIN,
    "This try was replaced or closed. Please go on with a new one: if this one took money, it is"
    " given back automatically.",
)

_BY_STATUS = {
    SessionStatus.PENDING: Advice(BuyerAction.CONTINUE, "The payment is waiting for you."),
    SessionStatus.REQUIRES_MORE: Advice(
        BuyerAction.CONTINUE, "One more step is needed: please confirm the payment."
    ),
    SessionStatus.PENDING_AUTHORIZATION: Advice(
        BuyerAction.WAIT,
        "The payment is on its way. Please do not pay again; the result can take a while.",
        retry_after=30,
    ),
    SessionStatus.AUTHORIZED: Advice(BuyerAction.NONE, "The payment was received.", is_final=True),
    SessionStatus.CAPTURED: Advice(BuyerAction.NONE, "The payment was received.", is_final=True),
    SessionStatus.ERROR: Advice(
        BuyerAction.TRY_AGAIN,
        "The payment was not made, and nothing was taken. Please try again.",
        is_final=True,
    ),
    SessionStatus.CANCELED: Advice(
        BuyerAction.TRY_AGAIN, "The payment was canceled, and nothing was taken.", is_final=True
    ),
}
_BY_RESOLUTION = {
    Resolution.NOT_CREATED: Advice(
        BuyerAction.TRY_AGAIN, "This try took nothing. Please try again.", is_final=True
    ),
    Resolution.CLOSED: Advice(
        BuyerAction.TRY_AGAIN, "This try took nothing. Please try again.", is_final=True
    ),
    Resolution.REFUNDED: Advice(
        BuyerAction.TRY_AGAIN,
        "What this try took was given back. Please try again.",
        is_final=True,
    ),
    Resolution.ADOPTED: Advice(BuyerAction.NONE, "The payment was received.", is_final=True),
    Resolution.WRITTEN_OFF: Advice(
        BuyerAction.NONE, "This try was closed by the shop. Please ask there.", is_final=True
    ),
}
_COVERED = (CollectionStatus.AUTHORIZED, CollectionStatus.COMPLETED)
_PAYABLE = (SessionStatus.PENDING, SessionStatus.REQUIRES_MORE)


def advise_buyer(session: PaymentSession) -> Advice:
    """For a session of any age; soft-deleted ones too."""
    if not session.counts_for_collection:
        return _of_abandoned(session)
    if not session.is_live:
        return _BY_RESOLUTION[Resolution(session.resolution)]
    if session.status in _PAYABLE and (busy := _being_asked(session)):
        return busy
    if session.declined and session.status in _PAYABLE:
        return _DECLINED
    return _BY_STATUS[SessionStatus(session.status)]


def _of_abandoned(session: PaymentSession) -> Advice:
    if session.payment_collection.status in _COVERED:
        return replace(_PAID_OTHERWISE, is_final=bool(session.resolution))
    if session.resolution:
        return _BY_RESOLUTION[Resolution(session.resolution)]
    return _SET_ASIDE if session.indeterminate else _REPLACED


def _being_asked(session: PaymentSession) -> Advice | None:
    """What the buyer would pay is not settled while its start or its update is not."""
    rows = ProviderCall.objects.using(database_alias())
    open_calls = rows.filter(payment_session=session, state__in=UNRESOLVED_CALLS)
    kinds = set(open_calls.values_list("kind", flat=True))
    if CallKind.INITIATE in kinds:
        return _BEING_STARTED
    return _BEING_UPDATED if CallKind.UPDATE in kinds else None
