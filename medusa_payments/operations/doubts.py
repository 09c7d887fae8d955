"""Reasons not to take what a provider shows for what was asked, shown to a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from medusa_payments.models import PaymentSession, ProviderCall
from medusa_payments.operations.discrepancies import close_by_evidence, open_discrepancy
from medusa_payments.operations.locking import LockedCollection
from medusa_payments.providers.types import Outcome
from medusa_payments.statuses import DiscrepancyKind

UNLIKE_ASKED = "unlike_asked"
_KINDS = (
    DiscrepancyKind.AMOUNT,
    DiscrepancyKind.CURRENCY,
    DiscrepancyKind.DUPLICATE,
    DiscrepancyKind.STATUS,
)


@dataclass(frozen=True)
class Doubt:
    """``amount_minor`` is the money at risk, in the smallest unit of ``currency_code``."""

    kind: DiscrepancyKind
    detail: str
    amount_minor: int | None = None
    currency_code: str = ""


def report_doubt(
    locked: LockedCollection, session: PaymentSession, doubt: Doubt, *, about: str, **links: Any
) -> None:
    if doubt.currency_code:
        links["currency_code"] = doubt.currency_code
    open_discrepancy(
        locked,
        doubt.kind,
        about=about[:200],
        detail=doubt.detail,
        session=session,
        amount_minor=doubt.amount_minor,
        **links,
    )


def about_answer(call: ProviderCall) -> str:
    return f"{call.pk}:answer"


def doubted_attempts(attempts: list[dict[str, Any]], outcome: Outcome) -> list[dict[str, Any]]:
    """The attempts of a call whose last answer was not about what was asked."""
    judged = {"outcome": "indeterminate", "code": UNLIKE_ASKED, "detail": outcome.detail}
    return [*attempts[:-1], {**attempts[-1], **judged}] if attempts else attempts


def close_doubts(locked: LockedCollection, call: ProviderCall, *, reason: str) -> None:
    """What became of a call is known, whatever its answer had said."""
    if any(attempt["code"] == UNLIKE_ASKED for attempt in call.attempts):
        for kind in _KINDS:
            close_by_evidence(locked, kind, about=about_answer(call), reason=reason)
