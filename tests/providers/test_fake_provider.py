from __future__ import annotations

from typing import Any

import pytest

from medusa_payments.providers.base import PaymentProvider
from medusa_payments.providers.types import (
    Failed,
    FailureKind,
    Indeterminate,
    NoAnswer,
    ProviderPayment,
    Succeeded,
)
from medusa_payments.statuses import MovementStatus, ProviderState
from medusa_payments.testing.fake_provider import FakeProvider
from medusa_payments.testing.provider_contract import ProviderContract, succeeded


class TestFakeProvider(ProviderContract):
    @pytest.fixture(autouse=True)
    def provider(self) -> FakeProvider:
        self.fake = FakeProvider()
        return self.fake

    def hold(self, payment: ProviderPayment) -> None:
        self.fake.pay(payment.reference)

    def lose_next_answer(self, provider: PaymentProvider, method: str) -> None:
        self.fake.script(method, Indeterminate(), executes=True)

    def drop_next_request(self, provider: PaymentProvider, method: str) -> None:
        self.fake.script(method, Indeterminate())

    def make_unreachable(self, provider: PaymentProvider) -> None:
        self.fake.script("initiate_payment", Failed(kind=FailureKind.UNAVAILABLE))

    def delivery(
        self, provider: PaymentProvider, payment: ProviderPayment
    ) -> tuple[bytes, dict[str, str]]:
        return self.fake.delivery(payment.reference)

    def test_scripted_answers_come_in_their_order_and_then_end(self, provider: Any) -> None:
        declined = Failed(kind=FailureKind.DECLINED)
        provider.script("initiate_payment", Indeterminate(), declined)
        request = self.initiate_request()

        answers = [provider.initiate_payment(request) for _ in range(3)]

        assert [type(each) for each in answers] == [Indeterminate, Failed, Succeeded]
        assert len(provider.payments) == 1

    def test_a_scripted_exception_is_raised(self, provider: Any) -> None:
        provider.script("cancel_payment", ConnectionError())
        payment = self.held(provider)

        with pytest.raises(ConnectionError):
            provider.cancel_payment(self.cancel_request(payment))

        assert self.seen(provider, payment).state is ProviderState.HELD

    def test_a_lookup_can_be_scripted(self, provider: Any) -> None:
        payment = self.initiated(provider)
        provider.script("lookup", NoAnswer())

        assert provider.lookup(self.lookup_request(payment)) == NoAnswer()

    def test_an_initiate_that_confirms_holds_the_money(self, provider: Any) -> None:
        answer = succeeded(provider.initiate_payment(self.initiate_request(data={"confirm": True})))

        assert answer.payment is not None
        assert answer.payment.held_minor == self.amount_minor

    def test_refunds_are_born_as_the_test_says(self, provider: Any) -> None:
        payment = self.captured(provider)
        provider.refund_status = MovementStatus.PENDING

        answer = succeeded(provider.refund_payment(self.refund_request(payment)))

        assert answer.refund is not None
        assert answer.refund.status is MovementStatus.PENDING

    def test_it_remembers_what_it_was_asked(self, provider: Any) -> None:
        payment = self.held(provider)

        provider.cancel_payment(self.cancel_request(payment))

        assert [method for method, _ in provider.asked] == ["initiate_payment", "cancel_payment"]
