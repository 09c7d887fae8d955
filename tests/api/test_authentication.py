"""Keys: publishable ones open the store, secret ones the admin, each only its own (CONTRACT 1)."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.api.shop import Api, basic, rows
from tests.conftest import ADMIN_API_KEY, PUBLISHABLE_KEY

STORE = "/api/store/payment-providers?region_id=any"
ADMIN = "/api/admin/payments"
REQUIRED = "Publishable API key required in the request header: x-publishable-api-key."
NOT_VALID = "A valid publishable key is required to proceed with the request"


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({}, REQUIRED),
        ({"x-publishable-api-key": ""}, REQUIRED),
        ({"x-publishable-api-key": "pk_wrong"}, NOT_VALID),
        ({"x-publishable-api-key": PUBLISHABLE_KEY + "x"}, NOT_VALID),
        ({"x-publishable-api-key": PUBLISHABLE_KEY[:-1]}, NOT_VALID),
        ({"x-publishable-api-key": ADMIN_API_KEY}, NOT_VALID),
        ({"x-publishable-api-key": "pk_\xe9"}, NOT_VALID),
        ({"Authorization": basic(ADMIN_API_KEY)}, REQUIRED),
    ],
)
def test_the_store_answers_400_without_a_publishable_key(
    api: Api, headers: dict[str, str], message: str
) -> None:
    answer = api.ask("GET", STORE, headers=headers)

    assert answer.status_code == 400
    assert answer.json() == {"type": "not_allowed", "message": message}


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Basic",
        "Basic ",
        basic(""),
        basic("sk_wrong"),
        basic(PUBLISHABLE_KEY),
        "Basic sk_wrong",
        "Basic !!!",
        "Basic " + base64.b64encode(b"\xff\xfe").decode(),
        "Basic " + base64.b64encode(f":{ADMIN_API_KEY}".encode()).decode(),
        "Bearer a.jwt.of-somebody",
        ADMIN_API_KEY,
    ],
)
def test_the_admin_answers_401_without_a_secret_key(api: Api, authorization: str) -> None:
    answer = api.ask("GET", ADMIN, headers={"Authorization": authorization})

    assert answer.status_code == 401
    assert answer.json() == {"message": "Unauthorized"}


@pytest.mark.parametrize(
    "authorization",
    [
        basic(ADMIN_API_KEY),
        f"Basic {ADMIN_API_KEY}",
        basic(ADMIN_API_KEY).replace("Basic", "basic"),
    ],
)
def test_the_admin_takes_the_key_encoded_and_plain(api: Api, authorization: str) -> None:
    assert api.ask("GET", ADMIN, headers={"Authorization": authorization}).status_code == 200


def test_a_secret_key_as_a_bearer_token_is_told_what_to_do(api: Api) -> None:
    answer = api.ask("GET", ADMIN, headers={"Authorization": f"Bearer {ADMIN_API_KEY}"})

    assert answer.status_code == 401
    assert set(answer.json()) == {"message"}
    assert "basic authentication" in answer.json()["message"]
    assert ADMIN_API_KEY not in answer.content.decode()


def test_empty_keys_in_the_settings_open_nothing(api: Api, change: Any) -> None:
    change(PUBLISHABLE_KEYS=("",), SECRET_KEYS=("",))

    store = api.ask("GET", STORE, headers={"x-publishable-api-key": ""})
    admin = api.ask("GET", ADMIN, headers={"Authorization": basic("")})

    assert (store.status_code, admin.status_code) == (400, 401)


def test_a_key_that_is_set_without_a_list_is_one_key_not_its_letters(api: Api, change: Any) -> None:
    change(SECRET_KEYS="sk_one")

    whole = api.ask("GET", ADMIN, headers={"Authorization": basic("sk_one")})
    letter = api.ask("GET", ADMIN, headers={"Authorization": basic("s")})

    assert (whole.status_code, letter.status_code) == (200, 401)


def test_each_of_several_keys_works_and_acts_under_its_own_name(api: Api, change: Any) -> None:
    change(SECRET_KEYS=("sk_one", "sk_two"))
    names = set()

    for key in ("sk_one", "sk_two"):
        body = {"order_id": "o", "amount": 1, "currency_code": "eur"}
        headers = {"Authorization": basic(key)}
        answer = api.ask("POST", "/api/admin/payment-collections", body, headers=headers)
        assert answer.status_code == 200
    names = {entry["actor"] for entry in rows()["AuditEntry"]}

    assert len(names) == 2
    assert all(name.startswith("apk_") and "sk_" not in name for name in names)


def test_who_may_not_ask_changes_nothing(api: Api, simulator: StripeSimulator) -> None:
    payment = api.captured()
    before, asked = rows(), len(simulator.requests())

    for act in ("capture", "refund", "cancel"):
        assert api.ask("POST", f"/api/admin/payments/{payment}/{act}", {}).status_code == 401

    assert rows() == before
    assert len(simulator.requests()) == asked


# Routes


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/"),
        ("GET", "/api/nothing"),
        ("GET", "/api/store/nothing"),
        ("POST", "/api/admin/payments/pay_x/nothing"),
        ("GET", "/api/admin/payments/pay_%00x"),
        ("GET", "/api/hooks/payment/"),
        ("GET", "/api/hooks/payment/stripe_stripe"),
        ("PUT", "/api/hooks/payment/stripe_stripe"),
        ("OPTIONS", "/api/nothing"),
    ],
)
def test_an_unknown_route_is_not_found_as_json(api: Api, method: str, path: str) -> None:
    answer = api.ask(method, path)

    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/json"
    assert answer.json()["type"] == "not_found"


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "POST"])
def test_an_unknown_method_is_not_found_too(api: Api, method: str) -> None:
    answer = api.admin(method, "payments")

    assert answer.status_code == 404
    assert answer.json() == {"type": "not_found", "message": f"Cannot {method} {ADMIN}"}


def test_a_trailing_slash_is_served_without_a_redirect(api: Api) -> None:
    body = {"order_id": "o", "amount": 1, "currency_code": "eur"}

    assert api.admin("POST", "payment-collections/", body).status_code == 200
    assert api.store("GET", "payment-providers/", region_id="any").status_code == 200


def test_the_answer_is_json_whatever_the_client_accepts(api: Api) -> None:
    headers = {"Authorization": basic(ADMIN_API_KEY), "Accept": "text/html"}

    answer = api.ask("GET", ADMIN, headers=headers)

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
