"""Every route, and how each is asked so that it answers well. What is not here fails a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.urls import URLPattern, reverse

from medusa_payments import urls
from medusa_payments.api.views.base import UnknownRoute
from medusa_payments.models import (
    AuditEntry,
    Discrepancy,
    PaymentSession,
    ProviderCall,
    RefundReason,
)
from medusa_payments.statuses import DiscrepancyKind
from tests.api.shop import PROVIDER, Api, priced

Ids = Callable[[Api], dict[str, str]]


@dataclass(frozen=True)
class Route:
    """One method of one URL."""

    pattern: URLPattern
    method: str

    @property
    def key(self) -> tuple[str, str]:
        return str(self.pattern.name), self.method

    @property
    def area(self) -> str:
        return str(self.pattern.pattern).removeprefix("^").replace("\\", "").partition("/")[0]

    @property
    def view(self) -> Any:
        return self.pattern.callback.cls  # type: ignore[attr-defined]

    @property
    def id_names(self) -> list[str]:
        return list(self.pattern.pattern.regex.groupindex)

    def path(self, **ids: str) -> str:
        return reverse(f"medusa_payments:{self.pattern.name}", kwargs=ids)

    def __str__(self) -> str:
        return f"{self.method} {self.pattern.name}"


@dataclass(frozen=True)
class Call:
    ids: Ids = lambda api: {}
    body: Any = None
    query: dict[str, str] = field(default_factory=dict)
    status: int = 200


def _collection(api: Api) -> dict[str, str]:
    return {"collection_id": api.collection()}


def _authorized(api: Api) -> dict[str, str]:
    return {"payment_id": api.authorized()}


def _captured(api: Api) -> dict[str, str]:
    return {"payment_id": api.captured()}


def _reason(api: Api) -> dict[str, str]:
    return {"reason_id": RefundReason.objects.create(label="Damaged", code="damaged").pk}


def _session(api: Api) -> dict[str, str]:
    api.session(api.collection())
    return {"session_id": PaymentSession.objects.latest("pk").pk}


def _call(api: Api) -> dict[str, str]:
    api.session(api.collection())
    return {"call_id": ProviderCall.objects.latest("pk").pk}


def _discrepancy(api: Api) -> dict[str, str]:
    found, _ = Discrepancy.objects.get_or_create(
        open_key="one", kind=DiscrepancyKind.AMOUNT, detail="Odd"
    )
    return {"discrepancy_id": found.pk}


def _entry(api: Api) -> dict[str, str]:
    api.collection()
    return {"entry_id": str(AuditEntry.objects.latest("pk").pk)}


def _order(api: Api) -> dict[str, str]:
    return {"order_id": "order_1"}


_NO_SESSION = {"payment_session_id": "payses_unknown"}
_SESSION = {"provider_id": PROVIDER}
_NEW_ORDER = {"order_id": "order_1", "amount": 10, "currency_code": "eur"}

CALLS: dict[tuple[str, str], Call] = {
    ("StoreProviders", "get"): Call(query={"region_id": "any"}),
    ("StoreCollections", "post"): Call(body={"cart_id": "cart_1"}),
    ("StoreSessions", "post"): Call(_collection, _SESSION),
    ("StoreSessionStatus", "get"): Call(_session),
    ("AdminCollections", "get"): Call(),
    ("AdminCollections", "post"): Call(body=_NEW_ORDER),
    ("AdminCollection", "get"): Call(_collection),
    ("AdminCollection", "delete"): Call(_collection),
    ("MarkAsPaid", "post"): Call(_collection, {"order_id": "order_1"}),
    ("AdminSessions", "post"): Call(_collection, _SESSION),
    ("AdminPayments", "get"): Call(),
    ("AdminPayment", "get"): Call(_authorized),
    ("CapturePayment", "post"): Call(_authorized, {}),
    ("RefundPayment", "post"): Call(_captured, {}),
    ("CancelPayment", "post"): Call(_authorized, {}),
    ("AdminProviders", "get"): Call(),
    ("AdminRefundReasons", "get"): Call(),
    ("AdminRefundReasons", "post"): Call(body={"label": "Damaged", "code": "damaged"}),
    ("AdminRefundReason", "get"): Call(_reason),
    ("AdminRefundReason", "post"): Call(_reason, {"label": "Broken"}),
    ("AdminRefundReason", "delete"): Call(_reason),
    ("AuthorizeOrderSession", "post"): Call(_order, _NO_SESSION, status=404),
    ("AdminRecordedSessions", "get"): Call(),
    ("AdminRecordedSession", "get"): Call(_session),
    ("AdminProviderCalls", "get"): Call(),
    ("AdminProviderCall", "get"): Call(_call),
    ("AdminDiscrepancies", "get"): Call(),
    ("AdminDiscrepancy", "get"): Call(_discrepancy),
    ("AdminAuditEntries", "get"): Call(),
    ("AdminAuditEntry", "get"): Call(_entry),
    # Open to everybody: what is sent says who may.
    ("EmailPasswordLogin", "post"): Call(body={"email": "a", "password": "b"}, status=401),
    ("AuthSession", "post"): Call(status=401),
    ("AuthSession", "delete"): Call(),
    ("Health", "get"): Call(),
    ("OpenApiDocument", "get"): Call(),
    ("PaymentHook", "post"): Call(lambda api: {"provider_id": PROVIDER}, {}, status=400),
}


def routes(*areas: str) -> list[Route]:
    return [route for route in _routes() if not areas or route.area in areas]


def _routes() -> Iterator[Route]:
    for pattern in urls.urlpatterns:
        view = pattern.callback.cls  # type: ignore[attr-defined]
        if view is UnknownRoute:
            continue
        for method in view.http_method_names:
            if method not in ("head", "options") and hasattr(view, method):
                yield Route(pattern, method)


def ask(api: Api, route: Route, headers: dict[str, str]) -> Any:
    """The route's call, with these headers and no other credentials."""
    priced("cart_1", "10.00")
    call = CALLS[route.key]
    path = route.path(**call.ids(api))
    return api.ask(route.method.upper(), path, call.body, query=call.query, headers=headers)
