"""Payment collections and their sessions, for the shop's server and its staff."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from medusa_payments import settings
from medusa_payments.api import fields
from medusa_payments.api.bodies import amount, identifier, read_body
from medusa_payments.api.listing import Listing, columns
from medusa_payments.api.permissions import CAPTURE, is_permitted, lacking
from medusa_payments.api.queries import ONE, moment, read_query, searched, text, text_in
from medusa_payments.api.queries import amount as amount_of
from medusa_payments.api.shapes import Selection, stored
from medusa_payments.api.views.base import AdminView
from medusa_payments.api.views.collection_answers import (
    SESSION_BODY,
    answer,
    answer_with,
    collection_of,
)
from medusa_payments.errors import InvalidData
from medusa_payments.models import PaymentCollection, PaymentSession
from medusa_payments.operations.collections import (
    create_payment_collection,
    delete_payment_collection,
)
from medusa_payments.operations.mark_as_paid import mark_as_paid
from medusa_payments.operations.sessions import create_payment_session
from medusa_payments.providers.registry import get_provider
from medusa_payments.statuses import UNRESOLVED_MOVEMENTS

ORDER_BODY = {
    "order_id": identifier(is_required=True),
    "amount": amount(is_required=True),
    "currency_code": identifier(),
}
MARK_BODY = {"order_id": identifier(is_required=True), "provider_id": identifier()}

COLLECTIONS = Listing(
    one="payment_collection",
    many="payment_collections",
    shape="payment_collection",
    fields=fields.ADMIN_COLLECTION,
    filters={
        "q": searched("pk", "order_reference", "cart_reference"),
        "id": text("pk"),
        "order_id": text("order_reference"),
        "cart_id": text("cart_reference"),
        "status": text("status"),
        "currency_code": text("currency_code"),
        "amount": amount_of("amount_minor"),
        "completed_at": moment("completed_at"),
        "created_at": moment("created_at"),
        "updated_at": moment("updated_at"),
        "deleted_at": moment("deleted"),
    },
    orders=columns(
        "status",
        "currency_code",
        "completed_at",
        "created_at",
        "updated_at",
        amount="amount_minor",
        deleted_at="deleted",
    ),
    rows=lambda: stored(PaymentCollection),
    all_rows=lambda: stored(PaymentCollection, "all_objects"),
    missing="PaymentCollection id not found: {id}",
)


class AdminCollections(AdminView):
    permission = {"get": "view_paymentcollection", "post": "add_paymentcollection"}

    def get(self, request: Request) -> Response:
        return COLLECTIONS.page(request)

    def post(self, request: Request) -> Response:
        selection = _admin_selection(request)
        body = read_body(request, ORDER_BODY)
        collection = create_payment_collection(
            amount=body["amount"],
            currency_code=_currency(body),
            order_reference=body["order_id"],
            collection_id=self.id_for(PaymentCollection),
            actor=self.actor,
        )
        return answer(collection.pk, selection)


class AdminCollection(AdminView):
    permission = {"get": "view_paymentcollection", "delete": "delete_paymentcollection"}

    def get(self, request: Request, collection_id: str) -> Response:
        return COLLECTIONS.get(request, collection_id)

    def delete(self, request: Request, collection_id: str) -> Response:
        """Medusa looks at no query here."""
        delete_payment_collection(collection_of(collection_id), actor=self.actor)
        return Response({"id": collection_id, "object": "payment-collection", "deleted": True})


class MarkAsPaid(AdminView):
    permission = {"post": "capture_payment"}

    def post(self, request: Request, collection_id: str) -> Response:
        selection = _admin_selection(request)
        body = read_body(request, MARK_BODY)
        collection = collection_of(collection_id)
        _check_order(collection, body.pop("order_id"))
        session_id = self.id_for(PaymentSession)
        capture = mark_as_paid(collection, **body, session_id=session_id, actor=self.actor)
        is_uncertain = capture is not None and capture.status in UNRESOLVED_MOVEMENTS
        return answer(collection_id, selection, is_uncertain=is_uncertain)


class AdminSessions(AdminView):
    permission = {"post": "add_paymentsession"}

    def post(self, request: Request, collection_id: str) -> Response:
        selection = _admin_selection(request)
        body = read_body(request, SESSION_BODY)
        _check_may_take(request, **body)
        session = create_payment_session(
            collection_of(collection_id),
            **body,
            session_id=self.id_for(PaymentSession),
            actor=self.actor,
        )
        return answer_with(session, selection)

    def check_asked_again(self, request: Request, *args: Any, **kwargs: Any) -> None:
        _check_may_take(request, **read_body(request, SESSION_BODY))


def _admin_selection(request: Request) -> Selection:
    given = text_in(read_query(request, ONE), "fields")
    return fields.select("payment_collection", fields.ADMIN_COLLECTION, given)


def _check_may_take(
    request: Request, *, provider_id: str, data: dict[str, Any] | None = None
) -> None:
    """Asked before any row is looked up, as the route's own permission.

    :raises PermissionDenied: the session would hold or take money without a buyer or without a
        capture, and the user may not capture.
    """
    if is_permitted(request, CAPTURE):
        return
    provider, given = get_provider(provider_id), data or {}
    provider.check_data(given)
    if provider.takes_money_at_once(given) or provider.captures_by_itself(given):
        raise lacking(CAPTURE)


def _currency(body: dict[str, Any]) -> str:
    code: str = body.get("currency_code") or settings.DEFAULT_CURRENCY
    if not code:
        raise InvalidData(
            "The payment collection needs a currency: send currency_code, or set DEFAULT_CURRENCY"
            " in the shop's settings."
        )
    return code


def _check_order(collection: PaymentCollection, order_id: str) -> None:
    """
    :raises InvalidData: the collection is another order's.
    """
    if collection.order_reference not in ("", order_id):
        raise InvalidData(
            f"Payment collection {collection.pk} belongs to order {collection.order_reference},"
            f" not to {order_id}."
        )
