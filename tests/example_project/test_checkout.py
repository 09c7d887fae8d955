"""The checkout in a real browser, with the simulator's Stripe.js.

`UPDATE_SCREENSHOTS=1` renews the pictures in `docs/screenshots`.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from example_project.shop.models import Cart, Order
from medusa_payments.models import PaymentSession

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

_SCREENSHOTS = Path(__file__).resolve().parents[2] / "docs" / "screenshots"
_SIZE = {"width": 1000, "height": 560}


def screenshot(page: Any, name: str) -> None:
    if os.environ.get("UPDATE_SCREENSHOTS") == "1":
        page.screenshot(path=_SCREENSHOTS / f"{name}.png")


@pytest.fixture
def checkout(page: Any, live_api: Any, simulator: Any, settings: Any, lamp: Any) -> Any:
    """The checkout of a visitor with one lamp in the cart."""
    settings.STRIPE_JS_URL = f"{simulator.url}/v3/"
    settings.STRIPE_PUBLISHABLE_KEY = "pk_test_of_the_tests"
    page.set_default_timeout(20_000)
    page.set_viewport_size(_SIZE)
    page.goto(live_api.url)
    page.get_by_role("button", name="Add Reading lamp to the cart").click()
    page.get_by_role("link", name="Check out").click()
    page.locator("#act:enabled").wait_for()  # the page's scripts are there
    return page


def start(checkout: Any, card: str = "pm_card_visa") -> None:
    checkout.get_by_role("button", name="Continue to payment").click()
    checkout.get_by_label("Test card (simulator)").select_option(card)


def pay(checkout: Any) -> None:
    checkout.get_by_role("button", name="Pay €64.90").click()


def wait_until_paid(checkout: Any) -> None:
    checkout.wait_for_url("**/orders/**")
    checkout.get_by_role("heading", name="Thank you").wait_for()


def test_buyer_pays_and_the_webhook_marks_the_order_paid(checkout, simulator):
    simulator.hold()
    start(checkout)
    screenshot(checkout, "checkout")

    pay(checkout)
    checkout.get_by_text("Not paid yet", exact=True).wait_for()
    assert not Order.objects.get().is_paid
    simulator.deliver()
    simulator.release()

    wait_until_paid(checkout)
    screenshot(checkout, "order")
    assert Order.objects.get().is_paid
    assert simulator.ledger()["totals"]["eur"]["held"] == 6490


def test_declined_card_can_be_followed_by_another(checkout, simulator):
    start(checkout, "pm_card_chargeDeclined")

    pay(checkout)
    checkout.get_by_role("alert").get_by_text("declined").wait_for()
    checkout.get_by_label("Test card (simulator)").select_option("pm_card_visa")
    pay(checkout)

    wait_until_paid(checkout)
    assert simulator.ledger()["totals"]["eur"]["held"] == 6490


@pytest.mark.parametrize("answer", ["Complete", "Fail"])
def test_3d_secure(checkout, simulator, answer):
    start(checkout, "pm_card_threeDSecure2Required")

    pay(checkout)
    checkout.get_by_role("button", name=answer).click()

    if answer == "Complete":
        wait_until_paid(checkout)
    else:
        checkout.get_by_role("alert").wait_for()
        assert simulator.ledger()["totals"]["eur"]["held"] == 0


def test_lost_answer_is_told_and_tried_again(checkout, simulator):
    simulator.fault("drop_after", "payment_intents.create", times=None)

    checkout.get_by_role("button", name="Continue to payment").click()
    checkout.get_by_role("alert").get_by_text("did not answer").wait_for()
    simulator.clear_faults()
    checkout.get_by_role("button", name="Try again").click()
    pay(checkout)

    wait_until_paid(checkout)
    simulator.wait_for_deliveries()
    assert PaymentSession.deleted_objects.filter(indeterminate=True).count() == 1
    totals = simulator.ledger()["totals"]["eur"]
    assert (totals["intents"], totals["held"], totals["amount_received"]) == (2, 6490, 0)


def test_stripe_out_of_reach_is_told_and_tried_again(checkout, simulator):
    simulator.stop()

    checkout.get_by_role("button", name="Continue to payment").click()
    checkout.get_by_role("button", name="Try again").wait_for()
    simulator.start()
    checkout.get_by_role("button", name="Try again").click()
    pay(checkout)

    wait_until_paid(checkout)


def test_payment_whose_answer_the_browser_lost_is_found(checkout, simulator):
    start(checkout)
    simulator.fault("drop_after", "payment_intents.confirm", times=1)

    pay(checkout)

    wait_until_paid(checkout)
    assert Cart.objects.count() == 1


def test_click_before_the_script_is_there_is_not_lost(checkout):
    def late(route: Any) -> None:
        time.sleep(1)
        route.continue_()

    checkout.route("**/checkout.js", late)
    checkout.reload(wait_until="commit")
    start(checkout)

    pay(checkout)

    wait_until_paid(checkout)


def test_cart_changed_in_another_tab_is_shown_before_it_is_paid(checkout, lamp):
    cart = Cart.objects.get()
    cart.lines.update(quantity=2)

    checkout.get_by_role("button", name="Continue to payment").click()

    checkout.get_by_role("cell", name="€129.80").first.wait_for()
    assert not PaymentSession.objects.exists()


def test_checkout_works_on_a_telephone(checkout):
    checkout.set_viewport_size({"width": 380, "height": 800})
    start(checkout)

    width = checkout.evaluate("document.documentElement.scrollWidth")
    assert width <= 380
