"""Fixtures of the tests of laws and operations; their ``conftest`` files import them."""

from __future__ import annotations

from typing import Any

import pytest

from medusa_payments.providers.registry import get_provider
from medusa_payments.testing.stripe_simulator import StripeSimulator

from .scenes import FAKE, FAKE_SINGLE, STRIPE, StagedProvider


def configure(settings: Any, **changes: Any) -> None:
    """Change settings of MEDUSA_PAYMENTS; providers are built anew."""
    settings.MEDUSA_PAYMENTS = {**settings.MEDUSA_PAYMENTS, **changes}


def configure_stripe(settings: Any, **options: Any) -> None:
    providers = dict(settings.MEDUSA_PAYMENTS["PROVIDERS"])
    stripe = dict(providers[STRIPE])
    providers[STRIPE] = {**stripe, "OPTIONS": {**stripe["OPTIONS"], **options}}
    configure(settings, PROVIDERS=providers)


@pytest.fixture
def shop(stripe_settings: Any) -> Any:
    """The settings of a shop with Stripe and two fakes. A call at Stripe is tried once: no attempt
    may start that could end after the budget."""
    backend = {"BACKEND": "tests.laws.scenes.StagedProvider"}
    configure(
        stripe_settings,
        PROVIDERS={
            **stripe_settings.MEDUSA_PAYMENTS["PROVIDERS"],
            FAKE: backend,
            FAKE_SINGLE: {**backend, "OPTIONS": {"CAPTURES_PER_AUTHORIZATION": 1}},
        },
    )
    configure_stripe(stripe_settings, READ_TIMEOUT=5.0, TOTAL_BUDGET=5.0)
    return stripe_settings


@pytest.fixture
def stripe(shop: Any, simulator: StripeSimulator) -> StripeSimulator:
    """Stripe's simulator, set up as ``pp_stripe_stripe``; its events wait to be delivered."""
    simulator.hold()
    return simulator


@pytest.fixture
def fake(shop: Any) -> StagedProvider:
    provider = get_provider(FAKE)
    assert isinstance(provider, StagedProvider)
    return provider


@pytest.fixture
def fake_single(shop: Any) -> StagedProvider:
    provider = get_provider(FAKE_SINGLE)
    assert isinstance(provider, StagedProvider)
    return provider
