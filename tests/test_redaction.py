from __future__ import annotations

import copy
from typing import Any

import pytest

from medusa_payments.redaction import REDACTED, redact

SECRETS = (
    "client_secret api_key secret_key webhook_secret number cvc cvv exp_month exp_year"
    " account_number routing_number iban sort_code bsb_number fingerprint payment_method_data"
    " authorization"
).split()


@pytest.mark.parametrize("key", SECRETS)
@pytest.mark.parametrize("value", ["text", 4242, ["a"], {"b": 1}, True])
def test_a_secret_is_removed_whatever_its_kind(key: str, value: Any) -> None:
    assert redact({key: value}) == {key: REDACTED}


@pytest.mark.parametrize("value", [None, ""])
def test_what_is_empty_stays_to_be_seen_as_empty(value: Any) -> None:
    assert redact({"client_secret": value}) == {"client_secret": value}


def test_secrets_are_found_at_any_depth() -> None:
    data = {"data": {"object": {"charges": [{"card": {"number": "4242", "brand": "visa"}}]}}}

    assert redact(data) == {
        "data": {"object": {"charges": [{"card": {"number": REDACTED, "brand": "visa"}}]}}
    }


def test_a_secret_within_a_text_is_removed() -> None:
    address = "https://shop.example/done?payment_intent_client_secret=pi_1_secret_AbC9&redirect=1"

    assert "AbC9" not in redact({"return_url": address})["return_url"]
    assert redact({"return_url": address})["return_url"].endswith("&redirect=1")


@pytest.mark.parametrize("data", [{"id": "pi_1", "amount": 100}, [1, "a", None], "text", 5, None])
def test_the_rest_is_left_as_it_is(data: Any) -> None:
    assert redact(data) == data


def test_redacting_changes_nothing_in_place_and_twice_is_once() -> None:
    data = {"client_secret": "s", "nested": [{"cvc": "123"}]}
    before = copy.deepcopy(data)

    once = redact(data)

    assert data == before
    assert redact(once) == once
