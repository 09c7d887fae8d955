"""Whether everything that is recorded here is what the provider's ledger holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from django.db.models import Sum

from benchmarks.reconciliation.big_tables import FILLING
from medusa_payments.models import (
    Capture,
    Discrepancy,
    PaymentCollection,
    PaymentSession,
    Refund,
)
from medusa_payments.operations import audit
from medusa_payments.reconciliation.unfinished import unresolved_count
from medusa_payments.testing.stripe_simulator.controls import SimulatorControls


def differences(stripe: SimulatorControls) -> list[str]:
    """Every difference, and all that is unfinished; empty when all money is accounted for."""
    found = money_differences(stripe)
    if unresolved := unresolved_count():
        found.append(f"{unresolved} are unresolved")
    found += [f"discrepancy {each.kind}: {each.detail}" for each in _open_discrepancies()]
    for collection in PaymentCollection.all_objects.exclude(pk__startswith=FILLING):
        found += [f"audit of {collection.pk}: {each.kind}" for each in audit.verify(collection)]
    return found


def money_differences(stripe: SimulatorControls) -> list[str]:
    """Where the record and the ledger differ."""
    of_session = defaultdict(list)
    for intent in stripe.ledger()["intents"].values():
        of_session[intent["session_id"]].append(intent)
    rows = PaymentSession.all_objects.exclude(pk__startswith=FILLING)
    sessions = {session.pk: session for session in rows}
    found = [f"{pk} is not known here" for pk in of_session if pk not in sessions]
    for pk, session in sessions.items():
        found += _of_session(session, of_session[pk])
    return found


def _open_discrepancies() -> Any:
    return Discrepancy.objects.filter(state="open")


def _of_session(session: PaymentSession, intents: list[Any]) -> Iterator[str]:
    if len(intents) > 1:
        yield f"{session.pk} has {len(intents)} intents"
    received = sum(each["amount_received"] for each in intents)
    refunded = sum(each["amount_refunded"] for each in intents)
    captures = Capture.objects.filter(payment__payment_session=session, status="succeeded")
    refunds = Refund.objects.filter(
        payment__payment_session=session, status__in=("succeeded", "pending")
    )
    if (taken := _sum(captures)) != received:
        yield f"{session.pk}: {taken} is recorded as captured, {received} was taken"
    if (given := _sum(refunds)) != refunded:
        yield f"{session.pk}: {given} is recorded as refunded, {refunded} was given back"
    if session.held_minor != sum(each["held"] for each in intents):
        yield f"{session.pk}: {session.held_minor} is recorded as held"
    if session.deleted:
        yield from _not_undone(session, intents)


def _not_undone(session: PaymentSession, intents: list[Any]) -> Iterator[str]:
    if not session.resolution:
        yield f"{session.pk} is not resolved"
    for intent in intents:
        if intent["payable"] or intent["held"] or intent["kept"]:
            yield f"{session.pk} is deleted; its intent is {intent['status']} and not undone"


def _sum(rows: Any) -> int:
    return int(rows.aggregate(total=Sum("amount_minor"))["total"] or 0)
