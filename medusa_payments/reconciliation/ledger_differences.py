"""In what an object of the ledger and its own record differ."""

from __future__ import annotations

from dataclasses import dataclass, replace

from medusa_payments.models import PaymentSession, Refund
from medusa_payments.providers.ledger_types import LedgerEntry
from medusa_payments.reconciliation.ledger_records import LedgerRecords
from medusa_payments.statuses import (
    OPEN_PROVIDER_STATES,
    LedgerClass,
    LedgerKind,
    MovementStatus,
    ProviderState,
)


@dataclass(frozen=True)
class Difference:
    """Why the two sides are not equal; ``risk_minor`` is the money that one knows nothing of."""

    ledger_class: LedgerClass
    detail: str
    risk_minor: int | None = None
    is_moved_money: bool = False


def payment_difference(
    entry: LedgerEntry, session: PaymentSession, records: LedgerRecords
) -> Difference | None:
    if entry.currency_code != session.currency_code:
        return _in_other_currency(entry, session.currency_code)
    there, here = _stage(entry.state), _stage(ProviderState(session.provider_state))
    if there != here:
        return _other_state(entry, session)
    moved = (entry.held_minor, entry.captured_minor)
    known = (session.held_minor, session.captured_minor)
    if moved != known:
        return Difference(
            LedgerClass.AMOUNT,
            f"Held and taken there: {moved[0]} and {moved[1]}; here: {known[0]} and {known[1]}"
            " (smallest unit).",
            abs(sum(moved) - sum(known)) or None,
            is_moved_money=True,
        )
    if entry.amount_minor == session.amount_minor:
        return None
    was_asked = there == "canceled" and entry.amount_minor in records.asked_amounts(session)
    return None if was_asked else _other_amount(entry, session.amount_minor)


def charge_difference(entry: LedgerEntry, session: PaymentSession) -> Difference | None:
    if entry.currency_code != session.money_currency_code:
        return _in_other_currency(entry, session.money_currency_code)
    if entry.state not in (ProviderState.CAPTURED, ProviderState.HELD):
        return None  # a try that took nothing
    if entry.state != session.provider_state:
        return _other_state(entry, session)
    there = entry.captured_minor or entry.held_minor
    here = session.captured_minor or session.held_minor
    if there == here:
        return None
    detail = f"Held or taken there: {there}; here: {here} (smallest unit)."
    return Difference(LedgerClass.AMOUNT, detail, abs(there - here), is_moved_money=True)


def refund_difference(entry: LedgerEntry, refund: Refund) -> Difference | None:
    code = refund.payment.payment_session.money_currency_code
    if entry.currency_code != code:
        return _in_other_currency(entry, code)
    if entry.amount_minor != refund.amount_minor:
        return replace(_other_amount(entry, refund.amount_minor), is_moved_money=True)
    if entry.refund_status != refund.status:
        return Difference(
            LedgerClass.STATUS,
            f"It is {entry.refund_status} there, {refund.status} here.",
            entry.amount_minor,
            is_moved_money=MovementStatus.FAILED in (entry.refund_status, refund.status),
        )
    return None


def _in_other_currency(entry: LedgerEntry, code: str) -> Difference:
    there = entry.captured_minor or entry.held_minor
    detail = f"It is in {entry.currency_code} there, {code} here."
    return Difference(LedgerClass.CURRENCY, detail, there or None, bool(there))


def _other_amount(entry: LedgerEntry, here_minor: int) -> Difference:
    detail = f"It is for {entry.amount_minor} there, {here_minor} here (smallest unit)."
    return Difference(LedgerClass.AMOUNT, detail, abs(entry.amount_minor - here_minor))


def _other_state(entry: LedgerEntry, session: PaymentSession) -> Difference:
    here = session.provider_state or "never seen"
    differ = abs(money_there(entry) - session.held_minor - session.captured_minor)
    is_taken = ProviderState.CAPTURED in (entry.state, session.provider_state)
    detail = f"It is {entry.state} there, {here} here."
    return Difference(LedgerClass.STATUS, detail, differ or None, is_taken)


def _stage(state: ProviderState) -> str:
    """States between which no money moves are one."""
    return "open" if state in OPEN_PROVIDER_STATES else str(state)


def money_there(entry: LedgerEntry) -> int:
    if entry.kind is LedgerKind.REFUND:
        return amount_there(entry)
    return entry.held_minor + entry.captured_minor


def amount_there(entry: LedgerEntry) -> int:
    """Of a payment what it asks for, of a charge what was taken, of a refund what went back."""
    if entry.kind is LedgerKind.PAYMENT:
        return entry.amount_minor
    if entry.kind is LedgerKind.CHARGE:
        return entry.captured_minor
    is_nothing = entry.is_release or entry.refund_status is MovementStatus.FAILED
    return 0 if is_nothing else entry.amount_minor
