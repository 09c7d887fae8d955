"""What a caller is told when the provider says no, or nothing: INTERFACE's table of answers."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError, connection

from medusa_payments.models import Payment, PaymentSession
from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.api.shop import PAID_AT_ONCE, PROVIDER, Api, priced

LOST = ["drop_before", "drop_after", "hang", "error_500_after", "html_502_before", "key_in_use"]
UNAVAILABLE = ["rate_limit", "stopped", "refused_key"]
PAYMENT = set(
    """id currency_code amount captured_at payment_collection_id payment_session_id captures
    refunds""".split()
)


def lose(simulator: StripeSimulator, fault: str, *operations: str) -> None:
    """Make calls of these operations fail for good, and lookups too."""
    if fault == "stopped":
        simulator.stop()
    elif fault == "refused_key":
        simulator.refuse_key("sk_test_of_the_tests")
    else:
        for operation in operations:
            simulator.fault(fault, operation, times=None)


# Starting a payment


@pytest.mark.parametrize("fault", LOST)
def test_a_lost_answer_to_an_initiate_sets_its_session_aside(
    api: Api, simulator: StripeSimulator, fault: str
) -> None:
    collection = api.collection()
    lose(simulator, fault, "payment_intents.create")

    answer = api.session(collection, **PAID_AT_ONCE)

    session = PaymentSession.all_objects.get()
    assert answer.status_code == 503
    assert int(answer["Retry-After"]) > 0
    assert set(answer.json()) == {"type", "code", "message", "session_id"}
    assert answer.json()["type"] == answer.json()["code"] == "payment_indeterminate"
    assert answer.json()["session_id"] == session.pk
    assert "try again" in answer.json()["message"]
    assert (session.indeterminate, session.deleted_reason) == (True, "indeterminate")


def test_a_lost_answer_to_an_update_keeps_the_session_and_hands_nothing_out(
    api: Api, simulator: StripeSimulator
) -> None:
    priced("cart_1", "10")
    collection = api.store("POST", "payment-collections", {"cart_id": "cart_1"}).json()
    path = f"payment-collections/{collection['payment_collection']['id']}/payment-sessions"
    first = api.store("POST", path, {"provider_id": PROVIDER}).json()["payment_collection"]
    priced("cart_1", "20")
    lose(simulator, "drop_before", "payment_intents.update")
    api.store("POST", "payment-collections", {"cart_id": "cart_1"})

    answer = api.store("POST", path, {"provider_id": PROVIDER})

    session = PaymentSession.objects.get()
    assert answer.status_code == 503
    assert int(answer["Retry-After"]) > 0
    assert answer.json()["type"] == answer.json()["code"] == "payment_indeterminate"
    assert answer.json()["session_id"] == session.pk == first["payment_sessions"][0]["id"]
    assert "amount of your payment" in answer.json()["message"]
    assert session.is_live

    shown = api.store("POST", "payment-collections", {"cart_id": "cart_1"}).json()
    assert "client_secret" not in shown["payment_collection"]["payment_sessions"][0]["data"]
    simulator.clear_faults()
    again = api.store("POST", path, {"provider_id": PROVIDER}).json()["payment_collection"]
    (updated,) = again["payment_sessions"]
    assert (updated["id"], updated["amount"]) == (session.pk, 20)
    assert updated["data"]["client_secret"]


def test_after_a_lost_answer_the_buyer_starts_again_at_once(
    api: Api, simulator: StripeSimulator
) -> None:
    priced("cart_1", "10")
    collection = api.store("POST", "payment-collections", {"cart_id": "cart_1"}).json()
    path = f"payment-collections/{collection['payment_collection']['id']}/payment-sessions"
    lose(simulator, "drop_before", "payment_intents.create")
    lost = api.store("POST", path, {"provider_id": PROVIDER})
    simulator.clear_faults()

    answer = api.store("POST", path, {"provider_id": PROVIDER})

    assert (lost.status_code, answer.status_code) == (503, 200)
    (session,) = answer.json()["payment_collection"]["payment_sessions"]
    assert session["status"] == "pending"
    assert session["id"] != lost.json()["session_id"]


@pytest.mark.parametrize("fault", UNAVAILABLE)
def test_a_provider_that_was_never_reached_is_unavailable(
    api: Api, simulator: StripeSimulator, fault: str
) -> None:
    collection = api.collection()
    lose(simulator, fault, "payment_intents.create")

    answer = api.session(collection, **PAID_AT_ONCE)

    session = PaymentSession.objects.get()
    assert answer.status_code == 503
    assert int(answer["Retry-After"]) > 0
    assert answer.json()["type"] == "payment_provider_unavailable"
    assert set(answer.json()) == {"type", "code", "message", "session_id"}
    assert session.status == "error"
    assert not simulator.ledger()["intents"]


def test_a_declined_card_is_told_and_its_intent_is_closed(
    api: Api, simulator: StripeSimulator
) -> None:
    declined = PAID_AT_ONCE | {"payment_method": "pm_card_chargeDeclined"}

    answer = api.session(api.collection(), **declined)

    assert answer.status_code == 422
    assert set(answer.json()) == {"type", "message"}
    assert answer.json()["type"] == "payment_authorization_error"
    assert [each["status"] for each in simulator.ledger()["intents"].values()] == ["canceled"]


def test_an_initiate_refused_for_its_arguments_is_not_allowed_in_safe_words(api: Api) -> None:
    answer = api.session(api.collection(), **PAID_AT_ONCE | {"payment_method": "pm_secret_name"})

    assert (answer.status_code, answer.json()["type"]) == (400, "not_allowed")
    assert "pm_secret_name" not in answer.content.decode()


def test_an_old_session_that_cannot_be_read_is_kept(api: Api, simulator: StripeSimulator) -> None:
    collection = api.collection()
    api.session(collection)
    old = PaymentSession.objects.get()
    lose(simulator, "hang", "payment_intents.retrieve")

    answer = api.session(collection)

    assert answer.status_code == 503
    assert answer.json()["type"] == "payment_provider_unavailable"
    assert PaymentSession.all_objects.get().pk == old.pk


def test_an_old_session_whose_canceling_is_uncertain_is_replaced(
    api: Api, simulator: StripeSimulator
) -> None:
    collection = api.collection()
    api.session(collection)
    old = PaymentSession.objects.get()
    simulator.fault("drop_before", "payment_intents.cancel", times=None)

    answer = api.session(collection)

    (session,) = answer.json()["payment_collection"]["payment_sessions"]
    assert answer.status_code == 200
    assert session["id"] != old.pk


# Acting on a payment

OPERATION = {
    "capture": "payment_intents.capture",
    "refund": "refunds.create",
    "cancel": "payment_intents.cancel",
}


def payment_for(api: Api, act: str) -> str:
    return api.captured() if act == "refund" else api.authorized()


@pytest.mark.parametrize("act", OPERATION)
def test_an_act_of_unknown_outcome_is_accepted_and_shown_as_uncertain(
    api: Api, simulator: StripeSimulator, act: str
) -> None:
    payment = payment_for(api, act)
    lose(simulator, "drop_before", OPERATION[act])

    answer = api.admin("POST", f"payments/{payment}/{act}")

    shown = answer.json()["payment"]
    (uncertain,) = shown["uncertain"]
    assert answer.status_code == 202
    assert set(shown) == PAYMENT | {"uncertain"}
    assert set(uncertain) == {"id", "kind", "amount", "status"}
    assert (uncertain["kind"], uncertain["amount"]) == (act, 100.5)
    assert uncertain["status"] == "indeterminate"
    assert shown["refunds"] == []
    assert len(shown["captures"]) == (1 if act == "refund" else 0)


@pytest.mark.parametrize("act", OPERATION)
def test_what_is_uncertain_is_shown_until_it_is_known(
    api: Api, simulator: StripeSimulator, act: str
) -> None:
    payment = payment_for(api, act)
    lose(simulator, "drop_before", OPERATION[act])
    api.admin("POST", f"payments/{payment}/{act}")
    collection = Payment.objects.get().payment_collection_id

    (listed,) = api.admin("GET", "payments").json()["payments"]
    in_collection = api.admin("GET", f"payment-collections/{collection}").json()
    seen = [listed, api.payment(payment), in_collection["payment_collection"]["payments"][0]]
    simulator.clear_faults()
    again = api.admin("POST", f"payments/{payment}/{act}")

    assert all(len(each["uncertain"]) == 1 for each in seen)
    assert again.status_code == 200
    assert "uncertain" not in again.json()["payment"]
    assert "uncertain" not in api.payment(payment)


def test_an_uncertain_refund_does_not_hide_what_another_act_did(
    api: Api, simulator: StripeSimulator
) -> None:
    payment = api.captured()
    lose(simulator, "drop_before", "refunds.create")
    api.admin("POST", f"payments/{payment}/refund", {"amount": 10})
    simulator.clear_faults()

    answer = api.admin("POST", f"payments/{payment}/refund", {"amount": 20})

    shown = answer.json()["payment"]
    assert answer.status_code == 200
    assert [each["amount"] for each in shown["refunds"]] == [20]
    assert [each["amount"] for each in shown["uncertain"]] == [10]


@pytest.mark.parametrize("act", OPERATION)
def test_a_lost_answer_that_a_look_finds_again_is_no_uncertainty(
    api: Api, simulator: StripeSimulator, act: str
) -> None:
    payment = payment_for(api, act)
    lose(simulator, "drop_after", OPERATION[act])

    answer = api.admin("POST", f"payments/{payment}/{act}")

    assert answer.status_code == 200
    assert "uncertain" not in answer.json()["payment"]


@pytest.mark.parametrize("act", OPERATION)
@pytest.mark.parametrize("fault", ["rate_limit", "stopped"])
def test_an_act_that_never_reached_the_provider_did_nothing(
    api: Api, simulator: StripeSimulator, act: str, fault: str
) -> None:
    payment = payment_for(api, act)
    lose(simulator, fault, OPERATION[act])

    answer = api.admin("POST", f"payments/{payment}/{act}")

    assert answer.status_code == 503
    assert int(answer["Retry-After"]) > 0
    assert answer.json()["type"] == "payment_provider_unavailable"
    assert "uncertain" not in api.payment(payment)


def test_a_refund_that_the_provider_refuses_is_not_allowed(
    api: Api, simulator: StripeSimulator
) -> None:
    payment = api.captured()
    simulator.dispute(Payment.objects.get().payment_session.provider_reference)

    answer = api.admin("POST", f"payments/{payment}/refund", {"amount": 5})

    assert answer.status_code == 400
    assert answer.json() == {
        "type": "not_allowed",
        "message": "The provider refused the refund; nothing was given back.",
    }


# Our own faults


def test_an_unexpected_fault_tells_a_reference_and_nothing_else(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    def break_down(execute: Any, sql: str, *rest: Any) -> Any:
        raise OperationalError("password of the database is hunter2")

    with connection.execute_wrapper(break_down):
        answer = api.admin("GET", "payments")

    assert answer.status_code == 500
    assert set(answer.json()) == {"type", "code", "message", "reference"}
    assert answer.json()["type"] == answer.json()["code"] == "unknown_error"
    assert answer.json()["reference"] in answer.json()["message"]
    assert "hunter2" not in answer.content.decode()
    assert answer.json()["reference"] in caplog.text


def test_a_resolver_that_raises_is_an_unexpected_fault(api: Api, change: Any) -> None:
    change(CART_RESOLVER="tests.api.shop.priced")

    answer = api.store("POST", "payment-collections", {"cart_id": "cart_1"})

    assert (answer.status_code, answer.json()["type"]) == (500, "unknown_error")
