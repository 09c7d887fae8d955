"""Customers, SetupIntents and saved methods against the simulator and Stripe's own description."""

from __future__ import annotations

from typing import Any

import pytest

from medusa_payments.providers.base import PaymentProvider
from medusa_payments.providers.stripe import StripeProvider
from medusa_payments.testing.account_holder_contract import AccountHolderContract
from medusa_payments.testing.provider_steps import ProviderSteps, succeeded
from medusa_payments.testing.stripe_simulator import StripeSimulator

from .conftest import MakeProvider

OPERATIONS = {
    "create_account_holder": "customers.create",
    "update_account_holder": "customers.update",
    "delete_account_holder": "customers.delete",
    "save_payment_method": "setup_intents.create",
}
steps = ProviderSteps()


class TestTheContract(AccountHolderContract):
    @pytest.fixture(autouse=True)
    def _simulated(self, simulator: StripeSimulator) -> None:
        self.stripe = simulator

    @pytest.fixture
    def provider(self, make_provider: MakeProvider) -> StripeProvider:
        return make_provider()

    def lose_next_answer(self, provider: PaymentProvider, method: str) -> None:
        self.stripe.fault("drop_after", OPERATIONS[method])

    def drop_next_request(self, provider: PaymentProvider, method: str) -> None:
        self.stripe.fault("drop_before", OPERATIONS[method])


def test_more_customers_than_a_page_are_all_looked_at(
    make_provider: MakeProvider, simulator: StripeSimulator
) -> None:
    provider = make_provider()
    wanted = steps.holder_request()
    reference = succeeded(provider.create_account_holder(wanted)).data["id"]
    for _ in range(101):
        provider.create_account_holder(steps.holder_request())

    found: Any = provider.lookup_account_holder(steps.holder_lookup(wanted.account_holder_id))

    assert [each.reference for each in found.objects] == [reference]


def test_what_is_not_known_of_a_customer_is_not_sent(
    make_provider: MakeProvider, simulator: StripeSimulator
) -> None:
    request = steps.holder_request(customer={"id": "customer_1"})

    make_provider().create_account_holder(request)

    (sent,) = simulator.requests("customers.create")
    assert sent["params"] == {"metadata": {"account_holder_id": request.account_holder_id}}
