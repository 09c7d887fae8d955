"""The commands of people who decide: what they print, refuse and change."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from medusa_payments.models import Discrepancy, PaymentSession, ProviderCall
from medusa_payments.testing.stripe_simulator import StripeSimulator

from .conftest import Command

TAKEN = (
    '{"confirm": true, "off_session": true, "payment_method": "pm_card_visa",'
    ' "capture_method": "automatic"}'
)


@pytest.fixture
def ghost(command: Command, collection: str, simulator: StripeSimulator) -> str:
    """Id of a session that was set aside, and whose money was taken all the same."""
    simulator.fault("drop_after", "payment_intents.create", times=None)
    session = command("create_payment_session", collection, "--data", TAKEN).row
    simulator.clear_faults()
    return str(session["id"])


def _sweep(command: Command) -> None:
    command("reconcile_payments", "--all")


def _resolution(session_id: str) -> str:
    return str(PaymentSession.all_objects.get(pk=session_id).resolution)


def _refunds(simulator: StripeSimulator) -> int:
    return len(simulator.requests("refunds.create"))


@pytest.fixture
def proposal(command: Command, ghost: str, stripe_settings: Any) -> Any:
    stripe_settings.MEDUSA_PAYMENTS["POLICIES"] = ({"MODE": "propose"},)
    _sweep(command)
    (waiting,) = command("list_proposals").row["proposals"]
    return waiting


def test_a_proposal_is_listed_approved_and_done(
    command: Command, proposal: Any, ghost: str, collection: str, simulator: StripeSimulator
) -> None:
    before = _refunds(simulator)

    answer = command("approve_proposal", proposal["id"], "--reason", "A ghost.", "--actor", "ann")

    (intent,) = simulator.ledger()["intents"].values()
    assert (proposal["kind"], proposal["amount"], before) == ("refund", Decimal("100.5"), 0)
    assert intent["id"] in proposal["detail"]
    assert (answer.status, answer.row["state"]) == (0, "done")
    assert answer.row["words"] == [{"actor": "ann", "approved": True, "reason": "A ghost."}]
    assert (intent["kept"], _resolution(ghost)) == (0, "refunded")
    assert command("list_proposals").row == {"proposals": []}
    assert len(command("list_proposals", "--all").row["proposals"]) == 1
    shown = command("show_payment_collection", collection).row
    assert [each["state"] for each in shown["proposals"]] == ["done"]
    assert command("verify_audit_trail").status == 0


def test_a_proposal_is_rejected_and_the_money_stays(
    command: Command, proposal: Any, ghost: str, simulator: StripeSimulator
) -> None:
    answer = command("reject_proposal", proposal["id"], "--reason", "Keep it.", "--actor", "ann")
    again = command("reject_proposal", proposal["id"], "--reason", "Keep it.", "--actor", "bob")

    assert (answer.status, answer.row["state"]) == (0, "rejected")
    assert _resolution(ghost) == "written_off"
    assert (again.status, again.row["code"]) == (1, "already_decided")
    assert _refunds(simulator) == 0


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("approve_proposal", "prop_none", "--reason", "r"), "not_found"),
        (("reject_proposal", "prop_none", "--reason", "r"), "not_found"),
        (("resolve_call", "pcall_x", "--happened", "--reason", "r", "--proof", "p"), "not_found"),
        (("close_discrepancy", "discr_none", "--reason", "r"), "not_found"),
        (("resume_automation",), "not_found"),
        (("stop_automation", "--reason", " "), "invalid_data"),
        (("stop_automation", "--reason", "r", "--provider", "pp_none"), "unknown_provider"),
        (("stop_automation", "--reason", "r", "--actor", "system"), "person_required"),
    ],
)
def test_what_cannot_be_decided_is_refused(
    arguments: tuple[str, ...], code: str, command: Command
) -> None:
    answer = command(*arguments)

    assert (answer.status, answer.row["code"]) == (1, code)


def test_the_kill_switch_is_put_on_and_lifted(
    command: Command, ghost: str, simulator: StripeSimulator
) -> None:
    stopped = command("stop_automation", "--reason", "Odd answers.", "--actor", "ann")
    _sweep(command)
    forecast = command("reconcile_payments", "--all", "--dry-run").row
    before = _resolution(ghost), _refunds(simulator)
    lifted = command("resume_automation", "--actor", "bob")
    command("reconcile_payments")

    assert (stopped.status, stopped.row["stopped_by"]) == (0, "ann")
    assert before == ("", 0)
    assert [each["reason"] for each in forecast["stopped"]] == ["Odd answers."]
    assert {each["stopped"] for each in forecast["calls"]} == {True}
    assert (lifted.row["id"], lifted.row["lifted_by"]) == (stopped.row["id"], "bob")
    assert _resolution(ghost) == "refunded"


def test_a_call_is_resolved_by_a_person(
    command: Command, held: str, simulator: StripeSimulator, stripe_settings: Any
) -> None:
    stripe_settings.MEDUSA_PAYMENTS["TWO_PERSONS_ABOVE"] = {"eur": Decimal("100")}
    simulator.fault("drop_before", "*", times=None)
    assert command("capture_payment", held).status == 3
    call = ProviderCall.objects.get(kind="capture")
    words = ("--reason", "The shop waits.", "--proof", "Case 4711")

    first = command("resolve_call", call.pk, "--happened", *words, "--actor", "ann")
    second = command("approve_proposal", first.row["id"], "--reason", "r", "--actor", "bob")

    call.refresh_from_db()
    assert (first.status, first.row["state"]) == (3, "open")
    assert "another person" in first.message
    assert (second.status, second.row["state"]) == (0, "done")
    assert (call.state, call.evidence_reference) == ("succeeded", "ann, bob")


def test_a_discrepancy_is_closed(command: Command, transactional_db: None) -> None:
    row = Discrepancy.objects.create(kind="ghost", open_key="ghost:pi_1", detail="d")

    answer = command("close_discrepancy", row.pk, "--reason", "A test shop.", "--actor", "ann")

    assert (answer.status, answer.row["state"], answer.row["closed_by"]) == (0, "closed", "ann")


def test_a_dry_run_tells_the_exact_request_and_what_policy_says(
    command: Command, ghost: str, simulator: StripeSimulator, stripe_settings: Any
) -> None:
    stripe_settings.MEDUSA_PAYMENTS["POLICIES"] = ({"MODE": "observe"},)
    stripe_settings.MEDUSA_PAYMENTS["CAPS"] = {"DAY": {"ACTS": 3}}
    _sweep(command)
    asked = len(simulator.requests())

    (foreseen,) = command("reconcile_payments", "--all", "--dry-run").row["calls"]

    (intent,) = simulator.ledger()["intents"].values()
    assert (foreseen["method"], foreseen["policy"]) == ("refund_payment", "observe")
    assert foreseen["arguments"] == {
        "reference": intent["id"],
        "amount_minor": 10050,
        "currency_code": "eur",
    }
    assert foreseen["cap_left"] == {"DAY": {"acts": 3}}
    assert foreseen["stopped"] is False
    assert len(simulator.requests()) == asked
    assert _refunds(simulator) == 0


def test_a_dry_run_tells_the_key_of_a_call_that_may_be_sent_again(
    command: Command, taken: str, simulator: StripeSimulator
) -> None:
    simulator.fault("drop_before", "*", times=None)
    command("refund_payment", taken, "--amount", "10")
    call = ProviderCall.objects.get(kind="refund")

    foreseen = command("reconcile_payments", "--all", "--dry-run").row["calls"]

    (refund,) = (each for each in foreseen if each["kind"] == "refund")
    assert (refund["method"], refund["idempotency_key"]) == ("refund_payment", call.pk)
    assert refund["arguments"]["amount_minor"] == 1000
