"""Payment collections as the shop's server sees them (CONTRACT 3.3)."""

from __future__ import annotations

from typing import Any

import pytest

from medusa_payments.models import PaymentCollection, PaymentSession
from medusa_payments.operations.sessions import delete_payment_session
from tests.api.shop import PAID_AT_ONCE, PROVIDER, Api
from tests.api.test_store import PAYMENT_COLUMNS, SESSION

COLLECTION = set(
    """id currency_code amount status authorized_amount captured_amount refunded_amount
    payment_sessions payments""".split()
)


def test_an_order_gets_a_collection_whose_totals_are_not_known_yet(api: Api) -> None:
    body = {"order_id": "order_1", "amount": 10.1, "currency_code": "EUR"}

    answer = api.admin("POST", "payment-collections", body)

    collection = answer.json()["payment_collection"]
    assert answer.status_code == 200
    assert set(collection) == COLLECTION
    assert collection["status"] == "not_paid"
    assert (collection["amount"], collection["currency_code"]) == (10.1, "eur")
    assert collection["authorized_amount"] is None
    assert collection["payment_sessions"] == collection["payments"] == []
    assert PaymentCollection.objects.get().order_reference == "order_1"


def test_an_order_may_have_several_collections(api: Api) -> None:
    assert api.collection() != api.collection()


@pytest.mark.parametrize(("default", "status"), [("usd", 200), ("", 400)])
def test_without_a_currency_the_shops_own_is_taken(
    api: Api, change: Any, default: str, status: int
) -> None:
    change(DEFAULT_CURRENCY=default)

    answer = api.admin("POST", "payment-collections", {"order_id": "order_1", "amount": 10})

    assert answer.status_code == status
    if status == 400:
        assert "send currency_code" in answer.json()["message"]
    else:
        assert answer.json()["payment_collection"]["currency_code"] == "usd"


@pytest.mark.parametrize(
    ("amount", "currency", "sent"),
    [
        ("10.1", "eur", "10.1"),
        ("10.10", "eur", "10.1"),
        ("1e2", "eur", "100"),
        ("1001", "jpy", "1001"),
        ("0.001", "kwd", "0.001"),
        ("9999999999999.99", "eur", "9999999999999.99"),
        ("0.29", "eur", "0.29"),
    ],
)
def test_amounts_come_back_exactly_and_as_numbers(
    api: Api, amount: str, currency: str, sent: str
) -> None:
    body = f'{{"order_id": "o", "amount": {amount}, "currency_code": "{currency}"}}'

    answer = api.admin("POST", "payment-collections", body, fields="+raw_amount")

    assert answer.status_code == 200
    assert f'"amount":{sent},' in answer.content.decode()
    assert answer.json()["payment_collection"]["raw_amount"] == {"value": sent, "precision": 20}


def test_a_session_confirmed_at_once_answers_with_its_payment(api: Api) -> None:
    answer = api.session(api.collection(), **PAID_AT_ONCE)

    collection = answer.json()["payment_collection"]
    (session,), (payment,) = collection["payment_sessions"], collection["payments"]
    assert answer.status_code == 200
    assert collection["status"] == "authorized"
    assert (collection["authorized_amount"], collection["captured_amount"]) == (100.5, 0)
    assert set(session) == SESSION
    assert set(session["payment"]) == PAYMENT_COLUMNS
    assert set(payment) == PAYMENT_COLUMNS | {"payment_session"}
    assert set(payment["payment_session"]) == SESSION - {"payment"}
    assert payment["id"] == session["payment"]["id"]
    assert payment["payment_session_id"] == session["id"]
    assert session["authorized_at"] is not None


def test_of_a_deleted_session_a_payment_shows_only_the_id(api: Api) -> None:
    collection = api.collection()
    api.session(collection, **PAID_AT_ONCE)
    session = PaymentSession.objects.get()
    delete_payment_session(session)

    answer = api.admin("GET", f"payment-collections/{collection}")

    shown = answer.json()["payment_collection"]
    assert shown["payment_sessions"] == []
    assert shown["payments"][0]["payment_session"] == {"id": session.pk}
    assert shown["payments"][0]["canceled_at"] is not None


def test_the_server_may_set_every_override_and_no_other_key(api: Api) -> None:
    collection = api.collection()

    taken = api.session(collection, capture_method="automatic", setup_future_usage="off_session")
    refused = api.session(collection, amount=1)

    assert taken.status_code == 200
    assert (refused.status_code, refused.json()["type"]) == (400, "invalid_data")
    assert "'amount'" in refused.json()["message"]


@pytest.mark.parametrize("path", ["", "/payment-sessions"])
def test_an_unknown_collection_is_not_found(api: Api, path: str) -> None:
    method, body = ("POST", {"provider_id": PROVIDER}) if path else ("GET", None)

    answer = api.admin(method, f"payment-collections/pay_col_x{path}", body)

    assert answer.status_code == 404
    assert answer.json() == {
        "type": "not_found",
        "message": "PaymentCollection id not found: pay_col_x",
    }
