"""Payment collections and their sessions, for the store and for the admin."""

from __future__ import annotations

from typing import Any

from django.utils.module_loading import import_string
from rest_framework.request import Request
from rest_framework.response import Response

from medusa_payments import settings
from medusa_payments.api import fields
from medusa_payments.api.access import may_access
from medusa_payments.api.bodies import Field, amount, identifier, read_body
from medusa_payments.api.buyers import customer_of
from medusa_payments.api.listing import Listing, columns
from medusa_payments.api.queries import ONE, moment, read_query, searched, text, text_in
from medusa_payments.api.queries import amount as amount_of
from medusa_payments.api.shapes import Selection, complete, load, show, stored
from medusa_payments.api.views.base import AdminView, StoreView
from medusa_payments.errors import InvalidData, NotFound
from medusa_payments.models import PaymentCollection, PaymentSession
from medusa_payments.operations.collections import (
    create_payment_collection,
    delete_payment_collection,
)
from medusa_payments.operations.mark_as_paid import mark_as_paid
from medusa_payments.operations.sessions import create_payment_session
from medusa_payments.statuses import UNRESOLVED_MOVEMENTS

CART_BODY = {"cart_id": identifier(is_required=True)}
ORDER_BODY = {
    "order_id": identifier(is_required=True),
    "amount": amount(is_required=True),
    "currency_code": identifier(),
}
MARK_BODY = {"order_id": identifier(is_required=True), "provider_id": identifier()}
SESSION_BODY = {"provider_id": identifier(is_required=True), "data": Field(type="record")}


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


class StoreCollections(StoreView):
    """The price comes from the shop's CART_RESOLVER, never from the browser."""

    def post(self, request: Request) -> Response:
        selection = _store_selection(request)
        cart_id = read_body(request, CART_BODY)["cart_id"]
        cart = _cart(cart_id, request)
        collection = create_payment_collection(
            amount=cart["amount"],
            currency_code=cart["currency_code"],
            cart_reference=cart_id,
            actor=self.actor,
        )
        return _answer(collection.pk, selection)

    def check_asked_again(self, request: Request) -> None:
        _cart(read_body(request, CART_BODY)["cart_id"], request)


class StoreSessions(StoreView):
    def post(self, request: Request, collection_id: str) -> Response:
        selection = _store_selection(request)
        body = read_body(request, SESSION_BODY)
        session = create_payment_session(
            _buyers_collection(collection_id, request),
            **body,
            customer=customer_of(request),
            is_trusted=False,
            session_id=self.id_for(PaymentSession),
            actor=self.actor,
        )
        return _answer_with(session, selection)

    def check_asked_again(self, request: Request, collection_id: str) -> None:
        _buyers_collection(collection_id, request)


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
        return _answer(collection.pk, selection)


class AdminCollection(AdminView):
    permission = {"get": "view_paymentcollection", "delete": "delete_paymentcollection"}

    def get(self, request: Request, collection_id: str) -> Response:
        return COLLECTIONS.get(request, collection_id)

    def delete(self, request: Request, collection_id: str) -> Response:
        """Medusa looks at no query here."""
        delete_payment_collection(_collection(collection_id), actor=self.actor)
        return Response({"id": collection_id, "object": "payment-collection", "deleted": True})


class MarkAsPaid(AdminView):
    permission = {"post": "capture_payment"}

    def post(self, request: Request, collection_id: str) -> Response:
        selection = _admin_selection(request)
        body = read_body(request, MARK_BODY)
        collection = _collection(collection_id)
        _check_order(collection, body.pop("order_id"))
        session_id = self.id_for(PaymentSession)
        capture = mark_as_paid(collection, **body, session_id=session_id, actor=self.actor)
        is_uncertain = capture is not None and capture.status in UNRESOLVED_MOVEMENTS
        return _answer(collection_id, selection, is_uncertain=is_uncertain)


class AdminSessions(AdminView):
    permission = {"post": "add_paymentsession"}

    def post(self, request: Request, collection_id: str) -> Response:
        selection = _admin_selection(request)
        body = read_body(request, SESSION_BODY)
        session = create_payment_session(
            _collection(collection_id),
            **body,
            session_id=self.id_for(PaymentSession),
            actor=self.actor,
        )
        return _answer_with(session, selection)


def _store_selection(request: Request) -> Selection:
    return fields.select(
        "payment_collection",
        fields.STORE_COLLECTION,
        text_in(read_query(request, ONE), "fields"),
        allowed=fields.STORE_COLLECTION_ALLOWED,
    )


def _admin_selection(request: Request) -> Selection:
    given = text_in(read_query(request, ONE), "fields")
    return fields.select("payment_collection", fields.ADMIN_COLLECTION, given)


def _cart(cart_id: str, request: Request) -> dict[str, Any]:
    """
    :raises NotFound: the shop knows no such cart, or has not said how to find one.
    """
    if not settings.CART_RESOLVER:
        raise NotFound(f"Cart id not found: {cart_id}. The shop has set no CART_RESOLVER.")
    cart: dict[str, Any] | None = import_string(settings.CART_RESOLVER)(cart_id, request._request)
    if cart is None:
        raise NotFound(f"Cart id not found: {cart_id}")
    return cart


def _currency(body: dict[str, Any]) -> str:
    code: str = body.get("currency_code") or settings.DEFAULT_CURRENCY
    if not code:
        raise InvalidData(
            "The payment collection needs a currency: send currency_code, or set DEFAULT_CURRENCY"
            " in the shop's settings."
        )
    return code


def _collection(collection_id: str) -> PaymentCollection:
    found = stored(PaymentCollection).filter(pk=collection_id).first()
    if found is None:
        raise _unknown(collection_id)
    return found


def _buyers_collection(collection_id: str, request: Request) -> PaymentCollection:
    """
    :raises NotFound: there is none, or it is another buyer's.
    """
    collection = _collection(collection_id)
    if not may_access(request, collection):
        raise _unknown(collection_id)
    return collection


def _unknown(collection_id: str) -> NotFound:
    return NotFound(f"PaymentCollection id not found: {collection_id}")


def _check_order(collection: PaymentCollection, order_id: str) -> None:
    """
    :raises InvalidData: the collection is another order's.
    """
    if collection.order_reference not in ("", order_id):
        raise InvalidData(
            f"Payment collection {collection.pk} belongs to order {collection.order_reference},"
            f" not to {order_id}."
        )


def _answer_with(session: PaymentSession, selection: Selection) -> Response:
    """The collection with its live session, as the act left both; what came of money is read."""
    collection = session.payment_collection
    if session.authorized_at is not None:
        return _answer(collection.pk, selection)
    rest = {name: below for name, below in selection.items() if name != "payment_sessions"}
    shown = show("payment_collection", complete("payment_collection", collection, rest), rest)
    if (below := selection.get("payment_sessions")) is not None:
        shown["payment_sessions"] = [
            show("payment_session", complete("payment_session", session, below), below)
        ]
    return Response({"payment_collection": shown})


def _answer(collection_id: str, selection: Selection, *, is_uncertain: bool = False) -> Response:
    """202: asked, and the outcome is not known yet; a payment then says what is uncertain."""
    rows = stored(PaymentCollection).filter(pk=collection_id)
    found = load("payment_collection", rows, selection).first()
    if found is None:
        raise _unknown(collection_id)
    shown = show("payment_collection", found, selection)
    return Response({"payment_collection": shown}, status=202 if is_uncertain else 200)
