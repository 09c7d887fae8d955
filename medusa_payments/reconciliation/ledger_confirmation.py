"""Asking once more before anything is called wrong: a list may lag, and money may move meanwhile.

What differs is read again by its reference and held against the record as it is then; what was
not listed is missing only when the provider says that it has none of that id.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from django.utils import timezone

from medusa_payments.models import PaymentSession, Refund
from medusa_payments.providers.ledger_types import LedgerEntry
from medusa_payments.providers.types import Found, LookupResult, NoAnswer, NotFound, ProviderPayment
from medusa_payments.reconciliation.ledger_comparison import compare, not_comparable
from medusa_payments.reconciliation.ledger_findings import Finding
from medusa_payments.reconciliation.ledger_reading import LedgerReads
from medusa_payments.reconciliation.ledger_records import LedgerRecords
from medusa_payments.statuses import (
    OPEN_PROVIDER_STATES,
    UNRESOLVED_MOVEMENTS,
    LedgerClass,
    LedgerKind,
    MovementStatus,
)

_OBJECTS_TOO_MANY = (LedgerClass.GHOST, LedgerClass.DUPLICATE)
_IN_DOUBT = (LedgerClass.AMOUNT, LedgerClass.CURRENCY, LedgerClass.STATUS, *_OBJECTS_TOO_MANY)


class Confirmation:
    """For one window: what was read once is not read again."""

    def __init__(
        self, reads: LedgerReads, *, provider_ids: Collection[str], young_from: datetime
    ) -> None:
        self._reads = reads
        self._own = provider_ids
        self._young_from = young_from
        self._answers: dict[str, tuple[datetime, LookupResult]] = {}

    def of(self, entry: LedgerEntry, finding: Finding) -> Finding:
        """What the object's finding is, seen by itself."""
        if finding.ledger_class not in _IN_DOUBT or not entry.payment_reference:
            return finding
        answer = self._read(entry.payment_reference, finding.session_id or entry.session_id)
        if isinstance(answer, NoAnswer):
            return not_comparable(finding, "It was listed, and could not be read by itself.")
        if isinstance(answer, NotFound):
            return finding
        if finding.ledger_class not in _OBJECTS_TOO_MANY:
            finding = self._compared(entry, answer.payment, finding)
        if finding.ledger_class in _OBJECTS_TOO_MANY:
            return _weighed(finding, answer.payment)
        return finding

    def _compared(self, entry: LedgerEntry, seen: ProviderPayment, finding: Finding) -> Finding:
        """A charge is right when its payment is: only that can be read with its record."""
        if entry.kind is LedgerKind.CHARGE:
            payment = _payment_entry(entry, seen)
            is_right = self._compare(payment).ledger_class == LedgerClass.MATCHED
            matched = replace(finding, ledger_class=LedgerClass.MATCHED, detail="", risk_minor=None)
            return matched if is_right else finding
        return self._compare(
            _payment_entry(entry, seen)
            if entry.kind is LedgerKind.PAYMENT
            else _refund_entry(entry, seen)
        )

    def _compare(self, entry: LedgerEntry) -> Finding:
        records = LedgerRecords([entry], provider_ids=self._own)
        finding = compare(entry, records, young_from=self._young_from)
        asked_at, _ = self._answers[entry.payment_reference]
        session = records.session_of(entry)
        if finding.needs_person and session is not None and session.updated_at >= asked_at:
            return not_comparable(finding, "The record changed while it was compared.")
        return finding

    def of_unlisted_session(
        self, session: PaymentSession, *, is_unresolved: bool
    ) -> Finding | None:
        """A session whose object no list showed. None: the object is there, made at another time
        than the record, and is classed where it is listed."""
        finding = Finding(
            kind=LedgerKind.PAYMENT,
            ledger_class=LedgerClass.MISSING,
            reference=session.provider_reference,
            payment_reference=session.provider_reference,
            session_mark=session.pk,
            record_id=session.pk,
            session_id=session.pk,
            here_minor=session.amount_minor,
            here_currency=session.currency_code,
            detail=f"The provider has no {session.provider_reference}.",
            about=f"ledger:{session.pk}",
            risk_minor=session.held_minor + session.captured_minor or None,
            is_moved_money=bool(session.held_minor + session.captured_minor),
        )
        if not session.provider_reference:
            what = "It was asked for, and whether the provider has it is not known yet."
            return not_comparable(finding, what) if is_unresolved else None
        return self._unlisted(finding, session.created_at, is_unresolved=is_unresolved)

    def of_unlisted_refund(self, refund: Refund, *, is_unresolved: bool) -> Finding | None:
        """As a session: a refund that no list showed."""
        session = refund.payment.payment_session
        finding = Finding(
            kind=LedgerKind.REFUND,
            ledger_class=LedgerClass.MISSING,
            reference=refund.provider_reference,
            payment_reference=session.provider_reference,
            session_mark=session.pk,
            record_id=refund.pk,
            session_id=session.pk,
            here_minor=0 if refund.status == MovementStatus.FAILED else refund.amount_minor,
            here_currency=session.money_currency_code,
            detail=f"The provider has no {refund.provider_reference or 'such refund'}.",
            about=f"ledger:{refund.provider_reference or refund.pk}",
            risk_minor=refund.amount_minor,
            is_moved_money=True,
        )
        if refund.status in UNRESOLVED_MOVEMENTS:
            return not_comparable(finding, "The outcome of the refund is not recorded yet.")
        if not refund.provider_reference:
            return None  # it never came to be
        return self._unlisted(finding, refund.created_at, is_unresolved=is_unresolved)

    def _unlisted(
        self, finding: Finding, made_at: datetime, *, is_unresolved: bool
    ) -> Finding | None:
        answer = self._read(finding.payment_reference, finding.session_id)
        if isinstance(answer, Found) and _shows(answer.payment, finding):
            return None
        if isinstance(answer, NoAnswer):
            return not_comparable(finding, "It was not listed, and could not be read by itself.")
        if is_unresolved:
            return not_comparable(finding, "Reconciliation is still finding out what happened.")
        if made_at >= self._young_from:
            return not_comparable(finding, "It is too young to tell.")
        return finding

    def _read(self, reference: str, session_id: str) -> LookupResult:
        if reference not in self._answers:
            asked_at = timezone.now()
            answer = self._reads.payment(reference, session_id=session_id)
            self._answers[reference] = (asked_at, answer)
        return self._answers[reference][1]


def _shows(payment: ProviderPayment, finding: Finding) -> bool:
    """A list of refunds that is not told shows none, and proves none absent."""
    if finding.kind is LedgerKind.PAYMENT or payment.refunds is None:
        return True
    return any(refund.reference == finding.reference for refund in payment.refunds)


def _weighed(finding: Finding, seen: ProviderPayment) -> Finding:
    """What is at risk with an object too many: what it still holds, keeps or can be paid."""
    if finding.kind is LedgerKind.REFUND and finding.record_id:
        return replace(finding, is_harmless=not finding.there_minor)
    returned = (each for each in seen.refunds or () if each.status != MovementStatus.FAILED)
    kept = max(0, seen.captured_minor - sum(each.amount_minor for each in returned))
    at_risk = seen.held_minor + kept
    is_over = seen.state not in OPEN_PROVIDER_STATES and not at_risk
    return replace(finding, risk_minor=at_risk or None, is_harmless=is_over)


def _payment_entry(entry: LedgerEntry, seen: ProviderPayment) -> LedgerEntry:
    return replace(
        entry,
        kind=LedgerKind.PAYMENT,
        reference=seen.reference,
        amount_minor=seen.amount_minor,
        currency_code=seen.currency_code,
        state=seen.state,
        held_minor=seen.held_minor,
        captured_minor=seen.captured_minor,
    )


def _refund_entry(entry: LedgerEntry, seen: ProviderPayment) -> LedgerEntry:
    for refund in seen.refunds or ():
        if refund.reference == entry.reference:
            return replace(entry, amount_minor=refund.amount_minor, refund_status=refund.status)
    return entry
