"""A shop as small as can be: what it tells the API, and how its pages and its server ask it."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from django.test import Client

from medusa_payments import models
from tests.api import documented
from tests.conftest import ADMIN_API_KEY, PUBLISHABLE_KEY

PROVIDER = "pp_stripe_stripe"
PAID_AT_ONCE = {"confirm": True, "off_session": True, "payment_method": "pm_card_visa"}

CARTS: dict[str, dict[str, Any]] = {}


def resolve_cart(cart_id: str, request: HttpRequest) -> dict[str, Any] | None:
    return CARTS.get(cart_id)


def providers_of_region(region_id: str) -> list[str]:
    return {"reg_eu": [PROVIDER, "pp_gone_gone"]}.get(region_id, [])


def basic(key: str) -> str:
    return "Basic " + base64.b64encode(f"{key}:".encode()).decode()


class Api:
    """Requests as the SDK makes them. A body that is text or bytes is sent as it is.

    Every answer must be one that the OpenAPI document describes.
    """

    def __init__(self) -> None:
        self._client = Client()

    def store(
        self, method: str, path: str, body: Any = None, *, key: str | None = None, **query: Any
    ) -> Any:
        headers = {"x-publishable-api-key": PUBLISHABLE_KEY}
        if key is not None:
            headers["Idempotency-Key"] = key
        return self.ask(method, f"/api/store/{path}", body, query=query, headers=headers)

    def admin(
        self, method: str, path: str, body: Any = None, *, key: str | None = None, **query: Any
    ) -> Any:
        headers = {"Authorization": basic(ADMIN_API_KEY)}
        if key is not None:
            headers["Idempotency-Key"] = key
        return self.ask(method, f"/api/admin/{path}", body, query=query, headers=headers)

    def ask_admin(self, path: str) -> Any:
        """A GET whose query is sent as it is written."""
        headers = {"Authorization": basic(ADMIN_API_KEY)}
        return self.ask("GET", f"/api/admin/{path}", headers=headers)

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        sent = body if isinstance(body, (str, bytes)) else json.dumps(body)
        answer = self._client.generic(
            method,
            path,
            b"" if body is None else sent,
            content_type="application/json",
            headers=dict(headers or {}) | {"x-medusa-locale": ""},
            query_params=dict(query or {}),
        )
        documented.check(method, path, answer)
        return answer

    # What many tests begin with

    def collection(self, amount: str = "100.5", currency: str = "eur") -> str:
        body = f'{{"order_id": "order_1", "amount": {amount}, "currency_code": "{currency}"}}'
        return str(
            self.admin("POST", "payment-collections", body).json()["payment_collection"]["id"]
        )

    def session(self, collection: str, **data: Any) -> Any:
        path = f"payment-collections/{collection}/payment-sessions"
        return self.admin("POST", path, {"provider_id": PROVIDER, "data": data})

    def authorized(self, amount: str = "100.5", currency: str = "eur") -> str:
        """The id of a payment that holds the amount."""
        answer = self.session(self.collection(amount, currency), **PAID_AT_ONCE)
        (session,) = answer.json()["payment_collection"]["payment_sessions"]
        return str(session["payment"]["id"])

    def captured(self, amount: str = "100.5", currency: str = "eur") -> str:
        payment = self.authorized(amount, currency)
        assert self.admin("POST", f"payments/{payment}/capture").status_code == 200
        return payment

    def payment(self, payment: str, **query: Any) -> Any:
        return self.admin("GET", f"payments/{payment}", **query).json()["payment"]


def rows() -> dict[str, list[Any]]:
    """All of the database that is ours, to compare."""
    return {
        name: list(getattr(models, name)._base_manager.order_by("pk").values())
        for name in models.__all__
    }


def priced(cart_id: str, amount: str, currency: str = "eur") -> str:
    CARTS[cart_id] = {"amount": Decimal(amount), "currency_code": currency}
    return cart_id
