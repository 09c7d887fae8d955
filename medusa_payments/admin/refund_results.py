"""One row of a bulk refund: the act, and its outcome in words. What fails stays in its row."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from medusa_payments.admin.display import badge, money, record_link, time
from medusa_payments.admin.refund_form import Candidate, candidates
from medusa_payments.errors import (
    Conflict,
    MedusaPaymentsError,
    OpenTransaction,
    PaymentProviderUnavailable,
    RefundExceedsRefundable,
    RequestKeyReused,
)
from medusa_payments.models import Payment, Refund, RefundReason
from medusa_payments.money import to_minor
from medusa_payments.operations.actors import Actor
from medusa_payments.operations.refunds import refund_payment
from medusa_payments.statuses import MovementStatus

logger = logging.getLogger("medusa_payments")

_LABELS = {
    "succeeded": "refunded",
    "pending": "accepted",
    "uncertain": "not known yet",
    "refused": "refused",
    "conflict": "conflict",
}
_RELOAD = "Reload this page to see how it stands; that refunds nothing twice."


@dataclass(frozen=True)
class Result:
    payment: str  # a link
    amount: str
    state: str
    text: str
    refund: str = ""  # a link
    next_look: Any = ""

    @property
    def badge(self) -> str:
        return badge(self.state, _LABELS[self.state])


def count_states(results: Iterable[Result]) -> list[dict[str, Any]]:
    counts = Counter(each.state for each in results)
    return [
        {"badge": badge(state, label), "count": counts[state]}
        for state, label in _LABELS.items()
        if counts[state]
    ]


def refund_row(
    candidate: Candidate,
    *,
    amount: Decimal,
    request_key: str,
    reason: RefundReason | None,
    note: str | None,
    actor: Actor,
    site: str,
) -> Result:
    """Refund one payment and say what became of it.

    :raises OpenTransaction: one was open, so nothing was asked; see ATOMIC_REQUESTS.
    """
    payment = candidate.payment
    refund = None
    try:
        refund = refund_payment(
            payment,
            amount=amount,
            reason=reason,
            note=note,
            request_key=request_key,
            actor=actor,
        )
        state, text = _outcome(refund)
    except OpenTransaction:
        raise
    except MedusaPaymentsError as error:
        state, text = _refusal(payment, error)
    except Exception:
        logger.exception("Refund %s of payment %s broke off", request_key, payment.pk)
        state, text = "uncertain", f"Something broke off here, and it was logged. {_RELOAD}"
    if refund is None:
        refund = candidates([payment])[payment.pk].refund_of(request_key)
    elif refund.request_key != request_key:
        text = f"An equal refund was not known yet: it was taken up, no second one asked. {text}"
    return _result(payment, amount, refund, state, text, site)


def _outcome(refund: Refund) -> tuple[str, str]:
    if refund.status == MovementStatus.SUCCEEDED:
        return "succeeded", "Given back to the customer."
    if refund.status == MovementStatus.PENDING:
        return "pending", "The provider accepted it; the bank's result comes later."
    return "uncertain", (
        "The provider's answer was lost, so it may have happened. The amount stays reserved and"
        " reconciliation finds out by itself. Do not refund it another way."
    )


def _refusal(payment: Payment, error: MedusaPaymentsError) -> tuple[str, str]:
    if isinstance(error, RequestKeyReused):
        return "conflict", (
            "This page was sent before with another amount, and that counts. Nothing more was"
            " asked; for another refund start again from the list."
        )
    if isinstance(error, Conflict):
        return "conflict", f"It is being asked right now. {_RELOAD}"
    if isinstance(error, PaymentProviderUnavailable):
        return "refused", (
            "The provider could not be reached, or refused to be asked; nothing was given back."
            " Try again from the list in a moment."
        )
    if isinstance(error, RefundExceedsRefundable):
        left = candidates([payment])[payment.pk].refundable
        return "refused", f"Only {left} can still be refunded. Nothing was asked."
    return "refused", error.message


def _result(
    payment: Payment, amount: Decimal, refund: Refund | None, state: str, text: str, site: str
) -> Result:
    call = getattr(refund, "provider_call", None)
    if state == "refused" and call is not None and call.failure_code:
        text = f"{text} The provider's reason: {call.failure_code.replace('_', ' ')}."
    return Result(
        payment=record_link(Payment, payment.pk, site=site),
        amount=money(to_minor(amount, payment.currency_code), payment.currency_code),
        state=state,
        text=text,
        refund=record_link(Refund, refund.pk, site=site) if refund else "",
        next_look=time(call.next_attempt_at) if call is not None and state == "uncertain" else "",
    )
