"""The process is killed while the provider works; one sweep makes the record true again."""

from __future__ import annotations

import random
import subprocess
import time
from collections.abc import Callable
from typing import Any

import pytest

from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.crashes.databases import Database, on
from tests.crashes.processes import TIME_OUT, Shop, kill
from tests.crashes.scenarios import (
    BY_NAME,
    SCENARIOS,
    Act,
    Scenario,
    new_collection,
    refund_part,
    start_confirmed,
)
from tests.crashes.truth import intents_of, lies

# Longer than the lease and the horizon, which are one second.
OUTLASTS_THE_LEASE = 1.2

# Under load a process takes seconds to start.
pytestmark = pytest.mark.timeout(300)

EXECUTED, NOT_EXECUTED = "hang", "hang_before"


def kill_while_the_provider_works(
    shop: Shop, simulator: StripeSimulator, act: Act, *, operation: str, fault: str
) -> None:
    """Returns when the request has arrived and the process that sent it is gone."""
    simulator.fault(fault, operation, times=None)
    process = shop.start(*act)
    wait_for_request(simulator, operation, fault, process)
    kill(process)
    simulator.clear_faults()


def wait_for_request(
    simulator: StripeSimulator, operation: str, fault: str, process: subprocess.Popen[str]
) -> None:
    deadline = time.monotonic() + TIME_OUT
    while not any(each["fault"] == fault for each in simulator.requests(operation)):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)


def killed_call_is_committed(database: Database, shop: Shop, kind: str) -> bool:
    sql = "SELECT kind FROM medusa_payments_providercall WHERE state = 'open' AND attempts = '[]'"
    return (kind,) in database.query(shop.database_url, sql)


def check_recovery(
    scenario: Scenario,
    database: Database,
    open_shop: Callable[..., Shop],
    simulator: StripeSimulator,
    *,
    fault: str,
) -> None:
    shop = open_shop(MEDUSA_LEASE_SECONDS="1", **scenario.environment)
    desk = shop.desk()
    collection = new_collection(desk)
    act = scenario.prepare(desk, simulator, collection)
    executed = fault == EXECUTED

    kill_while_the_provider_works(shop, simulator, act, operation=scenario.operation, fault=fault)
    assert killed_call_is_committed(database, shop, scenario.kind)
    time.sleep(OUTLASTS_THE_LEASE)
    swept = shop.run("reconcile_payments", "--all", "--json").checked().row

    shown = desk.ask("show_payment_collection", collection, "--json").checked().row
    intents = intents_of(shown, simulator)
    assert lies(shown, simulator) == []
    assert swept["unresolved"] == 0
    assert swept["resolved"] >= 1
    assert sum(intent["kept"] + intent["held"] for intent in intents) == scenario.kept
    refunds = sum(len(intent["refunds"]) for intent in intents)
    assert refunds == scenario.refunds_when(executed=executed)
    assert shown["sessions"][-1]["resolution"] == scenario.resolution_when(executed=executed)
    desk.ask("verify_audit_trail").checked()
    if scenario.kind == "initiate":
        check_buyer_may_start_again(desk, simulator, collection)


def check_buyer_may_start_again(desk: Any, simulator: StripeSimulator, collection: str) -> None:
    desk.ask(*start_confirmed(desk, simulator, collection)).checked()

    shown = desk.ask("show_payment_collection", collection, "--json").checked().row
    assert lies(shown, simulator) == []
    assert sum(each["kept"] + each["held"] for each in intents_of(shown, simulator)) == 100_50


@pytest.mark.parametrize(
    "name",
    ["initiate_confirmed_and_taken", pytest.param("partial_refund", marks=pytest.mark.slow)],
)
@on("sqlite")
def test_killed_process_is_recovered_by_one_sweep(
    name: str,
    database: Database,
    open_shop: Callable[..., Shop],
    simulator: StripeSimulator,
) -> None:
    check_recovery(BY_NAME[name], database, open_shop, simulator, fault=EXECUTED)


@pytest.mark.slow
@pytest.mark.parametrize("fault", [EXECUTED, NOT_EXECUTED])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
@on("sqlite", "postgres")
def test_killed_process_is_recovered_by_one_sweep_in_every_operation(
    scenario: Scenario,
    fault: str,
    database: Database,
    open_shop: Callable[..., Shop],
    simulator: StripeSimulator,
) -> None:
    check_recovery(scenario, database, open_shop, simulator, fault=fault)


@pytest.mark.slow
@pytest.mark.parametrize("fault", [EXECUTED, NOT_EXECUTED])
@on("sqlite", "postgres")
def test_second_click_after_a_crash_takes_the_same_refund_up(
    fault: str, shop: Shop, simulator: StripeSimulator
) -> None:
    desk = shop.desk()
    collection = new_collection(desk)
    act = refund_part(desk, simulator, collection)
    kill_while_the_provider_works(shop, simulator, act, operation="refunds.create", fault=fault)
    time.sleep(OUTLASTS_THE_LEASE)

    second = desk.ask(*act, "--json").checked().row

    shown = desk.ask("show_payment_collection", collection, "--json").checked().row
    (intent,) = intents_of(shown, simulator)
    assert [each["id"] for each in shown["payments"][0]["refunds"]] == [second["id"]]
    assert [each["amount"] for each in intent["refunds"]] == [40_20]
    assert lies(shown, simulator) == []


@pytest.mark.slow
@on("sqlite", "postgres")
def test_sweep_that_is_killed_is_finished_by_the_next(
    open_shop: Callable[..., Shop], simulator: StripeSimulator
) -> None:
    shop = open_shop(MEDUSA_LEASE_SECONDS="1", STRIPE_CAPTURE="automatic")
    desk = shop.desk()
    collection = new_collection(desk)
    act = start_confirmed(desk, simulator, collection)
    kill_while_the_provider_works(
        shop, simulator, act, operation="payment_intents.create", fault=EXECUTED
    )
    time.sleep(OUTLASTS_THE_LEASE)
    sweep = ("reconcile_payments", "--all")
    kill_while_the_provider_works(
        shop, simulator, sweep, operation="refunds.create", fault=EXECUTED
    )
    time.sleep(OUTLASTS_THE_LEASE)

    shop.run(*sweep).checked()

    shown = desk.ask("show_payment_collection", collection, "--json").checked().row
    (intent,) = intents_of(shown, simulator)
    assert [each["amount"] for each in intent["refunds"]] == [100_50]
    assert lies(shown, simulator) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
@on("sqlite", "postgres")
def test_processes_killed_at_any_instant_are_recovered_by_one_sweep(
    seed: int, open_shop: Callable[..., Shop], simulator: StripeSimulator
) -> None:
    shop = open_shop(MEDUSA_LEASE_SECONDS="1", STRIPE_CAPTURE="automatic")
    chance = random.Random(seed)
    desk = shop.desk()
    collections = []
    for _ in range(5):
        collections.append(new_collection(desk))
        victim = shop.desk()
        victim.begin(start_confirmed(desk, simulator, collections[-1]))
        time.sleep(chance.uniform(0, 0.08))
        victim.kill()
    time.sleep(OUTLASTS_THE_LEASE)

    shop.run("reconcile_payments", "--all").checked()

    for collection in collections:
        shown = desk.ask("show_payment_collection", collection, "--json").checked().row
        assert lies(shown, simulator) == []
