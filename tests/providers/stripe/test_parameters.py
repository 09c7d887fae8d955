from __future__ import annotations

from typing import Any

import pytest

from medusa_payments.errors import InvalidData
from medusa_payments.providers.stripe.options import StripeOptions
from medusa_payments.providers.stripe.parameters import check_data, initiate_parameters
from medusa_payments.providers.stripe.variants import StripeIdealProvider, StripeOxxoProvider
from medusa_payments.providers.types import InitiateRequest

NO_REDIRECTS = {"enabled": True, "allow_redirects": "never"}


def parameters(
    data: dict[str, Any] | None = None,
    customer: Any = None,
    defaults: Any = None,
    **options: Any,
) -> dict[str, Any]:
    request = InitiateRequest(
        idempotency_key="call_1",
        session_id="payses_1",
        amount_minor=1050,
        currency_code="EUR",
        data=data or {},
        customer=customer or {},
    )
    read = StripeOptions.read({"API_KEY": "sk_test_1", **options})
    return initiate_parameters(request, read, defaults or {})


def test_without_data_only_what_is_needed_is_sent() -> None:
    assert parameters() == {
        "amount": 1050,
        "currency": "eur",
        "capture_method": "manual",
        "metadata": {"session_id": "payses_1"},
    }


def test_our_marker_cannot_be_overwritten() -> None:
    sent = parameters({"metadata": {"session_id": "payses_other", "cart": "c1"}})

    assert sent["metadata"] == {"session_id": "payses_1", "cart": "c1"}


@pytest.mark.parametrize("key", ["amount", "currency", "customer", "id", "client_secret", "status"])
def test_data_cannot_set_what_is_no_override(key: str) -> None:
    assert parameters({key: "other"}) == parameters()


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"capture_method": "automatic"}, {"capture_method": "automatic"}),
        ({"payment_description": "Order 1"}, {"description": "Order 1"}),
        ({"payment_method_types": ["card"]}, {"payment_method_types": ["card"]}),
        ({"setup_future_usage": "off_session"}, {"setup_future_usage": "off_session"}),
        ({"payment_method": "pm_1"}, {"payment_method": "pm_1"}),
    ],
)
def test_overrides_are_sent(data: dict[str, Any], expected: dict[str, Any]) -> None:
    assert parameters(data) == parameters() | expected


@pytest.mark.parametrize("key", ["return_url", "off_session"])
def test_what_stripe_takes_only_with_confirm_is_left_out_without_it(key: str) -> None:
    value = True if key == "off_session" else "https://shop.example"

    assert parameters({key: value}) == parameters()
    assert parameters({key: value, "confirm": True})[key] == value


@pytest.mark.parametrize(
    ("data", "sent"),
    [
        ({"confirm": True}, NO_REDIRECTS),
        ({"confirm": True, "return_url": "https://shop.example"}, None),
        ({"confirm": True, "payment_method_types": ["card"]}, None),
        ({"confirm": False}, None),
    ],
)
def test_confirming_without_a_return_url_excludes_redirects(
    data: dict[str, Any], sent: Any
) -> None:
    assert parameters(data).get("automatic_payment_methods") == sent


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"CAPTURE": "automatic"}, {"capture_method": "automatic"}),
        ({"PAYMENT_DESCRIPTION": "Shop"}, {"description": "Shop"}),
        ({"AUTOMATIC_PAYMENT_METHODS": True}, {"automatic_payment_methods": {"enabled": True}}),
        ({"PAYMENT_METHOD_CONFIGURATION": "pmc_1"}, {"payment_method_configuration": "pmc_1"}),
    ],
)
def test_options_are_sent(options: dict[str, Any], expected: dict[str, Any]) -> None:
    assert parameters(**options) == parameters() | expected


@pytest.mark.parametrize("options", [{}, {"AUTOMATIC_PAYMENT_METHODS": True}])
def test_methods_of_the_options_do_not_redirect_a_server_either(options: Any) -> None:
    sent = parameters({"confirm": True}, **options)

    assert sent["automatic_payment_methods"] == NO_REDIRECTS


def test_the_data_of_a_server_decides_on_redirects_itself() -> None:
    chosen = {"enabled": True, "allow_redirects": "always"}

    sent = parameters({"confirm": True, "automatic_payment_methods": chosen})

    assert sent["automatic_payment_methods"] == chosen


@pytest.mark.parametrize(
    ("data", "sent"),
    [
        ({}, {"payment_method_types": ["ideal"]}),
        ({"payment_method_types": ["card"]}, {"payment_method_types": ["card"]}),
        (
            {"automatic_payment_methods": {"enabled": True}},
            {"automatic_payment_methods": {"enabled": True}},
        ),
    ],
)
def test_the_choices_of_methods_are_never_mixed(data: Any, sent: Any) -> None:
    defaults = {"payment_method_types": ["ideal"]}

    assert parameters(data, None, defaults, AUTOMATIC_PAYMENT_METHODS=True) == parameters() | sent


def test_chosen_methods_replace_those_of_the_options() -> None:
    sent = parameters({"payment_method_types": ["card"]}, AUTOMATIC_PAYMENT_METHODS=True)

    assert "automatic_payment_methods" not in sent


@pytest.mark.parametrize(
    ("customer", "expected"),
    [({"id": "cus_1"}, {"customer": "cus_1"}), ({"id": "17"}, {}), ({"email": "a@b.c"}, {})],
)
def test_only_a_customer_of_stripe_is_named(customer: Any, expected: dict[str, str]) -> None:
    assert parameters(customer=customer) == parameters() | expected


@pytest.mark.parametrize(
    "data",
    [
        {"confirm": "false"},
        {"metadata": "x"},
        {"metadata": {"a": {"b": 1}}},
        {"payment_method": {"card": {}}},
        {"payment_method_types": "card"},
        {"payment_method_types": [1]},
        {"return_url": ["https://shop.example"]},
        {"off_session": 1},
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(InvalidData):
        check_data(data)
    with pytest.raises(InvalidData):
        parameters(data)


def test_nothing_means_nothing() -> None:
    assert parameters({"payment_method": None, "confirm": None}) == parameters()


def test_a_variant_offers_its_method() -> None:
    options = {"API_KEY": "sk_test_1"}
    ideal = StripeIdealProvider("pp_stripe-ideal_stripe", options)
    oxxo = StripeOxxoProvider("pp_stripe-oxxo_stripe", options)

    assert ideal._initiate_defaults() == {
        "capture_method": "automatic",
        "payment_method_types": ["ideal"],
    }
    assert oxxo._initiate_defaults()["payment_method_options"] == {
        "oxxo": {"expires_after_days": 3}
    }
    assert ideal.credentials == oxxo.credentials
