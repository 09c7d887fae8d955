"""Payment collections and their sessions, for a buyer's page."""

from __future__ import annotations

from typing import Any

from django.utils.module_loading import import_string
from rest_framework.request import Request
from rest_framework.response import Response

from medusa_payments import settings
from medusa_payments.api import fields
from medusa_payments.api.access import may_access
from medusa_payments.api.bodies import identifier, read_body
from medusa_payments.api.buyers import customer_of
from medusa_payments.api.queries import ONE, read_query, text_in
from medusa_payments.api.shapes import Selection, stored
from medusa_payments.api.views.base import StoreView
from medusa_payments.api.views.collection_answers import (
    SESSION_BODY,
    answer,
    answer_with,
    collection_of,
    unknown_collection,
)
from medusa_payments.errors import NotFound
from medusa_payments.models import PaymentCollection, PaymentSession
from medusa_payments.operations.collections import create_payment_collection
from medusa_payments.operations.sessions import create_payment_session

CART_BODY = {"cart_id": identifier(is_required=True)}


class StoreCollections(StoreView):
    """The price comes from the shop's CART_RESOLVER, never from the browser."""

    def post(self, request: Request) -> Response:
        selection = _store_selection(request)
        cart_id = read_body(request, CART_BODY)["cart_id"]
        cart = _buyers_cart(cart_id, request)
        collection = create_payment_collection(
            amount=cart["amount"],
            currency_code=cart["currency_code"],
            cart_reference=cart_id,
            actor=self.actor,
        )
        return answer(collection.pk, selection, hands_out=True)

    def check_asked_again(self, request: Request) -> None:
        _buyers_cart(read_body(request, CART_BODY)["cart_id"], request)


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
        return answer_with(session, selection)

    def check_asked_again(self, request: Request, collection_id: str) -> None:
        _buyers_collection(collection_id, request)


def _store_selection(request: Request) -> Selection:
    return fields.select(
        "payment_collection",
        fields.STORE_COLLECTION,
        text_in(read_query(request, ONE), "fields"),
        allowed=fields.STORE_COLLECTION_ALLOWED,
    )


def _buyers_cart(cart_id: str, request: Request) -> dict[str, Any]:
    """
    :raises NotFound: there is none, or its collection is another buyer's.
    """
    cart = _cart(cart_id, request)
    if settings.ACCESS_RESOLVER:
        theirs = stored(PaymentCollection).filter(live_cart_reference=cart_id).first()
        if theirs is not None and not may_access(request, theirs):
            raise NotFound(f"Cart id not found: {cart_id}")
    return cart


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


def _buyers_collection(collection_id: str, request: Request) -> PaymentCollection:
    """
    :raises NotFound: there is none, or it is another buyer's.
    """
    collection = collection_of(collection_id)
    if not may_access(request, collection):
        raise unknown_collection(collection_id)
    return collection
