"""What a process was doing when it was killed, and how the money must stand after one sweep."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.crashes.processes import Desk

AMOUNT = "100.50"
PART = "40.20"
STRIPE = "pp_stripe_stripe"
CONFIRMED = '{"confirm": true, "off_session": true, "payment_method": "pm_card_visa"}'

Act = tuple[str, ...]
Prepare = Callable[[Desk, StripeSimulator, str], Act]


@dataclass(frozen=True)
class Scenario:
    """``prepare`` brings a collection to where ``kind`` is asked, and returns the act to kill."""

    name: str
    prepare: Prepare
    kind: str  # of the provider call that its death leaves open
    operation: str  # the simulator's name of it
    kept: int  # in cents, held money included, after the sweep
    refunds: int = 0  # at the provider
    refunds_if_not_executed: int | None = None  # the same, unless given
    resolution: str = ""  # of the session that was being started
    resolution_if_not_executed: str = ""
    environment: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name

    def refunds_when(self, *, executed: bool) -> int:
        other = self.refunds_if_not_executed
        return self.refunds if executed or other is None else other

    def resolution_when(self, *, executed: bool) -> str:
        return self.resolution if executed else self.resolution_if_not_executed


def start(desk: Desk, simulator: StripeSimulator, collection: str) -> Act:
    return ("create_payment_session", collection, "--provider", STRIPE)


def start_confirmed(desk: Desk, simulator: StripeSimulator, collection: str) -> Act:
    return (*start(desk, simulator, collection), "--data", CONFIRMED)


def start_again(desk: Desk, simulator: StripeSimulator, collection: str) -> Act:
    """In place of a session that the buyer can still pay."""
    desk.ask(*start(desk, simulator, collection)).checked()
    return start(desk, simulator, collection)


def capture(desk: Desk, simulator: StripeSimulator, collection: str) -> Act:
    return ("capture_payment", payment_held(desk, simulator, collection))


def capture_part(desk: Desk, simulator: StripeSimulator, collection: str) -> Act:
    return (*capture(desk, simulator, collection), "--amount", PART)


def cancel(desk: Desk, simulator: StripeSimulator, collection: str) -> Act:
    return ("cancel_payment", payment_held(desk, simulator, collection))


def refund(desk: Desk, simulator: StripeSimulator, collection: str) -> Act:
    payment = payment_held(desk, simulator, collection)
    desk.ask("capture_payment", payment).checked()
    return ("refund_payment", payment)


def refund_part(desk: Desk, simulator: StripeSimulator, collection: str) -> Act:
    return (*refund(desk, simulator, collection), "--amount", PART)


def payment_held(desk: Desk, simulator: StripeSimulator, collection: str) -> str:
    session = desk.ask(*start(desk, simulator, collection), "--json").checked().row
    simulator.pay(session["provider_reference"])
    payment = desk.ask("authorize_payment_session", session["id"], "--json").checked().row
    return str(payment["id"])


def new_collection(desk: Desk) -> str:
    answer = desk.ask("create_payment_collection", AMOUNT, "eur", "--json").checked()
    return str(answer.row["id"])


_INITIATE: dict[str, Any] = {
    "kind": "initiate",
    "operation": "payment_intents.create",
    "kept": 0,
    "resolution_if_not_executed": "not_created",
}

SCENARIOS = (
    Scenario("initiate", start, resolution="closed", **_INITIATE),
    Scenario("initiate_confirmed_and_held", start_confirmed, resolution="closed", **_INITIATE),
    Scenario(
        "initiate_confirmed_and_taken",
        start_confirmed,
        resolution="refunded",
        refunds=1,
        refunds_if_not_executed=0,
        environment={"STRIPE_CAPTURE": "automatic"},
        **_INITIATE,
    ),
    Scenario("replace_while_starting", start_again, resolution="closed", **_INITIATE),
    Scenario(
        "replace_while_closing",
        start_again,
        kind="cancel",
        operation="payment_intents.cancel",
        kept=0,
        resolution="not_created",
        resolution_if_not_executed="not_created",
    ),
    Scenario("capture", capture, "capture", "payment_intents.capture", kept=100_50),
    Scenario("partial_capture", capture_part, "capture", "payment_intents.capture", kept=40_20),
    Scenario("cancel", cancel, "cancel", "payment_intents.cancel", kept=0),
    Scenario("partial_refund", refund_part, "refund", "refunds.create", kept=60_30, refunds=1),
    Scenario("full_refund", refund, "refund", "refunds.create", kept=0, refunds=1),
)
BY_NAME = {each.name: each for each in SCENARIOS}
