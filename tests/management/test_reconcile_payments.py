from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from medusa_payments.models import ProviderCall
from medusa_payments.testing.stripe_simulator import StripeSimulator

from .conftest import CONFIRMED, Command


@pytest.fixture
def lost(command: Command, collection: str, simulator: StripeSimulator) -> Any:
    """A session whose initiate reached the provider and whose answer was lost."""
    simulator.fault("drop_after", "payment_intents.create", times=None)
    session = command("create_payment_session", collection, "--data", CONFIRMED).row
    simulator.clear_faults()
    return session


def test_nothing_to_do_is_done(command: Command, taken: str) -> None:
    answer = command("reconcile_payments")

    assert answer.status == 0
    assert answer.row == {
        "examined": 0,
        "resolved": 0,
        "undone": 0,
        "unresolved": 0,
        "discrepancies": 0,
        "calls": [],
    }


def test_all_finds_the_truth_and_undoes_it(
    command: Command, lost: Any, simulator: StripeSimulator
) -> None:
    answer = command("reconcile_payments", "--all")

    (intent,) = simulator.ledger()["intents"].values()
    assert answer.status == 0
    assert (answer.row["resolved"], answer.row["undone"], answer.row["unresolved"]) == (1, 1, 0)
    assert answer.row["calls"][0]["payment_session"] == lost["id"]
    assert (intent["status"], intent["held"]) == ("canceled", 0)


def test_due_waits_for_the_schedule(command: Command, lost: Any) -> None:
    answer = command("reconcile_payments", "--due")

    assert (answer.status, answer.row["examined"], answer.row["unresolved"]) == (3, 0, 1)
    assert "Not resolved yet: 1" in answer.message


def test_what_is_not_found_is_not_believed_before_the_horizon(
    command: Command, collection: str, simulator: StripeSimulator, stripe_settings: Any
) -> None:
    simulator.fault("drop_before", "payment_intents.create", times=None)
    command("create_payment_session", collection, "--data", CONFIRMED)
    simulator.clear_faults()

    before = command("reconcile_payments", "--all")
    stripe_settings.MEDUSA_PAYMENTS = {**stripe_settings.MEDUSA_PAYMENTS, "NOT_FOUND_HORIZON": 0}
    after = command("reconcile_payments", "--all")

    assert (before.status, before.row["unresolved"]) == (3, 1)
    assert (after.status, after.row["unresolved"]) == (0, 0)


def test_all_takes_over_a_lease_that_is_older_than_its_own_setting(
    command: Command, lost: Any, stripe_settings: Any
) -> None:
    """A process that thought an hour enough, and died."""
    now = timezone.now()
    ProviderCall.objects.update(
        leased_at=now - timedelta(seconds=5),
        leased_until=now + timedelta(hours=1),
        next_attempt_at=now - timedelta(seconds=1),
    )
    too_early = command("reconcile_payments", "--all")
    stripe_settings.MEDUSA_PAYMENTS = {**stripe_settings.MEDUSA_PAYMENTS, "LEASE_SECONDS": 4}
    due = command("reconcile_payments", "--due")
    everything = command("reconcile_payments", "--all")

    assert (too_early.status, due.status, everything.status) == (3, 3, 0)
    assert everything.row["undone"] == 1


@pytest.mark.parametrize("which", ["--due", "--all"])
def test_dry_run_asks_nothing_and_changes_nothing(
    which: str, command: Command, lost: Any, simulator: StripeSimulator
) -> None:
    calls = list(ProviderCall.objects.values())
    requests = len(simulator.requests())

    answer = command("reconcile_payments", which, "--dry-run")

    assert answer.status == 3
    assert answer.row["unresolved"] == 1
    assert len(answer.row["calls"]) == (1 if which == "--all" else 0)
    assert list(ProviderCall.objects.values()) == calls
    assert len(simulator.requests()) == requests


def test_dry_run_tells_what_would_be_asked(command: Command, lost: Any, session: Any) -> None:
    answer = command("reconcile_payments", "--all", "--dry-run")

    would = {each["payment_session"]: each["would"] for each in answer.row["calls"]}
    assert would == {
        lost["id"]: "look the payment up; it is never sent again",
        session["id"]: "look up what the provider holds",
    }
