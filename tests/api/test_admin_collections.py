"""Payment collections as the shop's server sees them (CONTRACT 3.3)."""

from __future__ import annotations

from typing import Any

import pytest

from medusa_payments.models import PaymentCollection, PaymentSession
from medusa_payments.operations.sessions import delete_payment_session
from medusa_payments.testing.stripe_simulator import StripeSimulator
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


# Deleting


def test_a_collection_is_deleted_once_and_its_intent_closed(
    api: Api, simulator: StripeSimulator
) -> None:
    collection = api.collection()
    api.session(collection)

    answer = api.admin("DELETE", f"payment-collections/{collection}", anything="goes")
    again = api.admin("DELETE", f"payment-collections/{collection}")

    assert answer.status_code == 200
    assert answer.json() == {"id": collection, "object": "payment-collection", "deleted": True}
    assert (again.status_code, again.json()) == (
        404,
        {"type": "not_found", "message": f"PaymentCollection id not found: {collection}"},
    )
    assert PaymentCollection.all_objects.get().deleted is not None
    assert [each["status"] for each in simulator.ledger()["intents"].values()] == ["canceled"]


def test_a_collection_that_was_paid_into_is_not_deleted(api: Api) -> None:
    collection = api.collection()
    api.session(collection, **PAID_AT_ONCE)

    answer = api.admin("DELETE", f"payment-collections/{collection}")

    assert answer.status_code == 400
    assert answer.json() == {
        "type": "not_allowed",
        "message": "Can only delete payment collections where status is not_paid",
    }


# Marking as paid


def mark(api: Api, collection: str, order: str = "order_1", **body: Any) -> Any:
    return api.admin(
        "POST", f"payment-collections/{collection}/mark-as-paid", {"order_id": order, **body}
    )


def test_a_collection_is_marked_as_paid_once(api: Api) -> None:
    collection = api.collection()

    answer = mark(api, collection)
    again = mark(api, collection)

    shown = answer.json()["payment_collection"]
    assert answer.status_code == 200
    assert set(shown) == COLLECTION
    assert (shown["status"], shown["captured_amount"]) == ("completed", 100.5)
    assert shown["payment_sessions"][0]["provider_id"] == "pp_system_default"
    assert shown["payments"][0]["captured_at"] is not None
    assert again.status_code == 400
    assert again.json() == {
        "type": "not_allowed",
        "message": "Can only mark 'not_paid' payment collection as paid",
    }


def test_a_provider_that_was_not_paid_does_not_mark(api: Api) -> None:
    answer = mark(api, api.collection(), provider_id=PROVIDER)

    assert (answer.status_code, answer.json()["type"]) == (400, "not_allowed")
    assert "was not authorized with the provider" in answer.json()["message"]


@pytest.mark.parametrize(
    ("fault", "operation", "status"), [("drop_before", "payment_intents.create", 503)]
)
def test_marking_whose_start_got_lost_is_told(
    api: Api, simulator: StripeSimulator, fault: str, operation: str, status: int
) -> None:
    simulator.fault(fault, operation, times=None)

    answer = mark(api, api.collection(), provider_id=PROVIDER)

    assert (answer.status_code, answer.json()["type"]) == (status, "payment_indeterminate")
    assert int(answer["Retry-After"]) > 0


def test_marking_whose_capture_got_lost_is_answered_202_and_finished_by_the_next(
    api: Api, simulator: StripeSimulator
) -> None:
    collection = api.collection()
    mark(api, collection, provider_id=PROVIDER)
    simulator.pay(PaymentSession.objects.get().provider_reference)
    simulator.fault("drop_before", "payment_intents.capture", times=None)

    lost = mark(api, collection, provider_id=PROVIDER)
    simulator.clear_faults()
    answer = mark(api, collection, provider_id=PROVIDER)

    (payment,) = lost.json()["payment_collection"]["payments"]
    assert lost.status_code == 202
    assert [each["kind"] for each in payment["uncertain"]] == ["capture"]
    assert answer.status_code == 200
    assert answer.json()["payment_collection"]["status"] == "completed"
    (intent,) = simulator.ledger()["intents"].values()
    assert intent["amount_received"] == 10050


def test_another_orders_collection_is_not_marked(api: Api) -> None:
    answer = mark(api, api.collection(), order="order_2")

    assert (answer.status_code, answer.json()["type"]) == (400, "invalid_data")
    assert "belongs to order order_1" in answer.json()["message"]


@pytest.mark.parametrize("body", [{}, {"order_id": 1}, {"order_id": "order_1", "amount": 1}])
def test_a_wrong_marking_changes_nothing(api: Api, body: Any) -> None:
    collection = api.collection()

    answer = api.admin("POST", f"payment-collections/{collection}/mark-as-paid", body)

    assert (answer.status_code, answer.json()["type"]) == (400, "invalid_data")
    assert not PaymentSession.all_objects.exists()


def test_an_unknown_collection_is_not_marked(api: Api) -> None:
    assert mark(api, "pay_col_x").status_code == 404
