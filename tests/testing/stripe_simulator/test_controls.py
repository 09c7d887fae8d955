"""The controls: in process, over HTTP, and with the simulator as a process of its own."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import stripe

from medusa_payments.testing.stripe_simulator import ControlError, SimulatorClient, StripeSimulator

CHECKOUT = Path(__file__).resolve().parents[3]


@pytest.fixture
def remote(simulator: StripeSimulator) -> SimulatorClient:
    return SimulatorClient(simulator.url)


@pytest.fixture
def process() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command line with its announced URL."""
    command = [
        sys.executable,
        "-m",
        "medusa_payments.testing.stripe_simulator",
        "--port",
        "0",
        "--hold",
    ]
    command += ["--webhook-url", "http://127.0.0.1:9/hook", "--webhook-secret", "whsec_cli"]
    started = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=CHECKOUT)
    assert started.stdout is not None
    match = re.search(r"http://127\.0\.0\.1:\d+", started.stdout.readline())
    assert match is not None
    yield started, match.group()
    if started.poll() is None:
        started.kill()
    started.wait(5)
    started.stdout.close()


def test_both_ways_tell_the_same(
    simulator: StripeSimulator, remote: SimulatorClient, make_paid: Any, client: Any
) -> None:
    paid = make_paid()
    client.refunds.create({"payment_intent": paid.id, "amount": 10})
    remote.fault("rate_limit", "refunds.create")

    assert remote.ledger() == simulator.ledger()
    assert remote.requests() == simulator.requests()
    assert remote.events() == simulator.events()
    assert remote.faults() == simulator.faults()
    assert remote.object(paid.id) == simulator.object(paid.id)


def test_client_drives_the_buyer_and_the_dashboard(
    remote: SimulatorClient, make_intent: Any
) -> None:
    held = remote.pay(make_intent(1000, capture_method="manual").id)
    assert held["status"] == "requires_capture"

    assert remote.dashboard_capture(held["id"], 600)["amount_received"] == 600
    assert remote.dashboard_refund(held["id"], 100)["status"] == "succeeded"
    assert remote.ledger()["totals"]["eur"]["kept"] == 500


def test_client_holds_and_releases(
    remote: SimulatorClient, make_intent: Any, receiver: Any
) -> None:
    remote.hold()
    make_intent()

    assert [delivery["status"] for delivery in remote.release(times=2)] == [200, 200]
    body, headers = remote.signed(remote.events()[0]["id"])
    assert stripe.Webhook.construct_event(body, headers["Stripe-Signature"], "whsec_tests")


@pytest.mark.parametrize(
    "act",
    [
        lambda controls: controls.pay("pi_missing"),
        lambda controls: controls.object("pi_missing"),
        lambda controls: controls.fail_refund("re_missing"),
        lambda controls: controls.redeliver("evt_missing"),
        lambda controls: controls.release("sideways"),
        lambda controls: controls.next_refund_status("lost"),
        lambda controls: controls._ask("perform"),
        lambda controls: controls._ask("_start"),
        lambda controls: controls._ask("advance", hours=3),
    ],
)
def test_impossible_acts_are_control_errors(
    simulator: StripeSimulator, remote: SimulatorClient, act: Any
) -> None:
    for controls in (simulator, remote):
        with pytest.raises(ControlError):
            act(controls)


def test_act_in_the_wrong_state_is_a_control_error(
    simulator: StripeSimulator, make_paid: Any
) -> None:
    paid = make_paid()

    for act in (simulator.pay, simulator.complete_action, simulator.finish_processing):
        with pytest.raises(ControlError):
            act(paid.id)


def test_requests_tell_what_was_asked_and_answered(client: Any, simulator: StripeSimulator) -> None:
    values = {"amount": 1000, "currency": "eur", "metadata": {"session_id": "payses_1"}}
    for _ in range(2):
        client.payment_intents.create(values, {"idempotency_key": "key_1"})
    client.payment_intents.list()

    first, second = simulator.requests("payment_intents.create")
    assert len(simulator.requests()) == 3
    assert (first["method"], first["path"], first["status"]) == ("POST", "/v1/payment_intents", 200)
    assert first["params"] == {
        "amount": "1000",
        "currency": "eur",
        "metadata": {"session_id": "payses_1"},
    }
    assert first["idempotency_key"] == "key_1"
    assert (first["executed"], first["replayed"]) == (True, False)
    assert (second["executed"], second["replayed"]) == (False, True)


def test_ledger_totals_by_currency(
    make_paid: Any, make_held: Any, simulator: StripeSimulator
) -> None:
    make_paid(1000)
    make_held(300)
    simulator.foreign_intent(70, "usd")

    totals = simulator.ledger()["totals"]

    assert totals["eur"] == {
        "intents": 2,
        "amount_received": 1000,
        "amount_refunded": 0,
        "disputed": 0,
        "kept": 1000,
        "held": 300,
    }
    assert totals["usd"]["kept"] == 70


def test_ledger_answers_after_the_simulator_has_stopped(
    make_paid: Any, simulator: StripeSimulator
) -> None:
    make_paid(1000)
    simulator.stop()

    assert simulator.ledger()["totals"]["eur"]["kept"] == 1000


def test_reset_forgets_everything_but_the_endpoint(
    make_paid: Any, make_intent: Any, simulator: StripeSimulator, receiver: Any
) -> None:
    make_paid()
    simulator.wait_for_deliveries()
    simulator.advance(100)
    simulator.fault("rate_limit")

    simulator.reset()

    assert (simulator.ledger()["intents"], simulator.requests(), simulator.events()) == ({}, [], [])
    assert simulator.faults() == []
    receiver.received.clear()
    make_intent()
    assert simulator.wait_for_deliveries()
    assert len(receiver.received) == 1


def test_clock_stamps_what_is_made_later(make_intent: Any, simulator: StripeSimulator) -> None:
    first = make_intent()
    simulator.advance(3600)

    assert 3600 <= make_intent().created - first.created <= 3602


def test_taken_port_is_an_error_at_start(simulator: StripeSimulator) -> None:
    port = int(simulator.url.rpartition(":")[2])

    with pytest.raises(OSError):
        StripeSimulator(port=port).start()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_process_serves_and_exits_cleanly(
    process: tuple[subprocess.Popen[str], str], number: signal.Signals
) -> None:
    started, url = process
    client = stripe.StripeClient(
        "sk_test_tests", base_addresses={"api": url}, max_network_retries=0
    )
    remote = SimulatorClient(url)

    intent = client.v1.payment_intents.create({"amount": 1000, "currency": "eur"})
    remote.pay(intent.id)
    body, headers = remote.signed(remote.held()[0]["id"])
    started.send_signal(number)

    assert stripe.Webhook.construct_event(body, headers["Stripe-Signature"], "whsec_cli")
    assert started.wait(5) == 0


def test_simulator_imports_nothing_of_django_nor_of_the_rest() -> None:
    code = (
        "import sys; import medusa_payments.testing.stripe_simulator.__main__; "
        "print([name for name in sys.modules if name.partition('.')[0] in ('django', 'stripe') or "
        "(name.startswith('medusa_payments.') and not name.startswith('medusa_payments.testing'))])"
    )

    printed = subprocess.run(
        [sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )

    assert printed.stdout.strip() == "[]"
