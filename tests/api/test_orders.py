"""What an order's page asks of a payment that is decided later (CONTRACT 3.5)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from medusa_payments.models import PaymentCollection, PaymentSession
from tests.api.shop import PAID_AT_ONCE, Api


def authorize(api: Api, session: str, order: str = "order_1", **query: Any) -> Any:
    path = f"orders/{order}/payment-sessions/authorize"
    return api.admin("POST", path, {"payment_session_id": session}, **query)


@pytest.fixture
def pending(api: Api) -> PaymentSession:
    """A session of order_1 whose buyer has paid, and whose provider has not told us yet."""
    api.session(api.collection())
    session: PaymentSession = PaymentSession.objects.get()
    PaymentSession.objects.update(status="pending_authorization")
    return session


def test_a_session_that_was_paid_meanwhile_is_authorized(
    api: Api, simulator: Any, pending: PaymentSession
) -> None:
    simulator.pay(pending.provider_reference)

    answer = authorize(api, pending.pk)

    assert answer.status_code == 200
    assert answer.json() == {"order": {"id": "order_1"}, "is_authorized": True}


def test_a_session_in_another_state_is_refused(api: Api) -> None:
    api.session(api.collection(), **PAID_AT_ONCE)
    session = PaymentSession.objects.get()

    answer = authorize(api, session.pk)

    assert answer.status_code == 400
    assert answer.json() == {
        "type": "not_allowed",
        "message": f"Payment session {session.pk} is not in pending_authorization status",
    }


@pytest.mark.parametrize("order", ["order_1", "order_2"])
def test_a_session_that_is_not_the_orders_is_not_found(
    api: Api, pending: PaymentSession, order: str
) -> None:
    session = "payses_x" if order == "order_1" else pending.pk

    answer = authorize(api, session, order)

    assert answer.status_code == 404
    assert answer.json() == {
        "type": "not_found",
        "message": f"Payment session with id: {session} was not found",
    }


@pytest.mark.parametrize(
    "order",
    [
        *(
            "#1001",
            "A B",
            "2024/17",
            "ord:5",
            "o@x",
            "o+1",
            "a,b",
            "bestéllung",
            "100%",
            "?",
            "a\\b",
        ),
        "payment-sessions/authorize",
        "\u2028",
        "\U0001f9fe" * 255,
    ],
)
def test_whatever_an_order_is_called_its_session_is_found(
    api: Api, simulator: Any, pending: PaymentSession, order: str
) -> None:
    simulator.pay(pending.provider_reference)
    PaymentCollection.objects.update(order_reference=order)

    answer = authorize(api, pending.pk, quote(order, safe=""), key="key-1")

    assert answer.status_code == 200
    assert answer.json() == {"order": {"id": order}, "is_authorized": True}


@pytest.mark.parametrize("order", ["a\nb", "a\r", "a\0b", "o" * 256, ""])
def test_what_no_order_is_called_is_no_route(api: Api, order: str) -> None:
    answer = authorize(api, "payses_x", quote(order, safe=""))

    assert (answer.status_code, answer.json()["type"]) == (404, "not_found")
    assert answer.json()["message"].startswith("Cannot POST")


@pytest.mark.parametrize(
    "body", [{}, {"payment_session_id": 1}, {"payment_session_id": "x", "a": 1}]
)
def test_a_wrong_body_is_refused(api: Api, body: Any) -> None:
    answer = api.admin("POST", "orders/order_1/payment-sessions/authorize", body)

    assert (answer.status_code, answer.json()["type"]) == (400, "invalid_data")
