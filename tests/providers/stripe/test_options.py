from __future__ import annotations

from typing import Any

import pytest

from medusa_payments.errors import ConfigurationError
from medusa_payments.providers.stripe import StripeProvider
from medusa_payments.providers.stripe.options import StripeOptions

KEY = "sk_test_of_the_tests"


def test_only_the_key_is_needed() -> None:
    options = StripeOptions.read({"API_KEY": KEY})

    assert options.capture == "manual"
    assert (options.connect_timeout, options.read_timeout, options.total_budget) == (3.05, 20, 50)
    assert options.webhook_secrets == ()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "API_KEY"),
        ({"API_KEY": ""}, "API_KEY"),
        ({"API_KEY": "pk_test_1"}, "API_KEY"),
        ({"API_KEY": "sk_test_1\n"}, "API_KEY"),
        ({"API_KEY": None}, "API_KEY"),
        ({"API_KEY": KEY, "API_KAY": 1}, "API_KAY"),
        ({"API_KEY": KEY, "CAPTURE": "later"}, "CAPTURE"),
        ({"API_KEY": KEY, "CAPTURE": True}, "CAPTURE"),
        ({"API_KEY": KEY, "WEBHOOK_SECRETS": "whsec_1"}, "WEBHOOK_SECRETS"),
        ({"API_KEY": KEY, "WEBHOOK_SECRETS": (1,)}, "WEBHOOK_SECRETS"),
        ({"API_KEY": KEY, "API_BASE": "127.0.0.1:9210"}, "API_BASE"),
        ({"API_KEY": KEY, "API_BASE": "http://127.0.0.1:9210/v1"}, "API_BASE"),
        ({"API_KEY": KEY, "API_BASE": "ftp://stripe.example"}, "API_BASE"),
        ({"API_KEY": KEY, "ACCOUNT_ID": "1"}, "ACCOUNT_ID"),
        ({"API_KEY": KEY, "READ_TIMEOUT": 0}, "READ_TIMEOUT"),
        ({"API_KEY": KEY, "READ_TIMEOUT": "20"}, "READ_TIMEOUT"),
        ({"API_KEY": KEY, "TOTAL_BUDGET": True}, "TOTAL_BUDGET"),
        ({"API_KEY": KEY, "AUTOMATIC_PAYMENT_METHODS": "yes"}, "AUTOMATIC_PAYMENT_METHODS"),
        ({"API_KEY": KEY, "OXXO_EXPIRES_DAYS": 0}, "OXXO_EXPIRES_DAYS"),
        ({"API_KEY": KEY, "STORE_DATA_KEYS": "metadata"}, "STORE_DATA_KEYS"),
    ],
)
def test_what_cannot_work_is_refused_by_name(options: Any, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        StripeProvider("pp_stripe_stripe", options)


def test_no_secret_is_shown() -> None:
    secret = "whsec_secret"
    options = StripeOptions.read({"API_KEY": KEY, "WEBHOOK_SECRETS": [secret]})

    with pytest.raises(ConfigurationError) as refused:
        StripeOptions.read({"API_KEY": f"{KEY} "})

    assert KEY not in f"{options!r}{refused.value}"
    assert secret not in repr(options)


def test_an_empty_webhook_secret_is_none() -> None:
    options = StripeOptions.read({"API_KEY": KEY, "WEBHOOK_SECRETS": ("", "whsec_1")})

    assert options.webhook_secrets == ("whsec_1",)


@pytest.mark.parametrize(
    ("api_key", "livemode"),
    [("sk_live_1", True), ("rk_live_1", True), ("sk_test_1", False), ("rk_test_1", False)],
)
def test_the_key_tells_the_mode(api_key: str, livemode: bool) -> None:
    assert StripeOptions.read({"API_KEY": api_key}).livemode is livemode


def test_the_account_or_else_the_key_names_the_credentials() -> None:
    by_account = StripeOptions.read({"API_KEY": KEY, "ACCOUNT_ID": "acct_1"}).credentials
    by_key = StripeOptions.read({"API_KEY": KEY}).credentials

    assert by_account == "stripe:acct_1"
    assert by_key == "stripe:" + by_key.removeprefix("stripe:")
    assert len(by_key) == len("stripe:") + 12
    assert KEY not in by_key


def test_a_short_wait_for_answers_makes_a_short_wait_for_connections() -> None:
    options = StripeOptions.read({"API_KEY": KEY, "READ_TIMEOUT": 1.0})

    assert options.connect_timeout == 1.0
