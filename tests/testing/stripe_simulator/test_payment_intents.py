from __future__ import annotations

from typing import Any

import pytest
import stripe

from .conftest import error_of


def refusal(raised: Any) -> tuple[int, str | None, str | None]:
    return raised.value.http_status, raised.value.code, raised.value.param


def test_unpaid_intent_waits_for_a_payment_method(make_intent: Any) -> None:
    intent = make_intent(1000, description="Order 1", receipt_email="a@example.com")

    assert intent.status == "requires_payment_method"
    assert intent.client_secret.startswith(f"{intent.id}_secret_")
    assert (intent.amount, intent.currency, intent.amount_received) == (1000, "eur", 0)
    assert intent.metadata.to_dict() == {"session_id": "payses_1"}
    assert (intent.description, intent.receipt_email) == ("Order 1", "a@example.com")
    assert intent.latest_charge is None


def test_automatic_capture_takes_the_money_at_once(make_paid: Any, client: Any) -> None:
    paid = make_paid(1000)

    charge = client.charges.retrieve(paid.latest_charge)
    assert (paid.status, paid.amount_received, paid.amount_capturable) == ("succeeded", 1000, 0)
    assert (charge.captured, charge.amount_captured, charge.amount_refunded) == (True, 1000, 0)
    assert charge.metadata.to_dict() == {"session_id": "payses_1"}
    assert charge.payment_intent == paid.id
    assert charge.payment_method_details.card.last4 == "4242"


def test_manual_capture_holds_the_money(make_held: Any, client: Any) -> None:
    held = make_held(1000)

    assert (held.status, held.amount_received, held.amount_capturable) == (
        "requires_capture",
        0,
        1000,
    )
    assert client.charges.retrieve(held.latest_charge).captured is False


def test_capture_method_of_the_payment_method_wins(make_paid: Any) -> None:
    intent = make_paid(payment_method_options={"card": {"capture_method": "manual"}})

    assert intent.status == "requires_capture"


def test_capture_takes_all_that_is_held(make_held: Any, client: Any) -> None:
    captured = client.payment_intents.capture(make_held(1000).id)

    assert (captured.status, captured.amount_received, captured.amount_capturable) == (
        "succeeded",
        1000,
        0,
    )


def test_partial_capture_releases_the_rest_which_shows_as_a_refund(
    make_held: Any, client: Any, simulator: Any
) -> None:
    held = make_held(1000)

    captured = client.payment_intents.capture(
        held.id, {"amount_to_capture": 700, "expand": ["latest_charge"]}
    )

    assert (captured.status, captured.amount_received, captured.amount_capturable) == (
        "succeeded",
        700,
        0,
    )
    charge = captured.latest_charge
    assert (charge.amount_captured, charge.amount_refunded, charge.refunded) == (700, 300, False)
    line = simulator.ledger()["intents"][held.id]
    assert (line["amount_refunded"], line["kept"], line["held"], line["refunds"]) == (0, 700, 0, [])
    assert [refund.amount for refund in client.refunds.list({"payment_intent": held.id})] == [300]


def test_release_may_be_told_not_to_show_as_a_refund(
    make_held: Any, client: Any, simulator: Any
) -> None:
    simulator.configure(release_as_refund=False)
    held = make_held(1000)

    captured = client.payment_intents.capture(
        held.id, {"amount_to_capture": 700, "expand": ["latest_charge"]}
    )

    assert captured.latest_charge.amount_refunded == 0
    assert client.refunds.list({"payment_intent": held.id}).data == []


def test_capture_of_more_than_held_is_refused(make_held: Any, client: Any, simulator: Any) -> None:
    held = make_held(1000)

    with pytest.raises(stripe.InvalidRequestError) as raised:
        client.payment_intents.capture(held.id, {"amount_to_capture": 1001})

    assert refusal(raised) == (400, "amount_too_large", "amount_to_capture")
    assert simulator.object(held.id)["status"] == "requires_capture"


def test_second_capture_is_refused_and_carries_the_intent(make_held: Any, client: Any) -> None:
    held = make_held(1000)
    client.payment_intents.capture(held.id, {"amount_to_capture": 400, "final_capture": True})

    with pytest.raises(stripe.InvalidRequestError) as raised:
        client.payment_intents.capture(held.id)

    assert refusal(raised) == (400, "payment_intent_unexpected_state", None)
    assert error_of(raised).payment_intent["id"] == held.id
    assert error_of(raised).payment_intent["status"] == "succeeded"


def test_capture_that_is_not_final_is_refused(make_held: Any, client: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError) as raised:
        client.payment_intents.capture(
            make_held().id, {"amount_to_capture": 1, "final_capture": False}
        )

    assert raised.value.param == "final_capture"


@pytest.mark.parametrize(
    "status", ["requires_payment_method", "requires_confirmation", "requires_action"]
)
def test_open_intent_may_be_canceled(
    make_intent: Any, client: Any, simulator: Any, status: str
) -> None:
    intent = make_intent()
    if status == "requires_confirmation":
        client.payment_intents.update(intent.id, {"payment_method": "pm_card_visa"})
    if status == "requires_action":
        simulator.pay(intent.id, "pm_card_threeDSecure2Required")
    assert simulator.object(intent.id)["status"] == status

    canceled = client.payment_intents.cancel(intent.id, {"cancellation_reason": "abandoned"})

    assert (canceled.status, canceled.cancellation_reason) == ("canceled", "abandoned")
    assert canceled.canceled_at


def test_canceling_a_hold_releases_it(make_held: Any, client: Any, simulator: Any) -> None:
    held = make_held(1000)

    canceled = client.payment_intents.cancel(held.id, {"expand": ["latest_charge"]})

    assert (canceled.status, canceled.amount_capturable, canceled.amount_received) == (
        "canceled",
        0,
        0,
    )
    assert (canceled.latest_charge.refunded, canceled.latest_charge.captured) == (True, False)
    line = simulator.ledger()["intents"][held.id]
    assert (line["held"], line["kept"], line["payable"]) == (0, 0, False)


@pytest.mark.parametrize("end", ["succeeded", "canceled"])
def test_finished_intent_may_not_be_canceled(
    make_paid: Any, make_held: Any, client: Any, end: str
) -> None:
    intent = make_paid() if end == "succeeded" else make_held()
    if end == "canceled":
        client.payment_intents.cancel(intent.id)

    with pytest.raises(stripe.InvalidRequestError) as raised:
        client.payment_intents.cancel(intent.id)

    assert refusal(raised) == (400, "payment_intent_unexpected_state", None)
    assert error_of(raised).payment_intent["status"] == end


def test_processing_intent_may_be_canceled_only_where_configured(
    make_paid: Any, client: Any, simulator: Any
) -> None:
    intent = make_paid(payment_method="pm_simulator_async")
    with pytest.raises(stripe.InvalidRequestError):
        client.payment_intents.cancel(intent.id)

    simulator.configure(allow_cancel_processing=True)

    assert client.payment_intents.cancel(intent.id).status == "canceled"


@pytest.mark.parametrize(
    ("method", "code", "decline_code"),
    [
        ("pm_card_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", None),
    ],
)
def test_declined_card_is_402_and_carries_the_intent(
    make_paid: Any, client: Any, method: str, code: str, decline_code: str | None
) -> None:
    with pytest.raises(stripe.CardError) as raised:
        make_paid(payment_method=method)

    error = error_of(raised)
    assert (raised.value.http_status, error.type, error.code) == (402, "card_error", code)
    assert error.decline_code == decline_code
    intent = client.payment_intents.retrieve(error.payment_intent["id"])
    assert intent.status == "requires_payment_method"
    assert intent.payment_method is None
    assert intent.last_payment_error.code == code
    assert client.charges.retrieve(error.charge).status == "failed"


def test_declined_intent_may_be_paid_with_another_card(make_intent: Any, simulator: Any) -> None:
    intent = make_intent(1000)

    assert simulator.pay(intent.id, "pm_card_chargeDeclined")["status"] == "requires_payment_method"
    assert simulator.pay(intent.id)["status"] == "succeeded"
    assert simulator.ledger()["intents"][intent.id]["kept"] == 1000


def test_authentication_off_session_is_declined(make_paid: Any) -> None:
    with pytest.raises(stripe.CardError) as raised:
        make_paid(payment_method="pm_card_authenticationRequired", off_session=True)

    assert raised.value.code == "authentication_required"
    assert error_of(raised).payment_intent["status"] == "requires_payment_method"


def test_authentication_on_session_waits_for_the_buyer(make_paid: Any, simulator: Any) -> None:
    intent = make_paid(payment_method="pm_card_authenticationRequired")
    assert (intent.status, intent.next_action.type) == ("requires_action", "use_stripe_sdk")

    assert simulator.complete_action(intent.id)["status"] == "succeeded"


def test_failed_authentication_leaves_the_intent_payable(make_paid: Any, simulator: Any) -> None:
    intent = make_paid(payment_method="pm_card_threeDSecure2Required")

    after = simulator.complete_action(intent.id, succeed=False)

    assert after["status"] == "requires_payment_method"
    assert after["last_payment_error"]["code"] == "payment_intent_authentication_failure"


@pytest.mark.parametrize(
    ("succeed", "status"), [(True, "succeeded"), (False, "requires_payment_method")]
)
def test_slow_payment_ends_later(
    make_paid: Any, simulator: Any, succeed: bool, status: str
) -> None:
    intent = make_paid(payment_method="pm_simulator_async")
    assert intent.status == "processing"
    assert simulator.ledger()["intents"][intent.id]["payable"]

    assert simulator.finish_processing(intent.id, succeed)["status"] == status


def test_bank_account_is_processed_too(make_paid: Any) -> None:
    intent = make_paid(
        currency="usd", payment_method="pm_usBankAccount", payment_method_types=["us_bank_account"]
    )

    assert intent.status == "processing"


def test_payment_method_of_another_type_is_refused(make_paid: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError) as raised:
        make_paid(payment_method="pm_usBankAccount")

    assert raised.value.code == "payment_intent_incompatible_payment_method"


def test_update_changes_amount_and_merges_metadata(make_intent: Any, client: Any) -> None:
    intent = make_intent(1000, metadata={"session_id": "payses_1", "old": "x"})

    updated = client.payment_intents.update(
        intent.id, {"amount": 900, "metadata": {"old": "", "new": "y"}}
    )

    assert updated.amount == 900
    assert updated.metadata.to_dict() == {"session_id": "payses_1", "new": "y"}


def test_amount_of_a_paid_intent_is_fixed_and_its_metadata_is_not(
    make_paid: Any, client: Any
) -> None:
    paid = make_paid()
    with pytest.raises(stripe.InvalidRequestError) as raised:
        client.payment_intents.update(paid.id, {"amount": 900})
    assert raised.value.code == "payment_intent_unexpected_state"

    assert client.payment_intents.update(paid.id, {"metadata": {"a": "b"}}).metadata["a"] == "b"


def test_confirm_takes_the_payment_method_given_before(make_intent: Any, client: Any) -> None:
    intent = make_intent(payment_method="pm_card_visa")
    assert intent.status == "requires_confirmation"

    assert client.payment_intents.confirm(intent.id).status == "succeeded"


def test_confirm_of_a_paid_intent_is_refused(make_paid: Any, client: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError) as raised:
        client.payment_intents.confirm(make_paid().id, {"payment_method": "pm_card_visa"})

    assert raised.value.code == "payment_intent_unexpected_state"


def test_confirm_without_a_payment_method_is_refused(make_intent: Any, client: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError) as raised:
        client.payment_intents.confirm(make_intent().id)

    assert raised.value.code == "payment_intent_unexpected_state"


def test_automatic_methods_that_redirect_need_a_return_url(client: Any) -> None:
    values = {"amount": 1000, "currency": "eur", "payment_method": "pm_card_visa", "confirm": True}

    with pytest.raises(stripe.InvalidRequestError) as raised:
        client.payment_intents.create(values)

    assert raised.value.param == "return_url"
    assert (
        client.payment_intents.create(values | {"return_url": "https://shop.example/"}).status
        == "succeeded"
    )
    never = {"enabled": True, "allow_redirects": "never"}
    assert (
        client.payment_intents.create(values | {"automatic_payment_methods": never}).status
        == "succeeded"
    )


def test_described_payment_method_pays(make_intent: Any, client: Any) -> None:
    intent = make_intent()
    described = {"type": "card", "card": {"token": "tok_mastercard"}}

    paid = client.payment_intents.confirm(
        intent.id, {"payment_method_data": described, "expand": ["payment_method"]}
    )

    assert paid.payment_method.card.brand == "mastercard"


def test_expired_authorization_is_canceled_by_stripe(
    make_held: Any, client: Any, simulator: Any
) -> None:
    held = make_held(1000)

    expired = simulator.expire_authorization(held.id)

    assert (expired["status"], expired["cancellation_reason"]) == ("canceled", "automatic")
    refund = client.refunds.list({"payment_intent": held.id}).data[0]
    assert refund.reason == "expired_uncaptured_charge"
    assert simulator.ledger()["intents"][held.id]["kept"] == 0


def test_intent_of_another_system_has_no_metadata_of_ours(simulator: Any, client: Any) -> None:
    foreign = simulator.foreign_intent(500, "usd")

    assert client.payment_intents.retrieve(foreign["id"]).metadata.to_dict() == {}
    assert simulator.ledger()["intents"][foreign["id"]]["session_id"] is None


def test_dashboard_acts_change_the_intent(make_held: Any, simulator: Any) -> None:
    assert simulator.dashboard_capture(make_held().id, 400)["amount_received"] == 400
    assert simulator.dashboard_cancel(make_held().id)["status"] == "canceled"


def test_partial_funding_waits_for_the_rest(make_intent: Any, simulator: Any) -> None:
    intent = simulator.partially_fund(make_intent(1000).id, 400)

    assert intent["status"] == "requires_action"
    assert (
        simulator.events(["payment_intent.partially_funded"])[0]["data"]["object"]["id"]
        == intent["id"]
    )
