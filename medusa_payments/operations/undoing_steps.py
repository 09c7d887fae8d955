"""What would be asked to undo what a session left at its provider, by what was last seen there."""

from __future__ import annotations

from medusa_payments.models import Payment, PaymentSession
from medusa_payments.operations.proposal_records import Step
from medusa_payments.operations.totals import payment_totals
from medusa_payments.statuses import OPEN_PROVIDER_STATES, ProposalKind, ProviderState

STILL_OPEN = (*OPEN_PROVIDER_STATES, ProviderState.HELD)


def next_step(session: PaymentSession, payment: Payment | None) -> Step | None:
    """The next request; None: there is nothing to ask for, or nothing was ever seen."""
    if session.is_live and not _is_declined(session):
        return None
    if session.provider_state in STILL_OPEN:
        return cancel_step(session)
    if session.is_live or payment is None or not session.captured_minor:
        return None
    refundable = payment_totals(payment).refundable_minor
    return refund_step(session, payment, refundable) if refundable else None


def cancel_step(session: PaymentSession) -> Step:
    return Step(
        ProposalKind.CANCEL,
        session.held_minor or session.provider_amount_minor or session.amount_minor,
        session.money_currency_code,
        {"reference": session.provider_reference},
    )


def refund_step(session: PaymentSession, payment: Payment, amount_minor: int) -> Step:
    return Step(
        ProposalKind.REFUND,
        amount_minor,
        payment.currency_code,
        {
            "reference": session.provider_reference,
            "amount_minor": amount_minor,
            "currency_code": payment.currency_code,
        },
    )


def _is_declined(session: PaymentSession) -> bool:
    return bool(session.failure_code) and session.provider_state in OPEN_PROVIDER_STATES
