"""What is refused before it is executed, and how refusals look."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from typing import Any

import pytest
import stripe

from .conftest import error_of


@pytest.mark.parametrize(
    ("values", "code", "param"),
    [
        ({"currency": "eur"}, "parameter_missing", "amount"),
        ({"amount": 1000}, "parameter_missing", "currency"),
        ({"amount": "ten", "currency": "eur"}, "parameter_invalid_integer", "amount"),
        ({"amount": "10.5", "currency": "eur"}, "parameter_invalid_integer", "amount"),
        ({"amount": "", "currency": "eur"}, "parameter_invalid_empty", "amount"),
        ({"amount": 0, "currency": "eur"}, "amount_too_small", "amount"),
        ({"amount": -5, "currency": "eur"}, "amount_too_small", "amount"),
        ({"amount": 100_000_000, "currency": "eur"}, "amount_too_large", "amount"),
        ({"amount": 1000, "currency": "xxx"}, None, "currency"),
        ({"amount": 1001, "currency": "kwd"}, "parameter_invalid_integer", "amount"),
        ({"amount": 1050, "currency": "isk"}, "parameter_invalid_integer", "amount"),
        ({"amount": 1050, "currency": "ugx"}, "parameter_invalid_integer", "amount"),
        (
            {"amount": 1000, "currency": "eur", "idempotency": "x"},
            "parameter_unknown",
            "idempotency",
        ),
        ({"amount": 1000, "currency": "eur", "capture_method": "later"}, None, "capture_method"),
        ({"amount": 1000, "currency": "eur", "confirm": "maybe"}, None, "confirm"),
        ({"amount": 1000, "currency": "eur", "customer": "cus_x"}, "resource_missing", "customer"),
        (
            {"amount": 1000, "currency": "eur", "payment_method": "pm_x"},
            "resource_missing",
            "payment_method",
        ),
        ({"amount": 1000, "currency": "eur", "off_session": True}, None, "off_session"),
        (
            {"amount": 1000, "currency": "eur", "return_url": "https://x.example"},
            None,
            "return_url",
        ),
        ({"amount": 1000, "currency": "eur", "metadata": "x"}, None, "metadata"),
        (
            {"amount": 1000, "currency": "eur", "metadata": {"k" * 41: "v"}},
            None,
            f"metadata[{'k' * 41}]",
        ),
        ({"amount": 1000, "currency": "eur", "metadata": {"k": "v" * 501}}, None, "metadata[k]"),
        (
            {
                "amount": 1000,
                "currency": "eur",
                "metadata": {f"k{number}": "v" for number in range(51)},
            },
            None,
            "metadata",
        ),
        (
            {
                "amount": 1000,
                "currency": "eur",
                "payment_method_types": ["card"],
                "automatic_payment_methods": {"enabled": True},
            },
            None,
            "payment_method_types",
        ),
    ],
)
def test_wrong_parameters_of_an_intent_are_refused(
    client: Any, simulator: Any, values: dict[str, Any], code: str | None, param: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as raised:
        client.payment_intents.create(values)

    assert (raised.value.http_status, raised.value.code, raised.value.param) == (400, code, param)
    assert simulator.ledger()["intents"] == {}
    assert simulator.requests()[0]["executed"] is False


@pytest.mark.parametrize(
    ("amount", "currency"),
    [(1, "eur"), (99_999_999, "usd"), (1000, "jpy"), (1010, "kwd"), (1000, "isk"), (1000, "UGX")],
)
def test_amounts_that_stripe_takes(client: Any, amount: int, currency: str) -> None:
    intent = client.payment_intents.create({"amount": amount, "currency": currency})

    assert (intent.amount, intent.currency) == (amount, currency.lower())


def test_unknown_parameter_is_named_in_the_message(client: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="Received unknown parameter: invented"):
        client.payment_intents.create({"amount": 1000, "currency": "eur", "invented": 1})


@pytest.mark.parametrize(
    "service",
    [
        "payment_intents",
        "refunds",
        "charges",
        "customers",
        "payment_methods",
        "setup_intents",
        "disputes",
        "events",
    ],
)
def test_unknown_id_is_404_resource_missing(client: Any, service: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as raised:
        getattr(client, service).retrieve("xx_missing")

    assert (raised.value.http_status, raised.value.code) == (404, "resource_missing")


@pytest.mark.parametrize("values", [{}, {"amount": 100}])
def test_refund_needs_a_charge_or_an_intent(client: Any, values: dict[str, Any]) -> None:
    with pytest.raises(stripe.InvalidRequestError) as raised:
        client.refunds.create(values)

    assert raised.value.code == "parameter_missing"


@pytest.mark.parametrize("amount", [0, -1])
def test_refund_of_nothing_is_refused(client: Any, make_paid: Any, amount: int) -> None:
    with pytest.raises(stripe.InvalidRequestError) as raised:
        client.refunds.create({"payment_intent": make_paid().id, "amount": amount})

    assert (raised.value.code, raised.value.param) == ("parameter_invalid_integer", "amount")


@pytest.mark.parametrize("api_key", ["nonsense", "sk_test_bad"])
def test_wrong_key_is_an_authentication_error(connect: Any, simulator: Any, api_key: str) -> None:
    simulator.refuse_key("sk_test_bad")

    with pytest.raises(stripe.AuthenticationError) as raised:
        connect(api_key).v1.payment_intents.create({"amount": 1000, "currency": "eur"})

    assert raised.value.http_status == 401
    assert error_of(raised).type == "invalid_request_error"


def test_missing_key_is_an_authentication_error(simulator: Any) -> None:
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(f"{simulator.url}/v1/payment_intents")

    assert raised.value.code == 401
    assert json.load(raised.value)["error"]["type"] == "invalid_request_error"


def test_basic_authentication_is_taken(simulator: Any) -> None:
    credentials = base64.b64encode(b"sk_test_tests:").decode()
    request = urllib.request.Request(
        f"{simulator.url}/v1/account", headers={"Authorization": f"Basic {credentials}"}
    )

    with urllib.request.urlopen(request) as response:
        assert json.load(response)["object"] == "account"


def test_publishable_key_may_only_use_an_intent_with_its_secret(
    connect: Any, make_intent: Any
) -> None:
    intent, public = make_intent(), connect("pk_test_tests").v1.payment_intents

    with pytest.raises(stripe.AuthenticationError):
        public.create({"amount": 1000, "currency": "eur"})
    with pytest.raises(stripe.AuthenticationError):
        public.retrieve(intent.id)
    with pytest.raises(stripe.InvalidRequestError):
        public.retrieve(intent.id, {"client_secret": f"{intent.id}_secret_guessed"})
    confirmed = public.confirm(
        intent.id, {"client_secret": intent.client_secret, "payment_method": "pm_card_visa"}
    )
    assert confirmed.status == "succeeded"
    assert "metadata" not in confirmed


def test_every_answer_bears_request_id_and_version(client: Any, simulator: Any) -> None:
    headers = client.accounts.retrieve_current().last_response.headers
    assert headers["Request-Id"].startswith("req_")
    assert headers["Stripe-Version"] == stripe.api_version

    with pytest.raises(stripe.InvalidRequestError) as raised:
        client.payment_intents.retrieve("pi_missing")
    assert raised.value.request_id == simulator.requests()[-1]["id"]


def test_unknown_url_is_404(simulator: Any) -> None:
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(f"{simulator.url}/v1/invented")

    assert raised.value.code == 404
    assert json.load(raised.value)["error"]["type"] == "invalid_request_error"


def test_metadata_keys_may_be_numbers(client: Any) -> None:
    intent = client.payment_intents.create(
        {"amount": 1000, "currency": "eur", "metadata": {"0": "a", "7": "b"}}
    )

    assert intent.metadata.to_dict() == {"0": "a", "7": "b"}


def test_expansion_reaches_through_objects(client: Any, make_paid: Any) -> None:
    customer = client.customers.create({"email": "a@example.com"})
    paid = make_paid(customer=customer.id)
    refund = client.refunds.create(
        {"payment_intent": paid.id, "expand": ["charge", "payment_intent.latest_charge"]}
    )
    intent = client.payment_intents.retrieve(paid.id, {"expand": ["customer", "payment_method"]})

    assert paid.latest_charge == refund.charge.id
    assert refund.payment_intent.latest_charge.id == refund.charge.id
    assert (intent.customer.email, intent.payment_method.card.brand) == ("a@example.com", "visa")


@pytest.mark.parametrize(
    "path", ["invented", "latest_charge.invented", "metadata", "data.latest_charge"]
)
def test_expansion_of_what_cannot_be_is_refused(client: Any, make_intent: Any, path: str) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        client.payment_intents.retrieve(make_intent().id, {"expand": [path]})
