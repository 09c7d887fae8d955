from __future__ import annotations

from typing import Any

import pytest
import stripe


def test_refund_without_amount_returns_what_is_left(
    make_paid: Any, client: Any, simulator: Any
) -> None:
    paid = make_paid(1000)
    client.refunds.create(
        {"payment_intent": paid.id, "amount": 300, "metadata": {"refund_id": "ref_1"}}
    )

    rest = client.refunds.create({"payment_intent": paid.id, "reason": "requested_by_customer"})

    assert (rest.amount, rest.status, rest.reason) == (700, "succeeded", "requested_by_customer")
    charge = client.charges.retrieve(paid.latest_charge)
    assert (charge.amount_refunded, charge.refunded) == (1000, True)
    line = simulator.ledger()["intents"][paid.id]
    assert (line["amount_refunded"], line["kept"]) == (1000, 0)
    assert [refund["metadata"] for refund in line["refunds"]] == [{"refund_id": "ref_1"}, {}]


def test_refund_by_charge(make_paid: Any, client: Any) -> None:
    paid = make_paid(1000)

    assert (
        client.refunds.create({"charge": paid.latest_charge, "amount": 1}).payment_intent == paid.id
    )


def test_more_than_is_left_is_refused_with_param_amount(make_paid: Any, client: Any) -> None:
    paid = make_paid(1000)
    client.refunds.create({"payment_intent": paid.id, "amount": 600})

    with pytest.raises(stripe.InvalidRequestError) as raised:
        client.refunds.create({"payment_intent": paid.id, "amount": 401})

    assert (raised.value.http_status, raised.value.param) == (400, "amount")
    assert raised.value.code is None


def test_refund_beyond_a_partial_capture_is_refused(make_held: Any, client: Any) -> None:
    held = make_held(1000)
    client.payment_intents.capture(held.id, {"amount_to_capture": 700})

    with pytest.raises(stripe.InvalidRequestError) as raised:
        client.refunds.create({"payment_intent": held.id, "amount": 701})

    assert raised.value.param == "amount"
    assert client.refunds.create({"payment_intent": held.id}).amount == 700


def test_fully_refunded_charge_is_already_refunded(make_paid: Any, client: Any) -> None:
    paid = make_paid(1000)
    client.refunds.create({"payment_intent": paid.id})

    with pytest.raises(stripe.InvalidRequestError) as raised:
        client.refunds.create({"payment_intent": paid.id, "amount": 1})

    assert (raised.value.http_status, raised.value.code) == (400, "charge_already_refunded")


@pytest.mark.parametrize("captured", [False, None])
def test_refund_of_what_was_not_captured_is_refused(
    make_held: Any, make_intent: Any, client: Any, captured: bool | None
) -> None:
    intent = make_intent() if captured is None else make_held()

    with pytest.raises(stripe.InvalidRequestError) as raised:
        client.refunds.create({"payment_intent": intent.id})

    assert "does not have a successful charge to refund" in str(raised.value)


def test_pending_refund_holds_its_amount_and_may_fail(
    make_paid: Any, client: Any, simulator: Any
) -> None:
    paid = make_paid(1000)
    simulator.next_refund_status("pending")
    refund = client.refunds.create({"payment_intent": paid.id, "amount": 800})
    assert refund.status == "pending"
    assert simulator.ledger()["intents"][paid.id]["kept"] == 200

    failed = simulator.fail_refund(refund.id)

    assert (failed["status"], bool(failed["failure_reason"])) == ("failed", True)
    assert client.charges.retrieve(paid.latest_charge).amount_refunded == 0
    assert simulator.ledger()["intents"][paid.id]["kept"] == 1000
    assert client.refunds.create({"payment_intent": paid.id}).amount == 1000


def test_pending_refund_may_succeed(make_paid: Any, client: Any, simulator: Any) -> None:
    simulator.next_refund_status("pending")
    refund = client.refunds.create({"payment_intent": make_paid().id})

    simulator.succeed_refund(refund.id)

    assert client.refunds.retrieve(refund.id).status == "succeeded"


def test_refund_that_succeeded_may_fail_later(make_paid: Any, client: Any, simulator: Any) -> None:
    paid = make_paid(1000)
    refund = client.refunds.create({"payment_intent": paid.id})

    simulator.fail_refund(refund.id)

    assert client.refunds.retrieve(refund.id).status == "failed"
    assert client.charges.retrieve(paid.latest_charge).refunded is False


def test_only_a_refund_that_waits_for_the_customer_may_be_canceled(
    make_paid: Any, client: Any, simulator: Any
) -> None:
    paid = make_paid(1000)
    simulator.next_refund_status("requires_action")
    waiting = client.refunds.create({"payment_intent": paid.id, "amount": 100})
    done = client.refunds.create({"payment_intent": paid.id, "amount": 100})

    assert client.refunds.cancel(waiting.id).status == "canceled"
    with pytest.raises(stripe.InvalidRequestError):
        client.refunds.cancel(done.id)
    assert simulator.ledger()["intents"][paid.id]["amount_refunded"] == 100


def test_refund_may_be_born_failed(make_paid: Any, client: Any, simulator: Any) -> None:
    paid = make_paid(1000)
    simulator.next_refund_status("failed")

    assert client.refunds.create({"payment_intent": paid.id}).status == "failed"
    assert simulator.ledger()["intents"][paid.id]["kept"] == 1000


def test_disputed_charge_may_not_be_refunded(make_paid: Any, client: Any, simulator: Any) -> None:
    paid = make_paid(1000)
    simulator.dispute(paid.id)

    with pytest.raises(stripe.InvalidRequestError) as raised:
        client.refunds.create({"payment_intent": paid.id})

    assert (raised.value.http_status, raised.value.code) == (400, "charge_disputed")


def test_dashboard_refund_bears_no_metadata(make_paid: Any, simulator: Any) -> None:
    refund = simulator.dashboard_refund(make_paid(1000).id, 400)

    assert (refund["amount"], refund["metadata"]) == (400, {})
    assert simulator.events(["refund.created"])[0]["request"] == {
        "id": None,
        "idempotency_key": None,
    }


def test_dispute_takes_money_until_it_is_won(make_paid: Any, client: Any, simulator: Any) -> None:
    paid = make_paid(1000)
    dispute = simulator.dispute(paid.id, 600)
    assert simulator.ledger()["intents"][paid.id]["disputed"] == 600
    assert client.charges.retrieve(paid.latest_charge).disputed is True
    assert client.disputes.list({"payment_intent": paid.id}).data[0].id == dispute["id"]

    simulator.close_dispute(dispute["id"], won=True)

    assert client.disputes.retrieve(dispute["id"]).status == "won"
    assert simulator.ledger()["intents"][paid.id]["disputed"] == 0


def test_lost_dispute_keeps_the_money_away(make_paid: Any, simulator: Any) -> None:
    paid = make_paid(1000)

    simulator.close_dispute(simulator.dispute(paid.id)["id"], won=False)

    assert simulator.ledger()["intents"][paid.id]["disputed"] == 1000


def test_an_inquiry_takes_nothing_and_leaves_the_charge_refundable(
    make_paid: Any, client: Any, simulator: Any
) -> None:
    paid = make_paid(1000)
    inquiry = simulator.dispute(paid.id, is_inquiry=True)
    assert (inquiry["status"], inquiry["is_charge_refundable"]) == ("warning_needs_response", True)
    assert simulator.ledger()["intents"][paid.id]["disputed"] == 0
    client.refunds.create({"payment_intent": paid.id, "amount": 100})

    assert simulator.close_dispute(inquiry["id"], won=True)["status"] == "warning_closed"
    assert simulator.events(["charge.dispute.funds_withdrawn"]) == []


def test_an_inquiry_that_escalates_takes_the_money(make_paid: Any, simulator: Any) -> None:
    paid = make_paid(1000)
    inquiry = simulator.dispute(paid.id, 600, is_inquiry=True)

    simulator.escalate_dispute(inquiry["id"])

    assert simulator.ledger()["intents"][paid.id]["disputed"] == 600
    assert len(simulator.events(["charge.dispute.funds_withdrawn"])) == 1


def test_a_closed_dispute_may_be_decided_otherwise(make_paid: Any, simulator: Any) -> None:
    paid = make_paid(1000)
    dispute = simulator.dispute(paid.id, 600)

    simulator.close_dispute(dispute["id"], won=False)
    simulator.close_dispute(dispute["id"], won=True)

    assert simulator.ledger()["intents"][paid.id]["disputed"] == 0
