"""Every kind of fault, through the real SDK over TCP."""

from __future__ import annotations

import time
from typing import Any

import pytest
import stripe

from medusa_payments.testing.stripe_simulator import ControlError, FaultKind

from .conftest import error_of, headers_of

INTENT = {"amount": 1000, "currency": "eur"}
KEY = {"idempotency_key": "key_1"}

# What the SDK raises, its HTTP status, and whether the work was done.
FAULTS: list[tuple[str, type[stripe.StripeError], int | None, bool]] = [
    ("drop_before", stripe.APIConnectionError, None, False),
    ("drop_after", stripe.APIConnectionError, None, True),
    ("error_500_before", stripe.APIError, 500, False),
    ("error_500_after", stripe.APIError, 500, True),
    ("html_502_before", stripe.APIError, 502, False),
    ("html_502_after", stripe.APIError, 502, True),
    ("rate_limit", stripe.RateLimitError, 429, False),
    ("key_in_use", stripe.APIError, 409, False),
    ("truncated_json", stripe.APIConnectionError, None, True),
    ("truncated_json_clean", stripe.APIError, 200, True),
]
# What the same key gets at the next try: the stored answer, or an execution.
REPLAYS = {"drop_after", "html_502_after", "truncated_json", "truncated_json_clean"}
STORED_500S = {"error_500_before", "error_500_after"}


def made(simulator: Any) -> int:
    return len(simulator.ledger()["intents"])


@pytest.mark.parametrize(("kind", "error", "status", "is_executed"), FAULTS)
def test_fault_reaches_the_sdk(
    client: Any,
    simulator: Any,
    kind: str,
    error: type[stripe.StripeError],
    status: int | None,
    is_executed: bool,
) -> None:
    simulator.fault(kind)

    with pytest.raises(error) as raised:
        client.payment_intents.create(INTENT, KEY)

    assert type(raised.value) is error
    assert raised.value.http_status == status
    assert made(simulator) == int(is_executed)
    logged = simulator.requests()[0]
    assert (logged["fault"], logged["executed"]) == (kind, is_executed)


@pytest.mark.parametrize("kind", [kind for kind, *_ in FAULTS if kind not in STORED_500S])
def test_next_try_with_the_key_finds_one_intent(client: Any, simulator: Any, kind: str) -> None:
    simulator.fault(kind)
    with pytest.raises(stripe.StripeError):
        client.payment_intents.create(INTENT, KEY)

    again = client.payment_intents.create(INTENT, KEY)

    assert made(simulator) == 1
    assert ("Idempotent-Replayed" in again.last_response.headers) == (kind in REPLAYS)
    assert again.id in simulator.ledger()["intents"]


@pytest.mark.parametrize("kind", sorted(STORED_500S))
def test_next_try_with_the_key_replays_the_500(client: Any, simulator: Any, kind: str) -> None:
    simulator.fault(kind)

    for _ in range(2):
        with pytest.raises(stripe.APIError) as raised:
            client.payment_intents.create(INTENT, KEY)
    assert headers_of(raised)["Idempotent-Replayed"] == "true"
    assert made(simulator) == (kind == "error_500_after")
    client.payment_intents.create(INTENT, {"idempotency_key": "key_2"})


def test_stored_500_does_not_befall_a_key_that_has_its_answer(client: Any, simulator: Any) -> None:
    first = client.payment_intents.create(INTENT, KEY)
    simulator.fault("error_500_after")

    assert client.payment_intents.create(INTENT, KEY).id == first.id
    assert simulator.faults()[0]["fired"] == 0


@pytest.mark.parametrize(("kind", "is_executed"), [("hang", True), ("hang_before", False)])
def test_hanging_answer_times_out_at_the_client(
    connect: Any, simulator: Any, kind: str, is_executed: bool
) -> None:
    simulator.fault(kind)

    with pytest.raises(stripe.APIConnectionError):
        connect(timeout=0.3).v1.payment_intents.create(INTENT, KEY)

    assert made(simulator) == int(is_executed)
    assert connect().v1.payment_intents.create(INTENT, KEY).amount == 1000
    assert made(simulator) == 1


def test_hanging_answer_ends_after_its_delay(client: Any, simulator: Any) -> None:
    simulator.fault("hang", delay=0.1)

    with pytest.raises(stripe.APIConnectionError):
        client.payment_intents.create(INTENT)


def test_late_execution_holds_the_key_until_it_is_done(client: Any, simulator: Any) -> None:
    simulator.fault("execute_late", delay=0.4)
    with pytest.raises(stripe.APIConnectionError):
        client.payment_intents.create(INTENT, KEY)
    assert made(simulator) == 0

    with pytest.raises(stripe.APIError) as raised:
        client.payment_intents.create(INTENT, KEY)
    assert error_of(raised).code == "idempotency_key_in_use"

    time.sleep(0.6)
    again = client.payment_intents.create(INTENT, KEY)
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert made(simulator) == 1
    assert simulator.requests()[0]["executed"] is True


def test_slow_answer_comes_after_the_work_is_done(client: Any, simulator: Any) -> None:
    simulator.fault("slow", delay=0.2)
    started = time.monotonic()

    assert client.payment_intents.create(INTENT).amount == 1000
    assert time.monotonic() - started >= 0.2


def test_slow_execution_outlives_its_client(connect: Any, simulator: Any) -> None:
    simulator.fault("slow_execution", delay=0.4)

    with pytest.raises(stripe.APIConnectionError):
        connect(timeout=0.15).v1.payment_intents.create(INTENT, KEY)
    assert made(simulator) == 0

    time.sleep(0.5)
    assert made(simulator) == 1


def test_fault_waits_for_its_operation(client: Any, simulator: Any, make_held: Any) -> None:
    simulator.fault("rate_limit", "payment_intents.capture")
    held = make_held()

    with pytest.raises(stripe.RateLimitError):
        client.payment_intents.capture(held.id)
    assert client.payment_intents.capture(held.id).status == "succeeded"


def test_reads_are_spared_unless_named(client: Any, simulator: Any, make_intent: Any) -> None:
    intent = make_intent()
    simulator.fault("rate_limit")
    client.payment_intents.retrieve(intent.id)
    simulator.fault("html_502_before", "payment_intents.list")

    with pytest.raises(stripe.APIError):
        client.payment_intents.list()


def test_star_befalls_every_call(client: Any, simulator: Any) -> None:
    simulator.fault("rate_limit", "*", times=2)

    with pytest.raises(stripe.RateLimitError):
        client.payment_intents.list()
    with pytest.raises(stripe.RateLimitError):
        client.payment_intents.create(INTENT)


def test_persistent_fault_lasts_until_cleared(client: Any, simulator: Any) -> None:
    simulator.fault("rate_limit", times=None)
    for _ in range(3):
        with pytest.raises(stripe.RateLimitError):
            client.payment_intents.create(INTENT)
    assert simulator.faults()[0]["fired"] == 3

    simulator.clear_faults()

    assert client.payment_intents.create(INTENT).amount == 1000


def test_fault_lets_earlier_calls_pass(client: Any, simulator: Any) -> None:
    simulator.fault("rate_limit", after=1)
    client.payment_intents.create(INTENT)

    with pytest.raises(stripe.RateLimitError):
        client.payment_intents.create(INTENT)
    assert simulator.faults()[0]["active"] is False


def test_unknown_kind_and_operation_are_refused(simulator: Any) -> None:
    with pytest.raises(ControlError):
        simulator.fault("meteor")
    with pytest.raises(ControlError):
        simulator.fault("rate_limit", "payment_intents.crate")


def test_late_execution_that_is_cut_off_gives_its_key_back(client: Any, simulator: Any) -> None:
    simulator.fault("execute_late", delay=60)
    with pytest.raises(stripe.APIConnectionError):
        client.payment_intents.create(INTENT, KEY)
    simulator.stop()
    simulator.start()

    assert client.payment_intents.create(INTENT, KEY).amount == 1000
    assert made(simulator) == 1


def test_kinds_are_all_tested() -> None:
    elsewhere = {"hang", "hang_before", "execute_late", "slow", "slow_execution", "altered"}

    assert {kind for kind, *_ in FAULTS} | elsewhere == {kind.value for kind in FaultKind}


def test_stopped_simulator_refuses_connections_and_remembers(client: Any, simulator: Any) -> None:
    first = client.payment_intents.create(INTENT, KEY)
    simulator.stop()
    with pytest.raises(stripe.APIConnectionError):
        client.payment_intents.create(INTENT, KEY)

    simulator.start()

    assert client.payment_intents.create(INTENT, KEY).id == first.id


def test_an_altered_answer_says_something_else_of_what_was_done(
    client: Any, simulator: Any
) -> None:
    changes = {"amount": 5, "metadata.of": "another", "headers.Stripe-Account": "acct_other"}
    simulator.fault("altered", "payment_intents.create", changes=changes)

    told = client.payment_intents.create({**INTENT, "metadata": {"of": "this"}}, KEY)
    again = client.payment_intents.create({**INTENT, "metadata": {"of": "this"}}, KEY)

    assert (told.amount, told.metadata["of"]) == (5, "another")
    assert told.last_response.headers["Stripe-Account"] == "acct_other"
    assert (again.id, again.amount, again.metadata["of"]) == (told.id, 1000, "this")


def test_an_altered_list_is_altered_in_one_place_or_in_each(client: Any, simulator: Any) -> None:
    for _ in range(2):
        client.payment_intents.create(INTENT)
    changes = {"data.currency": "usd", "data.0.amount": 7, "data.9.amount": 8, "data.none.at": 1}
    simulator.fault("altered", "payment_intents.list", changes=changes)

    listed = client.payment_intents.list().data

    assert [(each.currency, each.amount) for each in listed] == [("usd", 7), ("usd", 1000)]


def test_only_an_altered_answer_has_changes(simulator: Any) -> None:
    with pytest.raises(ControlError):
        simulator.fault("altered")
    with pytest.raises(ControlError):
        simulator.fault("drop_after", changes={"amount": 5})
