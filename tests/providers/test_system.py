from __future__ import annotations

import pytest

from medusa_payments.providers.system import SystemProvider
from medusa_payments.providers.types import LookupRequest, NoAnswer
from medusa_payments.testing.provider_contract import ProviderContract, succeeded


class TestSystemProvider(ProviderContract):
    @pytest.fixture
    def provider(self) -> SystemProvider:
        return SystemProvider("pp_system_default", {})

    def test_its_object_is_the_session(self, provider: SystemProvider) -> None:
        request = self.initiate_request()

        answer = succeeded(provider.initiate_payment(request))

        assert answer.payment is not None
        assert answer.payment.reference == request.session_id
        assert answer.data == {}

    def test_it_shows_nothing_of_what_happened_afterwards(self, provider: SystemProvider) -> None:
        payment = self.held(provider)

        assert succeeded(provider.capture_payment(self.capture_request(payment))).payment is None
        assert succeeded(provider.refund_payment(self.refund_request(payment))).refund is None
        assert succeeded(provider.cancel_payment(self.cancel_request(payment))).payment is None

    def test_it_takes_any_data(self, provider: SystemProvider) -> None:
        assert provider.store_data_keys is None

    def test_it_does_not_guess_an_amount(self, provider: SystemProvider) -> None:
        assert isinstance(provider.authorize_payment(LookupRequest(session_id="s")), NoAnswer)

    def test_it_cannot_be_asked(self, provider: SystemProvider) -> None:
        assert isinstance(provider.lookup(LookupRequest(session_id="s", reference="s")), NoAnswer)
