"""Whether what ``show_payment_collection`` prints is what the provider's ledger holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from medusa_payments.testing.stripe_simulator import StripeSimulator


def lies(shown: Any, simulator: StripeSimulator) -> list[str]:
    """Every difference between a collection's record and the ledger, and all that is unfinished."""
    intents = intents_of(shown, simulator)
    found = [each for session in shown["sessions"] for each in _of_session(shown, session, intents)]
    found += [f"{call['kind']} {call['state']}" for call in shown["calls"] if _is_open(call)]
    found += [f"discrepancy {each['kind']}" for each in shown["discrepancies"]]
    if not shown["audit"]["valid"]:
        found.append("the audit trail is broken")
    return found


def intents_of(shown: Any, simulator: StripeSimulator) -> list[Any]:
    sessions = {session["id"] for session in shown["sessions"]}
    every = simulator.ledger()["intents"].values()
    return [intent for intent in every if intent["session_id"] in sessions]


def _is_open(call: Any) -> bool:
    return call["state"] in ("open", "indeterminate")


def _of_session(shown: Any, session: Any, intents: list[Any]) -> Iterator[str]:
    own = [intent for intent in intents if intent["session_id"] == session["id"]]
    if len(own) > 1:
        yield f"{session['id']} has {len(own)} intents"
    payment = next((each for each in shown["payments"] if each["session_id"] == session["id"]), {})
    taken = cents(payment.get("captures", []), "succeeded")
    given = cents(payment.get("refunds", []), "succeeded", "pending")
    if taken != sum(intent["amount_received"] for intent in own):
        yield f"{session['id']}: {taken} is recorded as captured"
    if given != sum(intent["amount_refunded"] for intent in own):
        yield f"{session['id']}: {given} is recorded as refunded"
    if [intent["id"] for intent in own] != [session["provider_reference"]] * len(own):
        yield f"{session['id']} does not know its intent"
    if session["deleted_at"]:
        yield from _not_undone(session, own)


def _not_undone(session: Any, own: list[Any]) -> Iterator[str]:
    if not session["resolution"]:
        yield f"{session['id']} is not resolved"
    for intent in own:
        if intent["payable"] or intent["held"] or intent["kept"]:
            yield f"{session['id']} is deleted; its intent is {intent['status']} and not undone"


def cents(movements: list[Any], *statuses: str) -> int:
    return int(sum(each["amount"] * 100 for each in movements if each["status"] in statuses))
