from __future__ import annotations

import io
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from medusa_payments.models import Discrepancy, RecurringJob
from medusa_payments.testing.stripe_simulator import StripeSimulator

from .conftest import CONFIRMED, Command


@pytest.fixture
def lost(command: Command, collection: str, simulator: StripeSimulator) -> None:
    """The answer to the start of a session of 100.50 euros."""
    simulator.fault("drop_after", "payment_intents.create", times=None)
    command("create_payment_session", collection, "--data", CONFIRMED)
    simulator.clear_faults()


def printed() -> tuple[str, int]:
    stdout = io.StringIO()
    try:
        call_command("payments_health", stdout=stdout)
    except CommandError as error:
        return stdout.getvalue(), error.returncode
    return stdout.getvalue(), 0


def test_all_is_well_after_a_sweep(command: Command, taken: str) -> None:
    command("reconcile_payments")

    answer = command("payments_health")

    assert (answer.status, answer.message) == (0, "")
    assert (answer.row["status"], answer.row["problems"]) == ("ok", [])
    assert answer.row["money_at_risk"] == {}


def test_what_is_not_known_is_told_with_its_money(command: Command, lost: None) -> None:
    command("reconcile_payments")

    answer = command("payments_health")

    risk = answer.row["money_at_risk"]["eur"]
    assert answer.status == 0  # within the objective
    assert risk == {
        "total": Decimal("100.5"),
        "uncertain": Decimal("100.5"),
        "undoing": 0,
        "discrepancies": 0,
    }
    assert answer.row["unresolved"]["count"] == 1


def test_without_a_sweep_somebody_should_look(command: Command, taken: str) -> None:
    answer = command("payments_health")

    assert (answer.status, answer.row["status"]) == (3, "degraded")
    assert "No sweep" in answer.message


def test_with_a_critical_discrepancy_somebody_must_look_now(command: Command) -> None:
    command("reconcile_payments")
    Discrepancy.objects.create(kind="ghost", open_key="g", severity="critical", detail="Odd")

    answer = command("payments_health")

    assert (answer.status, answer.row["status"]) == (1, "failing")
    assert "Critical discrepancies are open: 1." in answer.message


def test_people_read_tables(command: Command, lost: None) -> None:
    command("reconcile_payments")

    text, status = printed()

    assert status == 0
    assert "Money at risk" in text
    assert "100.5" in text
    assert "Payments are ok" in text


def test_a_database_that_fails_is_said_so(transactional_db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE medusa_payments_recurringjob RENAME TO kept_away")
    try:
        with pytest.raises(CommandError, match="The database failed") as raised:
            call_command("payments_health", stdout=io.StringIO())
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE kept_away RENAME TO medusa_payments_recurringjob")

    assert raised.value.returncode == 1


def test_it_writes_nothing_and_asks_nobody(
    command: Command, lost: None, simulator: StripeSimulator
) -> None:
    requests = len(simulator.requests())

    command("payments_health")

    assert len(simulator.requests()) == requests
    assert not RecurringJob.objects.exists()


def test_it_tells_until_when_the_audit_trail_was_verified(command: Command, taken: str) -> None:
    command("verify_audit_trail")
    verified = command("payments_health").row["audit"]["figures"]
    with connection.cursor() as cursor:
        cursor.execute("UPDATE medusa_payments_auditentry SET actor = 'mallory' WHERE number = 1")
    command("verify_audit_trail")

    broken = command("payments_health")

    figures: Any = broken.row["audit"]["figures"]
    assert (verified["breaks"], verified["trails"]) == (0, 1)
    assert figures["breaks"] > 0
    assert figures["verified_until"] == verified["verified_until"]
    assert (broken.status, broken.row["status"]) == (1, "failing")


def test_one_trail_verified_says_nothing_of_the_others(command: Command, collection: str) -> None:
    command("verify_audit_trail", "--collection", collection)

    assert command("payments_health").row["audit"]["finished_at"] is None
