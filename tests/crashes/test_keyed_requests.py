"""One Idempotency-Key in several processes at the same instant, and in one that is killed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.crashes.databases import Database, on
from tests.crashes.processes import TIME_OUT, Answer, Desk, Shop
from tests.crashes.scenarios import CONFIRMED, STRIPE, new_collection
from tests.crashes.test_killed_processes import OUTLASTS_THE_LEASE
from tests.crashes.truth import intents_of, lies

# Under load a process takes seconds to start.
pytestmark = pytest.mark.timeout(300)

SESSION = json.dumps({"provider_id": STRIPE, "data": json.loads(CONFIRMED)})
COLLECTION = '{"order_id": "order_1", "amount": 10, "currency_code": "eur"}'
REASON = '{"label": "Too late", "code": "too_late"}'


def post(path: str, body: str, key: str = "the-same") -> tuple[str, str, str, str]:
    return "POST", f"/api/admin/{path}", body, key


def show(desk: Desk, collection: str) -> Any:
    desk.ask("verify_audit_trail").checked()
    return desk.ask("show_payment_collection", collection, "--json").checked().row


def assert_one_answer(desk: Desk, request: tuple[str, ...], answers: list[Answer]) -> None:
    """Some are told to wait; whoever asks again is told what the others were."""
    said = {each.stdout for each in answers if each.status == 200}
    assert {each.status for each in answers} <= {200, 409}, answers
    again = desk.ask(*request)
    assert said == {again.stdout}, answers
    assert "Idempotent-Replayed: true" in again.stderr
    assert all("Retry-After" in each.stderr for each in answers if each.status == 409)


@on("sqlite", "postgres", "mariadb", slow=("sqlite", "postgres", "mariadb"))
def test_six_equal_requests_at_once_are_one_session(
    open_shop: Callable[..., Shop], simulator: StripeSimulator
) -> None:
    shop = open_shop(STRIPE_CAPTURE="automatic")
    desk = shop.desk()
    collection = new_collection(desk)
    request = post(f"payment-collections/{collection}/payment-sessions", SESSION)

    answers = desk.ask_at_once(*[request] * 6)

    assert_one_answer(desk, request, answers)
    shown = show(desk, collection)
    assert len(shown["sessions"]) == 1
    assert sum(intent["kept"] for intent in intents_of(shown, simulator)) == 100_50
    assert lies(shown, simulator) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "body", "table"),
    [
        ("payment-collections", COLLECTION, "paymentcollection"),
        ("refund-reasons", REASON, "refundreason"),
    ],
)
@on("sqlite", "postgres", "mariadb")
def test_six_equal_requests_at_once_make_one_record(
    path: str, body: str, table: str, open_shop: Callable[..., Shop], database: Database
) -> None:
    shop = open_shop()
    desk = shop.desk()
    count = f"SELECT count(*) FROM medusa_payments_{table}"
    ((before,),) = database.query(shop.database_url, count)

    answers = desk.ask_at_once(*[post(path, body)] * 6)

    assert_one_answer(desk, post(path, body), answers)
    assert database.query(shop.database_url, count) == [(before + 1,)]


@on("postgres", "mariadb", slow=("mariadb",))
def test_a_killed_request_is_found_again_by_its_key_and_not_repeated(
    shop: Shop, simulator: StripeSimulator
) -> None:
    desk, victim = shop.desk(), shop.desk()
    collection = new_collection(desk)
    request = post(f"payment-collections/{collection}/payment-sessions", SESSION)
    simulator.fault("hang", "payment_intents.create", times=None)
    victim.begin(request)
    wait_for(simulator, "payment_intents.create")
    in_flight = desk.ask(*request)
    victim.kill()
    simulator.clear_faults()
    time.sleep(OUTLASTS_THE_LEASE)

    found = desk.ask(*request)
    desk.ask("reconcile_payments", "--all").checked()
    over = desk.ask(*request)
    new = desk.ask(*post(request[1].removeprefix("/api/admin/"), SESSION, "another"))

    assert in_flight.status == 409, in_flight
    assert found.status in (503, 409), found  # not known yet, or found closed by the look
    assert over.status == 409, over
    assert "Use a new key" in over.row["message"]
    assert new.status == 200, new
    shown = show(desk, collection)
    assert len(simulator.requests("payment_intents.create")) == 2
    assert lies(shown, simulator) == []


def wait_for(simulator: StripeSimulator, operation: str) -> None:
    deadline = time.monotonic() + TIME_OUT
    while not simulator.requests(operation):
        assert time.monotonic() < deadline
        time.sleep(0.01)
