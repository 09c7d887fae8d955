"""What every payment provider must hold to, as tests that a provider's own test class inherits.

    class TestMyProvider(ProviderContract):
        @pytest.fixture
        def provider(self):
            return MyProvider("pp_my_default", {...})

A test whose ability the provider's capabilities lack is skipped, and so is one whose hook the class
does not override. The hooks stand for what happens outside: the buyer, the network, the provider.
The methods about account holders have a contract of their own, ``AccountHolderContract``.
"""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, fields, is_dataclass
from typing import Any

import pytest

from medusa_payments.providers.base import PaymentProvider
from medusa_payments.providers.types import (
    Failed,
    FailureKind,
    Found,
    Indeterminate,
    LookupResult,
    ProviderPayment,
)
from medusa_payments.statuses import MovementStatus, ProviderState
from medusa_payments.testing.batch_contract import BatchContract
from medusa_payments.testing.evidence_contract import EvidenceContract
from medusa_payments.testing.ledger_contract import LedgerContract
from medusa_payments.testing.provider_steps import ProviderSteps, succeeded

__all__ = ["ProviderContract", "ProviderSteps", "succeeded"]


class ProviderContract(EvidenceContract, BatchContract, LedgerContract):
    """The tests. Override the fixture ``provider`` and the hooks."""

    # Facts about itself

    def test_it_has_an_identifier_and_an_account(self, provider: PaymentProvider) -> None:
        assert provider.identifier
        assert provider.id.startswith(f"pp_{provider.identifier}")
        assert provider.credentials

    def test_its_capabilities_agree_with_each_other(self, provider: PaymentProvider) -> None:
        able = provider.capabilities

        assert able.max_attempts >= 1
        assert able.attempt_seconds > 0
        assert able.total_budget_seconds > 0
        assert able.max_attempts == 1 or able.repeats_with_key
        assert not able.key_retention_seconds or able.repeats_with_key

    def test_a_browser_may_set_no_more_than_the_shop(self, provider: PaymentProvider) -> None:
        if provider.store_data_keys is None:
            assert provider.trusted_data_keys is None
        elif provider.trusted_data_keys is not None:
            assert set(provider.store_data_keys) <= set(provider.trusted_data_keys)

    def test_it_takes_an_ordinary_amount(self, provider: PaymentProvider) -> None:
        provider.check_amount(self.amount_minor, self.currency_code)  # asserts by not raising

        assert not provider.takes_money_at_once({})

    # Initiate

    def test_initiate_names_the_session_and_the_amount(self, provider: PaymentProvider) -> None:
        request = self.initiate_request()

        payment = succeeded(provider.initiate_payment(request)).payment

        assert payment is not None
        assert payment.reference
        assert payment.session_id == request.session_id
        assert (payment.amount_minor, payment.currency_code) == (
            self.amount_minor,
            self.currency_code,
        )
        assert payment.state in ProviderState
        assert payment.state is not ProviderState.CANCELED
        assert payment.observed_at.tzinfo is not None

    def test_initiate_takes_nothing_before_the_buyer_pays(self, provider: PaymentProvider) -> None:
        payment = self.initiated(provider)

        assert (payment.held_minor, payment.captured_minor) == (0, 0)

    @pytest.mark.parametrize(
        ("amount_minor", "currency_code"), [(1_050, "eur"), (500, "jpy"), (12_340, "kwd")]
    )
    def test_amounts_are_in_the_smallest_unit_of_their_currency(
        self, provider: PaymentProvider, amount_minor: int, currency_code: str
    ) -> None:
        request = self.initiate_request(amount_minor=amount_minor, currency_code=currency_code)

        payment = succeeded(provider.initiate_payment(request)).payment

        assert payment is not None
        assert payment.amount_minor == amount_minor

    def test_the_data_of_an_answer_can_be_stored(self, provider: PaymentProvider) -> None:
        answer = succeeded(provider.initiate_payment(self.initiate_request()))

        assert json.loads(json.dumps(dict(answer.data))) == dict(answer.data)

    def test_answers_cannot_be_changed(self, provider: PaymentProvider) -> None:
        answer = provider.initiate_payment(self.initiate_request())

        assert is_dataclass(answer)
        for each in fields(answer):
            with pytest.raises(FrozenInstanceError):
                setattr(answer, each.name, None)

    # Moving money

    def test_authorize_tells_that_the_money_is_held(self, provider: PaymentProvider) -> None:
        payment = self.initiated(provider)
        self.hold(payment)

        found = provider.authorize_payment(self.lookup_request(payment))

        assert isinstance(found, Found)
        assert found.payment.state is ProviderState.HELD
        assert found.payment.held_minor == self.amount_minor

    def test_authorize_changes_nothing(self, provider: PaymentProvider) -> None:
        payment = self.held(provider)

        first = provider.authorize_payment(self.lookup_request(payment))
        second = provider.authorize_payment(self.lookup_request(payment))

        assert _facts(first) == _facts(second)

    def test_capture_takes_the_amount(self, provider: PaymentProvider) -> None:
        payment = self.held(provider)

        answer = succeeded(provider.capture_payment(self.capture_request(payment)))

        if answer.payment is not None:
            assert answer.payment.captured_minor == self.amount_minor
            assert answer.payment.state is ProviderState.CAPTURED

    def test_a_partial_capture_takes_no_more_than_its_amount(
        self, provider: PaymentProvider
    ) -> None:
        if not provider.capabilities.partial_capture:
            pytest.skip("the provider captures only the whole")
        payment = self.held(provider)

        answer = succeeded(provider.capture_payment(self.capture_request(payment, 400)))

        if answer.payment is not None:
            assert answer.payment.captured_minor == 400

    def test_refund_gives_the_amount_back(self, provider: PaymentProvider) -> None:
        payment = self.captured(provider)
        request = self.refund_request(payment, 400)

        answer = succeeded(provider.refund_payment(request))

        if answer.refund is not None:
            assert answer.refund.amount_minor == 400
            assert answer.refund.refund_id == request.refund_id
            assert answer.refund.status in (MovementStatus.SUCCEEDED, MovementStatus.PENDING)

    def test_cancel_releases_what_was_held(self, provider: PaymentProvider) -> None:
        payment = self.held(provider)

        answer = succeeded(provider.cancel_payment(self.cancel_request(payment)))

        if answer.payment is not None:
            assert answer.payment.state is ProviderState.CANCELED
            assert answer.payment.held_minor == 0

    def test_delete_closes_what_nobody_paid(self, provider: PaymentProvider) -> None:
        payment = self.initiated(provider)

        answer = succeeded(provider.delete_payment(self.cancel_request(payment)))

        if answer.payment is not None:
            assert answer.payment.state is ProviderState.CANCELED

    # One key acts once

    def test_an_initiate_repeated_with_its_key_makes_one_object(
        self, provider: PaymentProvider
    ) -> None:
        self.needs(provider.capabilities.repeats_with_key, "repeats_with_key")
        request = self.initiate_request()

        first = succeeded(provider.initiate_payment(request)).payment
        second = succeeded(provider.initiate_payment(request)).payment

        assert first is not None
        assert second is not None
        assert first.reference == second.reference

    def test_a_capture_repeated_with_its_key_takes_once(self, provider: PaymentProvider) -> None:
        self.needs(provider.capabilities.repeats_with_key, "repeats_with_key")
        payment = self.held(provider)
        request = self.capture_request(payment, 400)

        succeeded(provider.capture_payment(request))
        succeeded(provider.capture_payment(request))

        assert self.seen(provider, payment).captured_minor == 400

    def test_a_refund_repeated_with_its_key_gives_back_once(
        self, provider: PaymentProvider
    ) -> None:
        self.needs(provider.capabilities.repeats_with_key, "repeats_with_key")
        payment = self.captured(provider)
        request = self.refund_request(payment, 400)

        succeeded(provider.refund_payment(request))
        succeeded(provider.refund_payment(request))

        assert [each.amount_minor for each in self.refunds(provider, payment)] == [400]

    def test_a_key_used_with_other_arguments_is_no_answer(self, provider: PaymentProvider) -> None:
        self.needs(provider.capabilities.repeats_with_key, "repeats_with_key")
        request = self.initiate_request()
        succeeded(provider.initiate_payment(request))

        answer = provider.initiate_payment(
            self.initiate_request(
                idempotency_key=request.idempotency_key,
                session_id=request.session_id,
                amount_minor=self.amount_minor + 100,
            )
        )

        assert isinstance(answer, Indeterminate)
        assert not answer.ask_again

    # No means that nothing happened

    def test_a_refused_capture_changes_nothing(self, provider: PaymentProvider) -> None:
        self.needs(provider.capabilities.can_look_up, "can_look_up")
        payment = self.initiated(provider)
        before = self.seen(provider, payment)

        answer = provider.capture_payment(self.capture_request(payment))

        assert isinstance(answer, Failed)
        assert answer.kind is FailureKind.WRONG_STATE
        assert _facts(self.seen(provider, payment)) == _facts(before)

    def test_a_refund_of_more_than_was_taken_changes_nothing(
        self, provider: PaymentProvider
    ) -> None:
        self.needs(provider.capabilities.can_look_up, "can_look_up")
        payment = self.captured(provider)

        answer = provider.refund_payment(self.refund_request(payment, self.amount_minor + 100))

        assert isinstance(answer, Failed)
        assert self.refunds(provider, payment) == ()

    def test_a_cancel_after_the_capture_is_refused_with_the_state(
        self, provider: PaymentProvider
    ) -> None:
        self.needs(provider.capabilities.can_look_up, "can_look_up")
        payment = self.captured(provider)

        answer = provider.cancel_payment(self.cancel_request(payment))

        assert isinstance(answer, Failed)
        assert answer.kind is FailureKind.WRONG_STATE
        assert answer.payment is not None
        assert answer.payment.state is ProviderState.CAPTURED

    def test_what_cannot_be_reached_was_not_asked(self, provider: PaymentProvider) -> None:
        self.make_unreachable(provider)

        answer = provider.initiate_payment(self.initiate_request())

        assert isinstance(answer, Failed)
        assert answer.kind is FailureKind.UNAVAILABLE


def _facts(seen: LookupResult | ProviderPayment) -> Any:
    """What was seen, without the time of the look."""
    payment = seen.payment if isinstance(seen, Found) else seen
    assert isinstance(payment, ProviderPayment)
    return {
        each.name: getattr(payment, each.name)
        for each in fields(payment)
        if each.name != "observed_at"
    }
