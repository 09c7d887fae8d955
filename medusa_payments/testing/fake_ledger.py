"""What a fake provider holds, and how it lists that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from medusa_payments.ids import new_id
from medusa_payments.providers.ledger_types import LedgerEntry, LedgerPage, LedgerQuery
from medusa_payments.providers.types import ProviderPayment, ProviderRefund
from medusa_payments.statuses import LedgerKind, MovementStatus, ProviderState

_PAGE = 3  # so few that a test needs no hundreds for a second page


@dataclass(kw_only=True)
class FakePayment:
    """One object of the fake's ledger. A test may set any of it. Amounts in smallest units."""

    session_id: str
    amount_minor: int
    currency_code: str
    reference: str = field(default_factory=lambda: new_id("fake"))
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    state: ProviderState = ProviderState.PAYABLE
    held_minor: int = 0
    captured_minor: int = 0
    refunds: list[ProviderRefund] = field(default_factory=list)

    @property
    def refunded_minor(self) -> int:
        counted = (each for each in self.refunds if each.status != MovementStatus.FAILED)
        return sum(each.amount_minor for each in counted)

    def snapshot(self) -> ProviderPayment:
        return ProviderPayment(
            reference=self.reference,
            session_id=self.session_id,
            state=self.state,
            amount_minor=self.amount_minor,
            currency_code=self.currency_code,
            observed_at=datetime.now(UTC),
            held_minor=self.held_minor,
            captured_minor=self.captured_minor,
            refunds=tuple(self.refunds),
            disputes=(),
            data={"id": self.reference, "client_secret": f"{self.reference}_secret"},
        )


def page_of(payments: Iterable[FakePayment], query: LedgerQuery) -> LedgerPage:
    """A fake has no charges; a refund was made when its payment was."""
    entries = [
        entry
        for payment in payments
        for entry in _entries(payment)
        if entry.kind == query.kind and query.created_from <= entry.created_at < query.created_until
    ]
    entries.sort(key=lambda entry: (entry.created_at, entry.reference), reverse=True)
    start = int(query.cursor or 0)
    end = start + _PAGE
    return LedgerPage(
        entries=tuple(entries[start:end]), next_cursor=str(end) if len(entries) > end else ""
    )


def _entries(payment: FakePayment) -> Iterator[LedgerEntry]:
    yield LedgerEntry(
        kind=LedgerKind.PAYMENT,
        reference=payment.reference,
        payment_reference=payment.reference,
        created_at=payment.created_at,
        session_id=payment.session_id,
        amount_minor=payment.amount_minor,
        currency_code=payment.currency_code,
        state=payment.state,
        held_minor=payment.held_minor,
        captured_minor=payment.captured_minor,
    )
    for refund in payment.refunds:
        yield LedgerEntry(
            kind=LedgerKind.REFUND,
            reference=refund.reference,
            payment_reference=payment.reference,
            created_at=payment.created_at,
            session_id=payment.session_id,
            refund_id=refund.refund_id,
            amount_minor=refund.amount_minor,
            currency_code=refund.currency_code or payment.currency_code,
            refund_status=refund.status,
        )
