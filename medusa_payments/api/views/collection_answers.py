"""What the store's and the admin's routes for payment collections share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rest_framework.response import Response

from medusa_payments.api.bodies import Field, identifier
from medusa_payments.api.shapes import Selection, complete, load, show, stored
from medusa_payments.errors import NotFound
from medusa_payments.models import PaymentCollection, PaymentSession, ProviderCall
from medusa_payments.redaction import CLIENT_SECRET
from medusa_payments.statuses import UNRESOLVED_CALLS, CallKind

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
        return answer(collection.pk, selection, hands_out=True)
    rest = {name: below for name, below in selection.items() if name != "payment_sessions"}
    shown = show("payment_collection", complete("payment_collection", collection, rest), rest)
    if (below := selection.get("payment_sessions")) is not None:
        shown["payment_sessions"] = [
            show("payment_session", complete("payment_session", session, below), below)
        ]
    _hand_out(shown, [session])
    return Response({"payment_collection": shown})


def answer(
    collection_id: str,
    selection: Selection,
    *,
    is_uncertain: bool = False,
    hands_out: bool = False,
) -> Response:
    """202: asked, and the outcome is not known yet; a payment then says what is uncertain.

    ``hands_out``: whoever asks is to finish the payment, and gets the secret that this takes.
    """
    rows = stored(PaymentCollection).filter(pk=collection_id)
    found = load("payment_collection", rows, selection).first()
    if found is None:
        raise unknown_collection(collection_id)
    shown = show("payment_collection", found, selection)
    if hands_out and "payment_sessions" in selection:
        _hand_out(shown, _settled(found.payment_sessions.all()))
    return Response({"payment_collection": shown}, status=202 if is_uncertain else 200)


def _hand_out(shown: dict[str, Any], sessions: Iterable[PaymentSession]) -> None:
    """Put the secrets of live sessions into what is shown of them; nowhere else is one shown."""
    secrets = {session.pk: session.data.get(CLIENT_SECRET) for session in sessions}
    for session in shown.get("payment_sessions", ()):
        if "data" in session and (secret := secrets.get(session["id"])):
            session["data"][CLIENT_SECRET] = secret


def _settled(sessions: Iterable[PaymentSession]) -> list[PaymentSession]:
    """Those of which it is known what their objects ask for."""
    updates = stored(ProviderCall).filter(kind=CallKind.UPDATE, state__in=UNRESOLVED_CALLS)
    unsettled = updates.filter(payment_session__in=[session.pk for session in sessions])
    ids = set(unsettled.values_list("payment_session_id", flat=True))
    return [session for session in sessions if session.pk not in ids]
