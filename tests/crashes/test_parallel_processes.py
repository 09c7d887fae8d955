"""Processes that act at the same instant, each with a connection of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.crashes.databases import on
from tests.crashes.processes import Desk, Shop, kill
from tests.crashes.scenarios import new_collection, payment_held, start, start_confirmed
from tests.crashes.test_killed_processes import OUTLASTS_THE_LEASE
from tests.crashes.truth import intents_of, lies

# Under load a process takes seconds to start.
pytestmark = pytest.mark.timeout(300)

SYSTEM = ("--provider", "pp_system_default")


def payment_of_30(desk: Desk) -> tuple[str, str]:
    collection = desk.ask("create_payment_collection", "30", "eur", "--json").checked().row["id"]
    session = desk.ask("create_payment_session", collection, *SYSTEM, "--json").checked().row
    payment = desk.ask("authorize_payment_session", session["id"], "--json").checked().row
    return collection, payment["id"]


def show(desk: Desk, collection: str) -> Any:
    desk.ask("verify_audit_trail").checked()
    return desk.ask("show_payment_collection", collection, "--json").checked().row


@on("sqlite", "postgres", "mariadb", slow=("sqlite", "mariadb"))
def test_six_captures_of_10_at_once_take_30_of_30(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop()
    desk = shop.desk()
    collection, payment = payment_of_30(desk)

    answers = desk.ask_at_once(*[("capture_payment", payment, "--amount", "10", "--json")] * 6)

    # One that comes when all is captured is told so, as Medusa does; it captures nothing.
    made = [each for each in answers if each.status == 0 and each.row["id"].startswith("capt_")]
    assert len(made) == 3, answers
    shown = show(desk, collection)
    captures = shown["payments"][0]["captures"]
    assert [(each["amount"], each["status"]) for each in captures] == [(10, "succeeded")] * 3
    assert shown["collection"]["captured_amount"] == 30
    assert shown["collection"]["status"] == "completed"


@pytest.mark.slow
@on("sqlite", "postgres", "mariadb")
def test_six_refunds_of_10_at_once_give_back_30_of_30(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop()
    desk = shop.desk()
    collection, payment = payment_of_30(desk)
    desk.ask("capture_payment", payment).checked()

    answers = desk.ask_at_once(*[("refund_payment", payment, "--amount", "10")] * 6)

    assert sorted(answer.status for answer in answers) == [0, 0, 0, 1, 1, 1], answers
    shown = show(desk, collection)
    refunds = shown["payments"][0]["refunds"]
    assert [(each["amount"], each["status"]) for each in refunds] == [(10, "succeeded")] * 3
    assert shown["collection"]["refunded_amount"] == 30


@pytest.mark.slow
@on("postgres", "mariadb")
def test_six_captures_at_once_take_one_where_the_provider_takes_one_and_releases_the_rest(
    open_shop: Callable[..., Shop], simulator: StripeSimulator
) -> None:
    shop = open_shop()
    desk = shop.desk()
    collection = new_collection(desk)
    payment = payment_held(desk, simulator, collection)

    answers = desk.ask_at_once(*[("capture_payment", payment, "--amount", "10")] * 6)

    assert sorted(answer.status for answer in answers) == [0, 1, 1, 1, 1, 1], answers
    refused = [answer.stderr for answer in answers if answer.status]
    assert all("one capture per authorization" in each for each in refused), refused
    shown = show(desk, collection)
    (intent,) = intents_of(shown, simulator)
    assert (intent["amount_received"], intent["held"]) == (1000, 0)
    assert shown["collection"]["captured_amount"] == 10
    assert lies(shown, simulator) == []


@pytest.mark.slow
@on("postgres", "mariadb")
def test_six_refunds_at_once_give_back_what_stripe_took(
    open_shop: Callable[..., Shop], simulator: StripeSimulator
) -> None:
    shop = open_shop()
    desk = shop.desk()
    collection = new_collection(desk)
    payment = payment_held(desk, simulator, collection)
    desk.ask("capture_payment", payment, "--amount", "30").checked()

    answers = desk.ask_at_once(*[("refund_payment", payment, "--amount", "10")] * 6)

    assert sorted(answer.status for answer in answers) == [0, 0, 0, 1, 1, 1], answers
    shown = show(desk, collection)
    (intent,) = intents_of(shown, simulator)
    assert intent["kept"] == 0
    assert lies(shown, simulator) == []


@pytest.mark.slow
@pytest.mark.parametrize("request_key", ["", "the-same"])
@on("postgres", "mariadb")
def test_one_request_key_at_once_is_one_refund(
    request_key: str, open_shop: Callable[..., Shop]
) -> None:
    shop = open_shop()
    desk = shop.desk()
    collection, payment = payment_of_30(desk)
    desk.ask("capture_payment", payment).checked()
    key = ("--request-key", request_key) if request_key else ()

    desk.ask_at_once(*[("refund_payment", payment, "--amount", "10", *key)] * 3)

    refunds = show(desk, collection)["payments"][0]["refunds"]
    assert len(refunds) == (1 if request_key else 3)


@pytest.mark.slow
@on("sqlite", "postgres", "mariadb")
def test_five_sessions_at_once_leave_one_session_and_one_payable_intent(
    open_shop: Callable[..., Shop], simulator: StripeSimulator
) -> None:
    shop = open_shop()
    desk = shop.desk()
    collection = new_collection(desk)

    answers = desk.ask_at_once(*[start(desk, simulator, collection)] * 5)

    shown = show(desk, collection)
    live = [session for session in shown["sessions"] if not session["deleted_at"]]
    payable = [intent for intent in intents_of(shown, simulator) if intent["payable"]]
    assert {answer.status for answer in answers} <= {0, 1}, answers
    assert [session["provider_reference"] for session in live] == [each["id"] for each in payable]
    assert len(payable) == 1
    assert lies(shown, simulator) == []


@pytest.mark.slow
@on("postgres", "mariadb")
def test_five_sessions_confirmed_at_once_take_the_money_once(
    open_shop: Callable[..., Shop], simulator: StripeSimulator
) -> None:
    shop = open_shop(STRIPE_CAPTURE="automatic")
    desk = shop.desk()
    collection = new_collection(desk)

    answers = desk.ask_at_once(*[start_confirmed(desk, simulator, collection)] * 5)

    shown = show(desk, collection)
    assert [answer.status for answer in answers].count(0) == 1, answers
    assert sum(intent["kept"] for intent in intents_of(shown, simulator)) == 100_50
    assert lies(shown, simulator) == []


@pytest.mark.slow
@on("sqlite", "postgres", "mariadb")
def test_two_sweeps_at_once_give_the_money_back_once(
    open_shop: Callable[..., Shop], simulator: StripeSimulator
) -> None:
    shop = open_shop(MEDUSA_LEASE_SECONDS="1", STRIPE_CAPTURE="automatic")
    desk = shop.desk()
    collections = [new_collection(desk) for _ in range(3)]
    simulator.fault("hang", "payment_intents.create", times=None)
    victims = [shop.start(*start_confirmed(desk, simulator, each)) for each in collections]
    while len(simulator.requests("payment_intents.create")) < len(victims):
        time.sleep(0.01)
    for victim in victims:
        kill(victim)
    simulator.clear_faults()
    simulator.fault("slow", "*", times=None, delay=0.1)
    time.sleep(OUTLASTS_THE_LEASE)

    sweeps = desk.ask_at_once(*[("reconcile_payments", "--all", "--json")] * 2)

    # One may still see what the other is working on.
    assert {answer.status for answer in sweeps} <= {0, 3}, sweeps
    desk.ask("reconcile_payments", "--all").checked()
    for collection in collections:
        shown = show(desk, collection)
        (intent,) = intents_of(shown, simulator)
        assert [each["amount"] for each in intent["refunds"]] == [100_50]
        assert lies(shown, simulator) == []
