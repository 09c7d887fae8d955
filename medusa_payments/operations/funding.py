"""Bank transfers that brought a part of a payment while the rest is waited for.

Such money is neither held nor taken: the provider keeps it for the customer until all has come. It
is recorded, and a person is told once how much of it there is.
"""

from __future__ import annotations

from medusa_payments.models import Discrepancy, PaymentSession
from medusa_payments.operations.discrepancies import close_by_evidence, open_discrepancy
from medusa_payments.operations.locking import LockedCollection
from medusa_payments.providers.types import ProviderPayment
from medusa_payments.statuses import (
    OPEN_PROVIDER_STATES,
    DiscrepancyKind,
    Evidence,
    ProviderState,
)


def merge_funding(
    locked: LockedCollection, session: PaymentSession, seen: ProviderPayment, *, evidence: Evidence
) -> None:
    """Record what was paid in; ``session`` is in the state that what was seen has left it in."""
    before, funded = session.funded_minor, _funded(session, seen, evidence)
    if funded == before:
        return
    locked.change(session, "session.funded", funded_minor=funded)
    if funded:
        _tell_person(locked, session)
    else:
        reason = _REASONS.get(ProviderState(session.provider_state), "Nothing is paid in any more.")
        close_by_evidence(locked, DiscrepancyKind.STATUS, about=_about(session), reason=reason)


_REASONS = {
    ProviderState.HELD: "The rest has come.",
    ProviderState.CAPTURED: "The rest has come.",
    ProviderState.CANCELED: (
        "The payment was canceled; the provider keeps what was paid in for the customer, or sends"
        " it back."
    ),
}


def _funded(session: PaymentSession, seen: ProviderPayment, evidence: Evidence) -> int:
    """Events may come late, and more is paid in from one to the next."""
    if session.provider_state not in OPEN_PROVIDER_STATES:
        return 0
    if evidence == Evidence.LOOKUP:
        return seen.funded_minor
    known: int = session.funded_minor
    return max(known, seen.funded_minor)


def _tell_person(locked: LockedCollection, session: PaymentSession) -> None:
    discrepancy: Discrepancy = open_discrepancy(
        locked,
        DiscrepancyKind.STATUS,
        about=_about(session),
        detail=(
            f"Of {session.provider_amount_minor} a bank transfer has brought a part (smallest"
            " unit). The payment waits for the rest."
        ),
        not_known="Whether the rest will come.",
        session=session,
        amount_minor=session.funded_minor,
        currency_code=session.money_currency_code,
    )
    locked.change(discrepancy, "discrepancy.seen", amount_minor=session.funded_minor)


def _about(session: PaymentSession) -> str:
    return f"{session.pk}:funded"
