"""Every route's default answer has exactly the keys of CONTRACT section 3, at every level."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from medusa_payments.models import PaymentSession
from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.api.shop import PAID_AT_ONCE, PROVIDER, Api, priced

# What a record holds of its shop's or provider's own.
FREE = {"data", "context", "metadata"}


def keys(names: str, **nested: Any) -> dict[str, Any]:
    return {**dict.fromkeys(names.split()), **nested}


RAW = keys("value precision")
SESSION_COLUMNS = keys(
    """id currency_code amount provider_id data context status authorized_at payment_collection_id
    metadata created_at updated_at deleted_at""",
    raw_amount=RAW,
)
PAYMENT_COLUMNS = keys(
    """id currency_code amount provider_id data metadata captured_at canceled_at
    payment_collection_id payment_session_id created_at updated_at deleted_at""",
    raw_amount=RAW,
)
REFUND_REASON = keys("id label code description created_at updated_at deleted_at")
PAYMENT = keys(
    "id currency_code amount captured_at payment_collection_id payment_session_id",
    captures=[keys("id amount")],
    refunds=[
        keys("id amount note payment_id refund_reason_id", refund_reason=keys("id label code"))
    ],
)
SESSION = SESSION_COLUMNS | {"payment": PAYMENT_COLUMNS}
ADMIN_COLLECTION = keys(
    "id currency_code amount status authorized_amount captured_amount refunded_amount",
    payment_sessions=[SESSION],
    payments=[PAYMENT_COLUMNS | {"payment_session": SESSION_COLUMNS}],
)
STORE_COLLECTION = keys("id currency_code amount", payment_sessions=[SESSION])
STARTED = SESSION_COLUMNS | {"payment": None}
STORE_STARTED = STORE_COLLECTION | {"payment_sessions": [STARTED]}
EMPTY = {"payment_sessions": [], "payments": []}
PROVIDERS = [keys("id is_enabled")]


def page(**records: Any) -> dict[str, Any]:
    return keys("count offset limit", **records)


def shape_of(value: Any, name: str = "") -> Any:
    """The keys of an answer; of a list those that all its items have alike."""
    if isinstance(value, dict) and name not in FREE:
        return {key: shape_of(each, key) for key, each in value.items()}
    if isinstance(value, list) and name not in FREE:
        shapes = [shape_of(each) for each in value]
        assert all(each == shapes[0] for each in shapes)
        return shapes[:1]
    return None


class Scene:
    """A payment that was captured and refunded for a reason, and a cart of its own."""

    def __init__(self, api: Api) -> None:
        self.api = api
        body = {"label": "Broken", "code": "broken"}
        answer = api.admin("POST", "refund-reasons", body).json()
        self.reason = answer["refund_reason"]["id"]
        self.collection = api.collection()
        session = api.session(self.collection, **PAID_AT_ONCE).json()["payment_collection"]
        self.payment = session["payments"][0]["id"]
        api.admin("POST", f"payments/{self.payment}/capture")
        self.refund(amount=1)
        self.other = api.collection()
        self.cart = priced("cart_1", "10")

    def refund(self, **body: Any) -> Any:
        body = {"refund_reason_id": self.reason, **body}
        return self.api.admin("POST", f"payments/{self.payment}/refund", body)

    def store_collection(self) -> Any:
        return self.api.store("POST", "payment-collections", {"cart_id": self.cart})

    def session(self, door: str) -> Any:
        collection = self.store_collection().json()["payment_collection"]["id"]
        path = f"payment-collections/{collection}/payment-sessions"
        return getattr(self.api, door)("POST", path, {"provider_id": PROVIDER})

    def authorize(self, simulator: StripeSimulator) -> Any:
        self.api.session(self.other)
        session = PaymentSession.objects.get(payment_collection=self.other)
        simulator.pay(session.provider_reference)
        PaymentSession.objects.filter(pk=session.pk).update(status="pending_authorization")
        body = {"payment_session_id": session.pk}
        return self.api.admin("POST", "orders/order_1/payment-sessions/authorize", body)


Ask = Callable[[Scene, StripeSimulator], Any]

ROUTES: dict[str, tuple[Ask, Any]] = {
    "GET store/payment-providers": (
        lambda scene, _: scene.api.store("GET", "payment-providers", region_id="any"),
        page(payment_providers=PROVIDERS),
    ),
    "POST store/payment-collections": (
        lambda scene, _: scene.store_collection(),
        {"payment_collection": STORE_COLLECTION | {"payment_sessions": []}},
    ),
    "POST store/payment-collections/:id/payment-sessions": (
        lambda scene, _: scene.session("store"),
        {"payment_collection": STORE_STARTED},
    ),
    "GET admin/payments": (
        lambda scene, _: scene.api.admin("GET", "payments"),
        page(payments=[PAYMENT]),
    ),
    "GET admin/payments/:id": (
        lambda scene, _: scene.api.admin("GET", f"payments/{scene.payment}"),
        {"payment": PAYMENT},
    ),
    "GET admin/payments/payment-providers": (
        lambda scene, _: scene.api.admin("GET", "payments/payment-providers"),
        page(payment_providers=PROVIDERS),
    ),
    "POST admin/payments/:id/capture": (
        lambda scene, _: scene.api.admin("POST", f"payments/{scene.payment}/capture"),
        {"payment": PAYMENT},
    ),
    "POST admin/payments/:id/refund": (
        lambda scene, _: scene.refund(amount=2, note="sorry"),
        {"payment": PAYMENT},
    ),
    "POST admin/payment-collections": (
        lambda scene, _: scene.api.admin(
            "POST",
            "payment-collections",
            {"order_id": "order_2", "amount": 5, "currency_code": "eur"},
        ),
        {"payment_collection": ADMIN_COLLECTION | EMPTY},
    ),
    "DELETE admin/payment-collections/:id": (
        lambda scene, _: scene.api.admin("DELETE", f"payment-collections/{scene.other}"),
        keys("id object deleted"),
    ),
    "POST admin/payment-collections/:id/mark-as-paid": (
        lambda scene, _: scene.api.admin(
            "POST", f"payment-collections/{scene.other}/mark-as-paid", {"order_id": "order_1"}
        ),
        {"payment_collection": ADMIN_COLLECTION},
    ),
    "POST admin/payment-collections/:id/payment-sessions": (
        lambda scene, _: scene.session("admin"),
        {"payment_collection": ADMIN_COLLECTION | {"payment_sessions": [STARTED], "payments": []}},
    ),
    "GET admin/payment-collections/:id": (
        lambda scene, _: scene.api.admin("GET", f"payment-collections/{scene.collection}"),
        {"payment_collection": ADMIN_COLLECTION},
    ),
    "GET admin/refund-reasons": (
        lambda scene, _: scene.api.admin("GET", "refund-reasons"),
        page(refund_reasons=[REFUND_REASON]),
    ),
    "POST admin/refund-reasons": (
        lambda scene, _: scene.api.admin("POST", "refund-reasons", {"label": "a", "code": "b"}),
        {"refund_reason": REFUND_REASON},
    ),
    "GET admin/refund-reasons/:id": (
        lambda scene, _: scene.api.admin("GET", f"refund-reasons/{scene.reason}"),
        {"refund_reason": REFUND_REASON},
    ),
    "POST admin/refund-reasons/:id": (
        lambda scene, _: scene.api.admin("POST", f"refund-reasons/{scene.reason}", {"label": "c"}),
        {"refund_reason": REFUND_REASON},
    ),
    "DELETE admin/refund-reasons/:id": (
        lambda scene, _: scene.api.admin("DELETE", f"refund-reasons/{scene.reason}"),
        keys("id object deleted"),
    ),
    "POST admin/orders/:id/payment-sessions/authorize": (
        lambda scene, simulator: scene.authorize(simulator),
        keys("is_authorized", order=keys("id")),
    ),
}


@pytest.mark.parametrize("route", ROUTES)
def test_a_routes_default_answer_has_exactly_these_keys(
    api: Api, simulator: StripeSimulator, route: str
) -> None:
    ask, expected = ROUTES[route]

    answer = ask(Scene(api), simulator)

    assert answer.status_code == 200, answer.content
    assert shape_of(answer.json()) == expected


AGGREGATES = ("authorized_amount", "captured_amount", "refunded_amount")


def test_aggregates_are_null_until_they_are_computed(api: Api) -> None:
    fresh = api.admin("GET", f"payment-collections/{api.collection()}").json()

    assert [fresh["payment_collection"][name] for name in AGGREGATES] == [None] * 3


def test_of_a_refund_without_a_reason_the_reason_is_null(api: Api) -> None:
    scene = Scene(api)
    scene.api.admin("POST", f"payments/{scene.payment}/refund", {"amount": 3})

    refunds = api.payment(scene.payment)["refunds"]

    assert [each["refund_reason"] is None for each in refunds] == [False, True]
    assert {frozenset(each) for each in refunds} == {frozenset(PAYMENT["refunds"][0])}
