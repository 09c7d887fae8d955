"""Holding one object of the ledger against our record of it. Asks nobody, writes nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from medusa_payments.models import PaymentSession
from medusa_payments.providers.ledger_types import LedgerEntry
from medusa_payments.reconciliation.ledger_differences import (
    Difference,
    amount_there,
    charge_difference,
    money_there,
    payment_difference,
    refund_difference,
)
from medusa_payments.reconciliation.ledger_findings import Finding
from medusa_payments.reconciliation.ledger_records import LedgerRecords
from medusa_payments.statuses import (
    UNRESOLVED_MOVEMENTS,
    LedgerClass,
    LedgerKind,
    MovementStatus,
    ProviderState,
)

# Classes in which the two sides differ; reconciliation may still be at work on that.
_MISMATCHES = (LedgerClass.AMOUNT, LedgerClass.CURRENCY, LedgerClass.STATUS)
_OF_ANOTHER = (LedgerClass.GHOST, LedgerClass.DUPLICATE)
_NOT_THERE = "The record says that the provider has none."


def compare(entry: LedgerEntry, records: LedgerRecords, *, young_from: datetime) -> Finding:
    """The class of one object. What differs and was made after ``young_from`` may only be on its
    way."""
    finding = _COMPARISONS[entry.kind](entry, records)
    is_young = entry.created_at >= young_from
    if is_young and finding.ledger_class in (*_MISMATCHES, *_OF_ANOTHER):
        return not_comparable(finding, "It is too young to tell.")
    return finding


def not_comparable(finding: Finding, detail: str) -> Finding:
    """What cannot be told yet; a later scan tells."""
    values: dict[str, Any] = {"about": "", "risk_minor": None, "is_moved_money": False}
    return replace(finding, ledger_class=LedgerClass.NOT_COMPARABLE, detail=detail, **values)


def _compare_payment(entry: LedgerEntry, records: LedgerRecords) -> Finding:
    session, finding = _placed(entry, records)
    if session is None or finding.ledger_class != LedgerClass.MATCHED:
        return finding
    difference = payment_difference(entry, session, records)
    finding = replace(
        finding,
        here_minor=session.amount_minor,
        here_currency=session.currency_code,
        about=f"ledger:{session.pk}",
    )
    return _judged(finding, session, records, difference)


def _compare_charge(entry: LedgerEntry, records: LedgerRecords) -> Finding:
    session, finding = _placed(entry, records)
    if session is None or finding.ledger_class != LedgerClass.MATCHED:
        return finding
    is_taken = entry.state is ProviderState.CAPTURED
    finding = replace(
        finding,
        here_minor=session.captured_minor if is_taken else 0,
        here_currency=session.money_currency_code,
        about=f"ledger:{session.pk}:charge",
    )
    return _judged(finding, session, records, charge_difference(entry, session))


def _compare_refund(entry: LedgerEntry, records: LedgerRecords) -> Finding:
    session, finding = _placed(entry, records)
    refund = None if entry.is_release else records.refund_of(entry)
    if entry.is_release or (refund is None and finding.ledger_class in _OF_ANOTHER):
        return finding  # it is as its payment is
    finding = replace(finding, about=f"ledger:{entry.reference}")
    if refund is None:
        return _unrecorded_refund(entry, finding, session, records)
    session = refund.payment.payment_session
    finding = replace(
        finding,
        ledger_class=LedgerClass.MATCHED,
        record_id=refund.pk,
        session_id=session.pk,
        here_minor=0 if refund.status == MovementStatus.FAILED else refund.amount_minor,
        here_currency=session.money_currency_code,
    )
    if refund.provider_reference not in ("", entry.reference):
        return replace(
            finding,
            ledger_class=LedgerClass.DUPLICATE,
            detail=f"A second refund for {refund.pk}, whose own is {refund.provider_reference}.",
            about=f"{refund.payment_id}:{entry.reference}",
            risk_minor=finding.there_minor,
            here_minor=0,
        )
    if refund.status in UNRESOLVED_MOVEMENTS:
        return not_comparable(finding, "The outcome of the refund is not recorded yet.")
    return _judged(finding, session, records, refund_difference(entry, refund))


_COMPARISONS = {
    LedgerKind.PAYMENT: _compare_payment,
    LedgerKind.CHARGE: _compare_charge,
    LedgerKind.REFUND: _compare_refund,
}


def _placed(entry: LedgerEntry, records: LedgerRecords) -> tuple[PaymentSession | None, Finding]:
    """The session that an object belongs to; matched means that it is that session's own."""
    marked = records.sessions.get(entry.session_id)
    session = records.session_of(entry)
    finding = Finding(
        kind=entry.kind,
        ledger_class=LedgerClass.MATCHED,
        reference=entry.reference,
        payment_reference=entry.payment_reference,
        session_mark=entry.session_id,
        session_id=session.pk if session else "",
        record_id=session.pk if session else "",
        there_minor=amount_there(entry),
        there_currency=entry.currency_code,
    )
    if session is None:
        return None, _of_nobody(entry, finding)
    if entry.unreadable:
        return session, not_comparable(finding, f"It cannot be read: {entry.unreadable}.")
    if marked and marked.provider_reference and not _is_own(marked, entry):
        return marked, _second_object(finding, marked)
    if not session.provider_reference:
        return session, _not_recorded(entry, finding, session, records)
    return session, finding


def _is_own(session: PaymentSession, entry: LedgerEntry) -> bool:
    return bool(session.provider_reference == entry.payment_reference)


def _of_nobody(entry: LedgerEntry, finding: Finding) -> Finding:
    if not entry.session_id:
        return replace(finding, ledger_class=LedgerClass.FOREIGN)
    return replace(
        finding,
        ledger_class=LedgerClass.GHOST,
        detail=f"It names session {entry.session_id[:80]}, of which there is no record here.",
        about=entry.session_id[:200],
        risk_minor=money_there(entry),
    )


def _second_object(finding: Finding, session: PaymentSession) -> Finding:
    return replace(
        finding,
        ledger_class=LedgerClass.DUPLICATE,
        session_id=session.pk,
        record_id=session.pk,
        detail=f"A second object of session {session.pk}, whose own is"
        f" {session.provider_reference}.",
        about=f"{session.pk}:{finding.payment_reference or finding.reference}",
        risk_minor=finding.there_minor,
    )


def _not_recorded(
    entry: LedgerEntry, finding: Finding, session: PaymentSession, records: LedgerRecords
) -> Finding:
    """Of a session that has nothing at the provider, as far as we know."""
    finding = replace(finding, about=f"ledger:{session.pk}", here_minor=0)
    is_harmless = entry.state is ProviderState.CANCELED
    if is_harmless and session.pk not in records.busy:
        return finding
    taken = entry.captured_minor or entry.held_minor
    difference = Difference(LedgerClass.STATUS, _NOT_THERE, taken or None, bool(taken))
    return _judged(finding, session, records, difference)


def _judged(
    finding: Finding,
    session: PaymentSession,
    records: LedgerRecords,
    difference: Difference | None,
) -> Finding:
    if session.pk in records.unresolved:
        return not_comparable(finding, "Reconciliation is still finding out what happened.")
    if difference is None:
        return finding
    if session.pk in records.busy:
        return not_comparable(finding, f"{difference.detail} Reconciliation will look again.")
    return replace(
        finding,
        ledger_class=difference.ledger_class,
        detail=difference.detail,
        risk_minor=difference.risk_minor,
        is_moved_money=difference.is_moved_money,
    )


def _unrecorded_refund(
    entry: LedgerEntry, finding: Finding, session: PaymentSession | None, records: LedgerRecords
) -> Finding:
    if entry.refund_id:
        return replace(
            finding,
            ledger_class=LedgerClass.GHOST,
            detail=f"It names refund {entry.refund_id[:80]}, of which there is no record here.",
            risk_minor=finding.there_minor,
        )
    if session is None or finding.ledger_class != LedgerClass.MATCHED:
        return finding
    if entry.refund_status is MovementStatus.FAILED:
        return finding  # nothing went back
    difference = Difference(
        LedgerClass.STATUS,
        "It was made at the provider, not here, and is not recorded.",
        finding.there_minor,
        is_moved_money=True,
    )
    finding = replace(finding, here_minor=0, here_currency=finding.there_currency)
    return _judged(finding, session, records, difference)
