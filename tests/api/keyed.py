"""Every POST of the API as one row: what comes before it, and what it asks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from medusa_payments.models import KeyedRequest
from tests.api.shop import PAID_AT_ONCE, PROVIDER, Api, priced

SYSTEM = "pp_system_default"


@dataclass(frozen=True)
class Post:
    """``makes`` names the models of which it makes one row."""

    name: str
    door: str
    prepare: Callable[[Api], tuple[str, dict[str, Any]]]
    makes: tuple[str, ...] = ()
    # What becomes of the same key when its answer is forgotten: the same answer, unless given.
    again: int = 200

    def __str__(self) -> str:
        return self.name

    def asked(self, api: Api, key: str | None = "key-1") -> Asked:
        path, body = self.prepare(api)
        return Asked(api, self.door, path, body, key)


@dataclass(frozen=True)
class Asked:
    api: Api
    door: str
    path: str
    body: dict[str, Any]
    key: str | None

    def send(self, body: Any = None, **query: Any) -> Any:
        ask = getattr(self.api, self.door)
        sent = self.body if body is None else body
        return ask("POST", self.path, sent, key=self.key, **query)


def _store_collection(api: Api) -> tuple[str, dict[str, Any]]:
    return "payment-collections", {"cart_id": priced("cart_1", "10")}


def _store_session(api: Api) -> tuple[str, dict[str, Any]]:
    return f"payment-collections/{api.collection()}/payment-sessions", {"provider_id": PROVIDER}


def _admin_collection(api: Api) -> tuple[str, dict[str, Any]]:
    return "payment-collections", {"order_id": "order_2", "amount": 5, "currency_code": "eur"}


def _admin_session(api: Api) -> tuple[str, dict[str, Any]]:
    path, body = _store_session(api)
    return path, body | {"data": PAID_AT_ONCE}


def _mark_as_paid(api: Api) -> tuple[str, dict[str, Any]]:
    return f"payment-collections/{api.collection()}/mark-as-paid", {"order_id": "order_1"}


def _capture(api: Api) -> tuple[str, dict[str, Any]]:
    return f"payments/{api.authorized()}/capture", {"amount": 10}


def _refund(api: Api) -> tuple[str, dict[str, Any]]:
    return f"payments/{api.captured()}/refund", {"amount": 10}


def _cancel(api: Api) -> tuple[str, dict[str, Any]]:
    return f"payments/{api.authorized()}/cancel", {}


def _reason(api: Api) -> tuple[str, dict[str, Any]]:
    return "refund-reasons", {"label": "Too late", "code": "too_late"}


def _reason_change(api: Api) -> tuple[str, dict[str, Any]]:
    made = api.admin("POST", *_reason(api)).json()["refund_reason"]
    return f"refund-reasons/{made['id']}", {"label": "Far too late"}


POSTS = (
    Post("store collection", "store", _store_collection, ("PaymentCollection",)),
    Post("store session", "store", _store_session, ("PaymentSession",)),
    Post("admin collection", "admin", _admin_collection, ("PaymentCollection",)),
    Post("admin session", "admin", _admin_session, ("PaymentSession", "Payment")),
    Post("mark as paid", "admin", _mark_as_paid, ("PaymentSession", "Payment", "Capture")),
    Post("capture", "admin", _capture, ("Capture",)),
    Post("refund", "admin", _refund, ("Refund",)),
    Post("cancel", "admin", _cancel),
    Post("refund reason", "admin", _reason, ("RefundReason",)),
    Post("change of a refund reason", "admin", _reason_change),
)
BY_NAME = {each.name: each for each in POSTS}


def forget_answer(**values: Any) -> None:
    """As if the process had died between the act and its stored answer."""
    KeyedRequest.objects.update(status=None, body="", **values)
