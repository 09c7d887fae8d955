from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.api import shop
from tests.conftest import WEBHOOK_SECRET


@pytest.fixture
def shop_settings(stripe_settings: Any, simulator: StripeSimulator) -> Iterator[Any]:
    """As ``stripe_settings``, with the carts of these tests, and a little less patient.

    Events are signed for an endpoint that nobody posts to: a test delivers what it wants.
    """
    simulator.set_webhook("http://127.0.0.1:9/", WEBHOOK_SECRET)
    simulator.hold()
    own = stripe_settings.MEDUSA_PAYMENTS
    stripe = own["PROVIDERS"][shop.PROVIDER]
    options = {**stripe["OPTIONS"], "READ_TIMEOUT": 0.7, "TOTAL_BUDGET": 2.0}
    stripe_settings.MEDUSA_PAYMENTS = own | {
        "PROVIDERS": own["PROVIDERS"] | {shop.PROVIDER: stripe | {"OPTIONS": options}},
        "CART_RESOLVER": "tests.api.shop.resolve_cart",
    }
    yield stripe_settings
    shop.CARTS.clear()


@pytest.fixture
def change(shop_settings: Any) -> Any:
    """Change some of MEDUSA_PAYMENTS."""

    def do(**values: Any) -> None:
        shop_settings.MEDUSA_PAYMENTS = shop_settings.MEDUSA_PAYMENTS | values

    return do


@pytest.fixture
def api(db: None, shop_settings: Any) -> shop.Api:
    return shop.Api()
