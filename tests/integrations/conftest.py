from __future__ import annotations

from typing import Any

import pytest
import stripe
from djstripe.models import WebhookEndpoint

from medusa_payments.models import PaymentSession
from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.api.conftest import change, shop_settings
from tests.api.shop import PROVIDER, Api

from .door import API_KEY, DJSTRIPE_SECRET, Door

__all__ = ["change", "shop_settings"]


@pytest.fixture
def change_stripe(shop_settings: Any, change: Any) -> Any:
    """Change some options of our Stripe provider."""

    def do(**options: Any) -> None:
        providers = shop_settings.MEDUSA_PAYMENTS["PROVIDERS"]
        own = providers[PROVIDER]
        changed = own | {"OPTIONS": own["OPTIONS"] | options}
        change(PROVIDERS=providers | {PROVIDER: changed})

    return do


@pytest.fixture
def api(
    transactional_db: None,
    shop_settings: Any,
    change_stripe: Any,
    simulator: StripeSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> Api:
    """A shop with dj-stripe, and with real commits, since they apply what is stored beside it.

    dj-stripe asks the SDK's global client about what an event names.
    """
    change_stripe(API_KEY=API_KEY)
    shop_settings.STRIPE_SECRET_KEY = API_KEY
    monkeypatch.setattr(stripe, "api_base", simulator.url)
    monkeypatch.setattr(stripe, "max_network_retries", 0)
    return Api()


@pytest.fixture
def endpoint(api: Api) -> WebhookEndpoint:
    """As dj-stripe's admin makes it; our settings do not know its secret."""
    made: WebhookEndpoint = WebhookEndpoint.objects.create(
        id="we_of_the_tests",
        livemode=False,
        secret=DJSTRIPE_SECRET,
        url="https://shop.example/stripe/webhook/",
        enabled_events=["*"],
    )
    return made


@pytest.fixture
def door(endpoint: WebhookEndpoint, simulator: StripeSimulator) -> Door:
    return Door(endpoint, simulator)


@pytest.fixture
def session(api: Api) -> PaymentSession:
    api.session(api.collection())
    found: PaymentSession = PaymentSession.objects.get()
    return found


@pytest.fixture
def event(session: PaymentSession, simulator: StripeSimulator) -> str:
    """The id of the event that tells that the buyer has paid."""
    simulator.pay(session.provider_reference)
    (found,) = simulator.events(["payment_intent.amount_capturable_updated"])
    return str(found["id"])


@pytest.fixture
def idle_djstripe(api: Api, settings: Any) -> None:
    """dj-stripe verifies and sends its signals, but processes nothing and asks Stripe nothing."""
    settings.DJSTRIPE_WEBHOOK_EVENT_CALLBACK = lambda trigger, api_key: None
