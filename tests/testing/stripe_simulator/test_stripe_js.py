"""The fake Stripe.js: served, and driven in a real browser where there is one."""

from __future__ import annotations

import shutil
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
# The page is a made-up public one, which browsers keep from asking loopback addresses.
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests",
]
PAGE = """<!doctype html><div id="card"></div><script src="{origin}/v3/"></script>"""
MOUNT = """(secret) => new Promise((resolve) => {
  window.stripe = Stripe("pk_test_tests");
  window.elements = stripe.elements({ clientSecret: secret });
  const element = elements.create("payment");
  element.on("ready", resolve);
  element.mount("#card");
})"""
CONFIRM = """() => {
  window.result = stripe.confirmPayment({
    elements, confirmParams: { return_url: location.href }, redirect: "if_required",
  });
}"""


def test_script_is_served_with_and_without_a_slash(simulator: Any) -> None:
    for path in ("/v3", "/v3/"):
        with urllib.request.urlopen(simulator.url + path) as response:
            assert response.headers["Content-Type"].startswith("text/javascript")
            assert b"window.Stripe = Stripe" in response.read()


def test_other_origins_may_ask_with_a_publishable_key(simulator: Any, make_intent: Any) -> None:
    intent = make_intent()
    url = f"{simulator.url}/v1/payment_intents/{intent.id}"
    preflight = urllib.request.Request(url, method="OPTIONS")
    query = urllib.parse.urlencode({"client_secret": intent.client_secret})
    asked = urllib.request.Request(
        f"{url}?{query}", headers={"Authorization": "Bearer pk_test_tests"}
    )

    for request in (preflight, asked):
        with urllib.request.urlopen(request) as response:
            assert response.headers["Access-Control-Allow-Origin"] == "*"


def test_bank_page_sends_the_buyer_back(simulator: Any, make_paid: Any) -> None:
    intent = make_paid(
        payment_method="pm_card_threeDSecure2Required",
        return_url=f"{simulator.url}/_simulator/health?a=b",
    )
    url = intent.next_action.redirect_to_url.url
    with urllib.request.urlopen(url) as page:
        assert b"Complete" in page.read()

    with urllib.request.urlopen(url, data=b"outcome=complete") as returned:
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(returned.url).query)

    assert query["a"] == ["b"]
    assert query["payment_intent"] == [intent.id]
    assert query["redirect_status"] == ["succeeded"]
    assert simulator.object(intent.id)["status"] == "succeeded"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("needs a browser: install chromium")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as running:
        opened = running.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def checkout(browser: Any, simulator: Any, make_intent: Any) -> Iterator[Any]:
    """A page of another origin with the card form of a fresh intent."""
    page = browser.new_page()
    page.route(
        "http://shop.example/",
        lambda route: route.fulfill(
            body=PAGE.format(origin=simulator.url), content_type="text/html"
        ),
    )
    page.goto("http://shop.example/")
    page.intent = make_intent(1000, capture_method="manual")
    page.evaluate(MOUNT, page.intent.client_secret)
    yield page
    page.close()


@pytest.mark.browser
def test_card_that_succeeds(checkout: Any, simulator: Any) -> None:
    checkout.evaluate(CONFIRM)

    result = checkout.evaluate("() => window.result")
    assert result["paymentIntent"]["status"] == "requires_capture"
    assert simulator.ledger()["intents"][checkout.intent.id]["held"] == 1000


@pytest.mark.browser
def test_card_that_is_declined(checkout: Any) -> None:
    checkout.get_by_label("Test card (simulator)").select_option("pm_card_chargeDeclined")
    checkout.evaluate(CONFIRM)

    error = checkout.evaluate("() => window.result")["error"]
    assert (error["type"], error["code"]) == ("card_error", "card_declined")
    assert error["payment_intent"]["status"] == "requires_payment_method"


@pytest.mark.browser
@pytest.mark.parametrize("button", ["Complete", "Fail"])
def test_card_that_asks_for_3d_secure(checkout: Any, button: str) -> None:
    checkout.get_by_label("Test card (simulator)").select_option("pm_card_threeDSecure2Required")
    checkout.evaluate(CONFIRM)
    checkout.get_by_role("button", name=button).click()

    result = checkout.evaluate("() => window.result")
    if button == "Complete":
        assert result["paymentIntent"]["status"] == "requires_capture"
    else:
        assert result["error"]["code"] == "payment_intent_authentication_failure"


@pytest.mark.browser
def test_card_confirmed_by_secret(checkout: Any) -> None:
    secret = checkout.intent.client_secret
    card = "{ payment_method: { card: elements.getElement('payment') } }"
    script = f"(secret) => stripe.confirmCardPayment(secret, {card})"

    assert checkout.evaluate(script, secret)["paymentIntent"]["status"] == "requires_capture"
    retrieved = checkout.evaluate("(secret) => stripe.retrievePaymentIntent(secret)", secret)
    assert retrieved["paymentIntent"]["id"] == checkout.intent.id


@pytest.mark.browser
def test_success_redirects_where_asked(checkout: Any) -> None:
    checkout.route("http://shop.example/done**", lambda route: route.fulfill(body="done"))
    given = "confirmParams: { return_url: 'http://shop.example/done' }"
    script = f"() => {{ stripe.confirmPayment({{ elements, {given} }}); }}"

    checkout.evaluate(script)

    checkout.wait_for_url("**/done?**redirect_status=succeeded**")
