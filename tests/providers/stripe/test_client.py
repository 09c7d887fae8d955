from __future__ import annotations

import logging
import os

import pytest
import stripe

from medusa_payments.providers.stripe.client import STRIPE_VERSION, StripeClients
from medusa_payments.providers.stripe.options import StripeOptions
from medusa_payments.testing.provider_contract import ProviderSteps
from medusa_payments.testing.stripe_simulator import StripeSimulator

from .conftest import MakeProvider


def test_the_pinned_version_is_the_one_that_the_sdk_knows() -> None:
    assert stripe.api_version == STRIPE_VERSION


def test_the_version_and_our_key_are_sent(
    make_provider: MakeProvider, simulator: StripeSimulator
) -> None:
    request = ProviderSteps().initiate_request()

    make_provider().initiate_payment(request)

    (sent,) = simulator.requests()
    assert sent["stripe_version"] == STRIPE_VERSION
    assert sent["idempotency_key"] == request.idempotency_key


def test_two_providers_keep_their_keys_apart(
    make_provider: MakeProvider, simulator: StripeSimulator
) -> None:
    simulator.assign_key("sk_test_other", "acct_other")
    first, second = make_provider(), make_provider(API_KEY="sk_test_other")

    for provider in (first, second, first):
        provider.initiate_payment(ProviderSteps().initiate_request())

    accounts = [each["account"] for each in simulator.requests()]
    assert accounts == ["acct_simulator", "acct_other", "acct_simulator"]


def test_a_client_is_not_carried_over_a_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    clients = StripeClients(StripeOptions.read({"API_KEY": "sk_test_1"}))
    before = clients.writing
    assert clients.writing is before

    monkeypatch.setattr(os, "getpid", lambda: -1)

    assert clients.writing is not before


def test_the_sdk_logs_no_secrets(
    make_provider: MakeProvider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    make_provider().initiate_payment(ProviderSteps().initiate_request())

    assert "_secret_" not in caplog.text
    assert "sk_test" not in caplog.text
