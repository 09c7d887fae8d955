"""What the store's and the admin's routes for payment collections share."""

from __future__ import annotations

from rest_framework.response import Response

from medusa_payments.api.bodies import Field, identifier
from medusa_payments.api.shapes import Selection, complete, load, show, stored
from medusa_payments.errors import NotFound
from medusa_payments.models import PaymentCollection, PaymentSession

SESSION_BODY = {"provider_id": identifier(is_required=True), "data": Field(type="record")}


def collection_of(collection_id: str) -> PaymentCollection:
    found = stored(PaymentCollection).filter(pk=collection_id).first()
    if found is None:
        raise unknown_collection(collection_id)
    return found


def unknown_collection(collection_id: str) -> NotFound:
    return NotFound(f"PaymentCollection id not found: {collection_id}")


def answer_with(session: PaymentSession, selection: Selection) -> Response:
    """The collection with its live session, as the act left both; what came of money is read."""
    collection = session.payment_collection
    if session.authorized_at is not None:
        return answer(collection.pk, selection)
    rest = {name: below for name, below in selection.items() if name != "payment_sessions"}
    shown = show("payment_collection", complete("payment_collection", collection, rest), rest)
    if (below := selection.get("payment_sessions")) is not None:
        shown["payment_sessions"] = [
            show("payment_session", complete("payment_session", session, below), below)
        ]
    return Response({"payment_collection": shown})


def answer(collection_id: str, selection: Selection, *, is_uncertain: bool = False) -> Response:
    """202: asked, and the outcome is not known yet; a payment then says what is uncertain."""
    rows = stored(PaymentCollection).filter(pk=collection_id)
    found = load("payment_collection", rows, selection).first()
    if found is None:
        raise unknown_collection(collection_id)
    shown = show("payment_collection", found, selection)
    return Response({"payment_collection": shown}, status=202 if is_uncertain else 200)
