"""What must hold at the end of every cell: the record is the provider's ledger, to the cent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import Sum

from medusa_payments.models import Capture, Payment, PaymentSession, ProviderCall, Refund
from medusa_payments.operations import audit
from medusa_payments.statuses import MovementStatus

from .scenarios import Cell


def violations(cell: Cell, ledger: dict[str, Any]) -> list[str]:
    """Every way in which a cell's end state breaks the promise; empty when it holds."""
    cell.collection.refresh_from_db()
    sessions = {
        session.pk: session
        for session in PaymentSession.all_objects.filter(payment_collection=cell.collection)
    }
    intents = [each for each in ledger["intents"].values() if each["session_id"] in sessions]
    found = [
        *_money(cell, intents),
        *_sessions(sessions, intents),
        *_calls(cell),
        *(f"audit: {each}" for each in audit.verify(cell.collection)),
    ]
    return [f"{cell.label}: {each}" for each in found]


def _money(cell: Cell, intents: list[dict[str, Any]]) -> Iterator[str]:
    kept = sum(intent["kept"] + intent["held"] for intent in intents)
    if kept > cell.collection.amount_minor:
        yield f"{kept} is kept of {cell.collection.amount_minor} owed"
    if cell.kept_minor is not None and kept != cell.kept_minor:
        yield f"{kept} is kept or held, not {cell.kept_minor}"
    for intent in intents:
        if intent["amount_refunded"] > intent["amount_received"]:
            yield f"{intent['id']} gave back more than it took"


def _sessions(sessions: dict[str, PaymentSession], intents: list[dict[str, Any]]) -> Iterator[str]:
    by_session: dict[str, list[dict[str, Any]]] = {pk: [] for pk in sessions}
    for intent in intents:
        by_session[intent["session_id"]].append(intent)
    for pk, session in sessions.items():
        own = by_session[pk]
        if len(own) > 1:
            yield f"{pk} has {len(own)} intents"
        yield from _record_is_ledger(session, own[0] if own else None)


def _record_is_ledger(session: PaymentSession, intent: dict[str, Any] | None) -> Iterator[str]:
    received = intent["amount_received"] if intent else 0
    refunded = intent["amount_refunded"] if intent else 0
    held = intent["held"] if intent else 0
    payment = Payment.objects.filter(payment_session=session).first()
    if _sum(Capture, payment, [MovementStatus.SUCCEEDED]) != received:
        yield f"{session.pk}: captures recorded are not the {received} received"
    happened = [MovementStatus.SUCCEEDED, MovementStatus.PENDING]
    if _sum(Refund, payment, happened) != refunded:
        yield f"{session.pk}: refunds recorded are not the {refunded} refunded"
    if session.held_minor != held:
        yield f"{session.pk}: {session.held_minor} recorded as held, {held} is"
    if intent and session.provider_reference != intent["id"]:
        yield f"{session.pk}: does not know {intent['id']}"
    if not session.is_live:
        if not session.resolution:
            yield f"{session.pk}: soft-deleted and not resolved"
        if intent and (intent["payable"] or held or intent["kept"]):
            yield f"{session.pk}: soft-deleted, and its intent is {intent['status']} and not undone"


def _sum(model: Any, payment: Payment | None, statuses: list[MovementStatus]) -> int:
    if payment is None:
        return 0
    rows = model.objects.filter(payment=payment, status__in=statuses)
    return int(rows.aggregate(total=Sum("amount_minor"))["total"] or 0)


def _calls(cell: Cell) -> Iterator[str]:
    for call in ProviderCall.objects.filter(payment_collection=cell.collection):
        if call.is_unresolved:
            yield f"{call.kind} {call.pk} is {call.state}, generation {call.generation}"
