"""What a provider that lists its ledger must hold to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from medusa_payments.providers.base import PaymentProvider
from medusa_payments.providers.ledger_types import LedgerEntry, LedgerPage, LedgerQuery
from medusa_payments.statuses import LedgerKind, MovementStatus, ProviderState
from medusa_payments.testing.provider_steps import ProviderSteps, succeeded


class LedgerContract(ProviderSteps):
    """Skipped for a provider without ``list_ledger``."""

    def test_the_ledger_lists_a_payment_with_its_session_and_amounts(
        self, provider: PaymentProvider
    ) -> None:
        payment = self.captured(provider)

        (entry,) = self.listed(provider, LedgerKind.PAYMENT, payment.reference)

        assert (entry.session_id, entry.payment_reference) == (
            payment.session_id,
            payment.reference,
        )
        assert entry.state is ProviderState.CAPTURED
        assert (entry.amount_minor, entry.captured_minor) == (self.amount_minor,) * 2
        assert entry.currency_code == self.currency_code
        assert abs(entry.created_at - datetime.now(UTC)) < timedelta(minutes=5)

    def test_the_ledger_lists_a_refund_with_its_own_mark(self, provider: PaymentProvider) -> None:
        payment = self.captured(provider)
        request = self.refund_request(payment, 400)
        succeeded(provider.refund_payment(request))

        (entry,) = self.listed(provider, LedgerKind.REFUND, payment.reference)

        assert entry.refund_id == request.refund_id
        assert (entry.amount_minor, entry.currency_code) == (400, self.currency_code)
        assert entry.refund_status in (MovementStatus.SUCCEEDED, MovementStatus.PENDING)
        assert not entry.is_release

    def test_pages_of_the_ledger_hold_every_payment_once(self, provider: PaymentProvider) -> None:
        self.needs(provider.supports("list_ledger"), "ledger")
        made = {self.initiated(provider).reference for _ in range(5)}

        entries = self.everything_listed(provider, LedgerKind.PAYMENT)

        references = [entry.reference for entry in entries if entry.reference in made]
        assert sorted(references) == sorted(made)
        times = [entry.created_at for entry in entries]
        assert times == sorted(times, reverse=True)

    def test_a_window_of_the_ledger_holds_nothing_from_outside(
        self, provider: PaymentProvider
    ) -> None:
        payment = self.captured(provider)
        (entry,) = self.listed(provider, LedgerKind.PAYMENT, payment.reference)
        its_second = entry.created_at.replace(microsecond=0)
        long_before = datetime(2001, 1, 1, tzinfo=UTC)

        before = self.everything_listed(
            provider, LedgerKind.PAYMENT, created_from=long_before, created_until=its_second
        )

        assert payment.reference not in [each.reference for each in before]

    def listed(
        self, provider: PaymentProvider, kind: LedgerKind, payment_reference: str
    ) -> list[LedgerEntry]:
        """What the ledger lists of one payment."""
        self.needs(provider.supports("list_ledger"), "ledger")
        entries = self.everything_listed(provider, kind)
        return [entry for entry in entries if entry.payment_reference == payment_reference]

    def everything_listed(
        self, provider: PaymentProvider, kind: LedgerKind, **window: datetime
    ) -> list[LedgerEntry]:
        """All pages of a window; by default of the last and the next ten minutes."""
        now = datetime.now(UTC).replace(microsecond=0)
        bounds = {
            "created_from": now - timedelta(minutes=10),
            "created_until": now + timedelta(minutes=10),
        } | window
        entries: list[LedgerEntry] = []
        cursor = ""
        while True:
            page = provider.list_ledger(LedgerQuery(kind=kind, cursor=cursor, **bounds))
            assert isinstance(page, LedgerPage), page
            entries += page.entries
            cursor = page.next_cursor
            if not cursor:
                return entries
