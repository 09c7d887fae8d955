from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from medusa_payments.models import AuditEntry, PaymentSession, Refund, RefundReason
from medusa_payments.statuses import Door
from medusa_payments.testing.stripe_simulator import StripeSimulator

from .conftest import CONFIRMED, Command

DECLINED = CONFIRMED.replace("pm_card_visa", "pm_card_chargeDeclined")
PROCESSING = CONFIRMED.replace("pm_card_visa", "pm_simulator_async")


def test_collection_is_created_in_major_units(command: Command) -> None:
    answer = command("create_payment_collection", "100.50", "EUR", "--order", "order_1")

    assert answer.status == 0
    assert '"amount": 100.5,' in answer.stdout
    assert answer.row["currency_code"] == "eur"
    assert answer.row["status"] == "not_paid"


def test_second_collection_of_a_cart_is_the_first_repriced(command: Command) -> None:
    first = command("create_payment_collection", "100", "eur", "--cart", "cart_1").row

    second = command("create_payment_collection", "90", "eur", "--cart", "cart_1").row

    assert (second["id"], second["amount"]) == (first["id"], 90)


def test_session_starts_at_the_first_enabled_provider(
    command: Command, collection: str, simulator: StripeSimulator
) -> None:
    answer = command("create_payment_session", collection)

    (intent,) = simulator.ledger()["intents"].values()
    assert answer.status == 0
    assert answer.row["provider_id"] == "pp_stripe_stripe"
    assert answer.row["provider_reference"] == intent["id"]
    assert "secret" not in answer.stdout


def test_session_confirmed_at_once_names_its_payment(command: Command, collection: str) -> None:
    answer = command("create_payment_session", collection, "--data", CONFIRMED)

    assert answer.row["status"] == "authorized"
    assert answer.row["payment_id"].startswith("pay_")


@pytest.mark.parametrize("provider", ["pp_stripe_stripe", "pp_system_default"])
def test_authorize_makes_the_payment(
    provider: str, command: Command, collection: str, simulator: StripeSimulator
) -> None:
    session = command("create_payment_session", collection, "--provider", provider).row
    if provider == "pp_stripe_stripe":
        simulator.pay(session["provider_reference"])

    answer = command("authorize_payment_session", session["id"])

    assert answer.status == 0
    assert answer.row["session_id"] == session["id"]
    assert answer.row["amount"] == Decimal("100.5")


def test_session_is_updated_to_another_amount(
    command: Command, session: Any, simulator: StripeSimulator
) -> None:
    answer = command("update_payment_session", session["id"], "--amount", "20.50")

    (intent,) = simulator.ledger()["intents"].values()
    assert answer.status == 0
    assert (answer.row["id"], answer.row["amount"]) == (session["id"], Decimal("20.5"))
    assert intent["amount"] == 2050


def test_capture_without_amount_takes_the_whole_payment(command: Command, held: str) -> None:
    answer = command("capture_payment", held)

    assert answer.status == 0
    assert (answer.row["amount"], answer.row["status"]) == (Decimal("100.5"), "succeeded")


def test_capture_of_a_captured_payment_shows_the_payment(command: Command, taken: str) -> None:
    answer = command("capture_payment", taken)

    assert answer.status == 0
    assert answer.row["id"] == taken
    assert len(answer.row["captures"]) == 1


def test_refund_in_parts(command: Command, taken: str, simulator: StripeSimulator) -> None:
    first = command("refund_payment", taken, "--amount", "40.25")
    second = command("refund_payment", taken, "--amount", "60.25")

    (intent,) = simulator.ledger()["intents"].values()
    assert [first.row["amount"], second.row["amount"]] == [Decimal("40.25"), Decimal("60.25")]
    assert first.row["provider_reference"] in {refund["id"] for refund in intent["refunds"]}
    assert intent["kept"] == 0


def test_refund_without_amount_means_the_whole_payment(command: Command, taken: str) -> None:
    command("refund_payment", taken, "--amount", "0.50")

    answer = command("refund_payment", taken)

    assert answer.status == 1
    assert answer.row["code"] == "refund_exceeds_refundable"
    assert "more than what is captured" in answer.message


def test_refund_keeps_its_reason_and_note(command: Command, taken: str) -> None:
    reason = RefundReason.objects.create(label="Damaged", code="damaged")

    answer = command("refund_payment", taken, "--reason", "damaged", "--note", "a dent")

    refund = Refund.objects.get(pk=answer.row["id"])
    assert (refund.refund_reason, refund.note) == (reason, "a dent")


@pytest.mark.parametrize("act", ["capture_payment", "refund_payment"])
def test_same_request_key_is_the_same_act(
    act: str, command: Command, held: str, simulator: StripeSimulator
) -> None:
    if act == "refund_payment":
        command("capture_payment", held)
    arguments = (act, held, "--amount", "10", "--request-key", "click-1")

    first, second = command(*arguments), command(*arguments)

    assert (first.status, second.status) == (0, 0)
    assert first.row == second.row


def test_refund_that_is_pending_is_done(
    command: Command, taken: str, simulator: StripeSimulator
) -> None:
    simulator.next_refund_status("pending")

    answer = command("refund_payment", taken)

    assert (answer.status, answer.row["status"]) == (0, "pending")


def test_cancel_releases_the_money(command: Command, held: str, simulator: StripeSimulator) -> None:
    answer = command("cancel_payment", held)

    (intent,) = simulator.ledger()["intents"].values()
    assert answer.status == 0
    assert answer.row["canceled_at"]
    assert (intent["status"], intent["held"]) == ("canceled", 0)


def test_deleted_session_is_closed_at_the_provider(
    command: Command, session: Any, simulator: StripeSimulator
) -> None:
    answer = command("delete_payment_session", session["id"])

    (intent,) = simulator.ledger()["intents"].values()
    assert answer.status == 0
    assert (answer.row["deleted_reason"], answer.row["resolution"]) == ("deleted", "closed")
    assert not intent["payable"]


def test_lost_answer_to_an_initiate_shows_the_session_that_was_set_aside(
    command: Command, collection: str, simulator: StripeSimulator
) -> None:
    simulator.fault("drop_after", "payment_intents.create", times=None)

    answer = command("create_payment_session", collection, "--data", CONFIRMED)

    assert answer.status == 3
    assert answer.row["indeterminate"] is True
    assert (answer.row["deleted_reason"], answer.row["resolution"]) == ("indeterminate", "")
    assert answer.row["id"] in answer.message
    assert PaymentSession.objects.count() == 0


@pytest.mark.parametrize(
    ("act", "status"),
    [("capture_payment", "indeterminate"), ("refund_payment", "indeterminate")],
)
def test_lost_answer_to_a_movement_is_not_known_yet(
    act: str, status: str, command: Command, held: str, simulator: StripeSimulator
) -> None:
    if act == "refund_payment":
        command("capture_payment", held)
    simulator.fault("drop_after", "*", times=None)

    answer = command(act, held)

    assert (answer.status, answer.row["status"]) == (3, status)
    assert answer.row["id"] in answer.message


def test_lost_answer_to_a_cancel_is_not_known_yet(
    command: Command, held: str, simulator: StripeSimulator
) -> None:
    simulator.fault("drop_after", "*", times=None)

    answer = command("cancel_payment", held)

    assert answer.status == 3
    assert answer.row["canceled_at"] is None


def test_deleted_session_that_may_still_be_open_is_not_known_yet(
    command: Command, session: Any, simulator: StripeSimulator
) -> None:
    simulator.fault("drop_before", "payment_intents.cancel", times=None)

    answer = command("delete_payment_session", session["id"])

    assert answer.status == 3
    assert (answer.row["deleted_reason"], answer.row["resolution"]) == ("deleted", "")


def test_session_that_the_provider_still_works_on_is_not_known_yet(
    command: Command, collection: str
) -> None:
    session = command("create_payment_session", collection, "--data", PROCESSING).row

    answer = command("authorize_payment_session", session["id"])

    assert answer.status == 3
    assert answer.row["status"] == "pending_authorization"


def test_session_about_which_the_provider_does_not_answer_is_not_known_yet(
    command: Command, session: Any, simulator: StripeSimulator
) -> None:
    simulator.fault("drop_before", "payment_intents.retrieve", times=None)

    answer = command("authorize_payment_session", session["id"])

    assert answer.status == 3
    assert (answer.row["id"], answer.row["status"]) == (session["id"], "pending")
    assert "No answer" in answer.message


def test_update_whose_answer_is_lost_is_not_known_yet(
    command: Command, session: Any, simulator: StripeSimulator
) -> None:
    simulator.fault("drop_before", "payment_intents.update", times=None)

    answer = command("update_payment_session", session["id"], "--amount", "20.50")

    assert answer.status == 3
    assert (answer.row["id"], answer.row["deleted_at"]) == (session["id"], None)


def test_unpaid_session_is_refused(command: Command, session: Any) -> None:
    answer = command("authorize_payment_session", session["id"])

    assert answer.status == 1
    assert "was not authorized" in answer.message


def test_declined_payment_is_refused(command: Command, collection: str) -> None:
    answer = command("create_payment_session", collection, "--data", DECLINED)

    assert answer.status == 1
    assert answer.row["code"] == "payment_declined"
    assert answer.row["session_id"].startswith("payses_")
    assert "declined" in answer.message


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("create_payment_session", "nobody"), "PaymentCollection id not found: nobody"),
        (("authorize_payment_session", "nobody"), "PaymentSession id not found: nobody"),
        (("delete_payment_session", "nobody"), "PaymentSession id not found: nobody"),
        (("capture_payment", "nobody"), "Payment id not found: nobody"),
        (("refund_payment", "nobody"), "Payment id not found: nobody"),
        (("cancel_payment", "nobody"), "Payment id not found: nobody"),
        (("show_payment_collection", "nobody"), "PaymentCollection id not found: nobody"),
        (
            ("verify_audit_trail", "--collection", "nobody"),
            "PaymentCollection id not found: nobody",
        ),
        (("create_payment_collection", "ten", "eur"), "Not an amount: ten"),
        (("create_payment_collection", "NaN", "eur"), "The amount must be positive"),
        (("create_payment_collection", "0.001", "eur"), "not a whole number"),
        (("create_payment_collection", "1", "xxx"), "Currency code xxx is not supported"),
    ],
)
def test_what_cannot_be_is_refused_with_a_message(
    arguments: tuple[str, ...], message: str, command: Command
) -> None:
    answer = command(*arguments)

    assert answer.status == 1
    assert message in answer.message
    assert answer.row["code"]


@pytest.mark.parametrize(
    ("data", "message"), [("{", "--data is not JSON"), ("[]", "--data must be a JSON object")]
)
def test_data_that_is_no_object_is_refused(
    data: str, message: str, command: Command, collection: str
) -> None:
    answer = command("create_payment_session", collection, "--data", data)

    assert (answer.status, message in answer.message) == (1, True)


def test_unknown_refund_reason_is_refused(command: Command, taken: str) -> None:
    answer = command("refund_payment", taken, "--reason", "nothing")

    assert answer.status == 1
    assert "RefundReason id not found: nothing" in answer.message
    assert Refund.objects.count() == 0


def test_actor_is_in_the_audit_trail(command: Command, held: str) -> None:
    command("cancel_payment", held, "--actor", "alice")

    entry = AuditEntry.objects.get(action="call.cancel")
    assert (entry.actor, entry.door) == ("alice", Door.COMMAND)


def test_actor_is_the_user_unless_named(
    command: Command, collection: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "bob")

    command("create_payment_session", collection)

    assert AuditEntry.objects.get(action="session.requested").actor == "bob"
