"""Both sides' own account of the money, in major units: our database's and the provider's."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core.management import CommandError, call_command

from medusa_payments.money import to_major
from medusa_payments.testing.stripe_simulator import StripeSimulator

CURRENCY = "eur"


@dataclass(frozen=True)
class Money:
    """``kept``: taken and not given back."""

    held: Decimal
    taken: Decimal
    given_back: Decimal

    @property
    def kept(self) -> Decimal:
        return self.taken - self.given_back


def shown(collection_id: str) -> dict[str, Any]:
    """All that our database has about a collection, soft-deleted rows included."""
    return told_by("show_payment_collection", collection_id)


def told_by(command: str, *arguments: str) -> dict[str, Any]:
    """What a management command answers to ``--json``, also where its exit status is not 0."""
    output = io.StringIO()
    try:
        call_command(command, *arguments, "--json", stdout=output, stderr=io.StringIO())
    except CommandError:
        if not output.getvalue():
            raise
    answer: dict[str, Any] = json.loads(output.getvalue().splitlines()[-1], parse_float=Decimal)
    return answer


def our_money(collection_id: str) -> Money:
    """Every payment of a collection, also of sessions that were set aside."""
    payments = shown(collection_id)["payments"]
    taken = sum(_succeeded(each["captures"]) for each in payments)
    given_back = sum(_succeeded(each["refunds"]) for each in payments)
    held = sum(
        Decimal(each["amount"])
        for each in payments
        if not each["captures"] and not each["canceled_at"]
    )
    return Money(Decimal(held), Decimal(taken), Decimal(given_back))


def _succeeded(movements: list[dict[str, Any]]) -> Decimal:
    amounts = (Decimal(each["amount"]) for each in movements if each["status"] == "succeeded")
    return sum(amounts, start=Decimal(0))


def their_money(simulator: StripeSimulator, collection_id: str) -> Money:
    """The intents that the provider holds for the sessions of a collection."""
    own = {each["id"] for each in shown(collection_id)["sessions"]}
    lines = [line for line in simulator.ledger()["intents"].values() if line["session_id"] in own]
    return Money(
        _major(sum(line["held"] for line in lines)),
        _major(sum(line["amount_received"] for line in lines)),
        _major(sum(line["amount_refunded"] for line in lines)),
    )


def _major(amount_minor: int) -> Decimal:
    return to_major(amount_minor, CURRENCY)
