"""The idempotency facts of Stripe's documentation, each through the real SDK."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import stripe

from .conftest import error_of, headers_of

INTENT = {"amount": 1000, "currency": "eur", "metadata": {"session_id": "payses_1"}}
KEY = {"idempotency_key": "key_1"}
HOURS = 3600


def test_first_answer_is_replayed_and_marked_as_replayed(client: Any, simulator: Any) -> None:
    first = client.payment_intents.create(INTENT, KEY)
    second = client.payment_intents.create(INTENT, KEY)

    assert second.id == first.id
    assert "Idempotent-Replayed" not in first.last_response.headers
    assert second.last_response.headers["Idempotent-Replayed"] == "true"
    assert (
        second.last_response.headers["Original-Request"]
        == first.last_response.headers["Request-Id"]
    )
    assert second.last_response.headers["Request-Id"] != first.last_response.headers["Request-Id"]
    assert len(simulator.ledger()["intents"]) == 1


def test_replay_is_the_body_of_then_not_of_now(client: Any, simulator: Any) -> None:
    first = client.payment_intents.create(INTENT, KEY)
    simulator.pay(first.id)

    assert client.payment_intents.create(INTENT, KEY).status == "requires_payment_method"


def test_key_with_other_parameters_is_an_idempotency_error(client: Any) -> None:
    client.payment_intents.create(INTENT, KEY)

    with pytest.raises(stripe.IdempotencyError) as raised:
        client.payment_intents.create(INTENT | {"amount": 1001}, KEY)

    assert raised.value.http_status == 400
    assert error_of(raised).type == "idempotency_error"


def test_key_at_another_endpoint_is_an_idempotency_error(client: Any, make_held: Any) -> None:
    one, other = make_held(), make_held()
    client.payment_intents.capture(one.id, {}, KEY)

    with pytest.raises(stripe.IdempotencyError):
        client.payment_intents.capture(other.id, {}, KEY)


def test_order_of_parameters_does_not_matter(client: Any) -> None:
    first = client.payment_intents.create({"amount": 1000, "currency": "eur"}, KEY)

    assert client.payment_intents.create({"currency": "eur", "amount": 1000}, KEY).id == first.id


def test_key_in_use_is_409_with_its_code_on_the_error_object_only(
    client: Any, simulator: Any
) -> None:
    simulator.fault("slow_execution", "payment_intents.create", delay=0.4)
    made: list[Any] = []
    thread = threading.Thread(
        target=lambda: made.append(client.payment_intents.create(INTENT, KEY))
    )
    thread.start()
    time.sleep(0.15)

    with pytest.raises(stripe.APIError) as raised:
        client.payment_intents.create(INTENT, KEY)
    thread.join()

    assert type(raised.value) is stripe.APIError
    assert raised.value.http_status == 409
    assert raised.value.code is None
    assert error_of(raised).code == "idempotency_key_in_use"
    assert client.payment_intents.create(INTENT, KEY).id == made[0].id


def test_parallel_requests_with_one_key_make_one_intent(connect: Any, simulator: Any) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(
            pool.map(lambda _: connect().v1.payment_intents.create(INTENT, KEY).id, range(24))
        )

    assert len(set(made)) == 1
    assert len(simulator.ledger()["intents"]) == 1
    assert sum(request["executed"] for request in simulator.requests()) == 1


def test_stored_500_is_replayed(client: Any, simulator: Any) -> None:
    simulator.fault("error_500_before", "payment_intents.create")

    for _ in range(2):
        with pytest.raises(stripe.APIError) as raised:
            client.payment_intents.create(INTENT, KEY)
        assert raised.value.http_status == 500

    assert headers_of(raised)["Idempotent-Replayed"] == "true"
    assert simulator.ledger()["intents"] == {}


def test_refused_execution_is_stored(client: Any, make_paid: Any, simulator: Any) -> None:
    paid = make_paid(1000)
    too_much = {"payment_intent": paid.id, "amount": 1001}

    for _ in range(2):
        with pytest.raises(stripe.InvalidRequestError) as raised:
            client.refunds.create(too_much, KEY)

    assert headers_of(raised)["Idempotent-Replayed"] == "true"


def test_declined_card_is_stored(client: Any, simulator: Any) -> None:
    declined = INTENT | {
        "payment_method": "pm_card_chargeDeclined",
        "payment_method_types": ["card"],
        "confirm": True,
    }

    for _ in range(2):
        with pytest.raises(stripe.CardError) as raised:
            client.payment_intents.create(declined, KEY)

    assert headers_of(raised)["Idempotent-Replayed"] == "true"
    assert len(simulator.ledger()["intents"]) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"currency": "eur"},
        {"amount": "x", "currency": "eur"},
        {"amount": 1000, "currency": "eur", "invented": "1"},
        {"amount": 1000, "currency": "eur", "customer": "cus_missing"},
        {"amount": 1000, "currency": "eur", "expand": ["invented"]},
    ],
)
def test_validation_error_is_not_stored(client: Any, simulator: Any, wrong: dict[str, Any]) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        client.payment_intents.create(wrong, KEY)

    assert client.payment_intents.create(INTENT, KEY).amount == 1000
    assert len(simulator.ledger()["intents"]) == 1


def test_401_is_not_stored(client: Any, simulator: Any) -> None:
    simulator.refuse_key("sk_test_tests")
    with pytest.raises(stripe.AuthenticationError):
        client.payment_intents.create(INTENT, KEY)
    simulator.accept_key("sk_test_tests")

    assert client.payment_intents.create(INTENT, KEY).amount == 1000


def test_429_is_not_stored(client: Any, simulator: Any) -> None:
    simulator.fault("rate_limit")
    with pytest.raises(stripe.RateLimitError):
        client.payment_intents.create(INTENT, KEY)

    assert client.payment_intents.create(INTENT, KEY).amount == 1000


def test_key_is_kept_for_24_hours_and_then_executes_anew(client: Any, simulator: Any) -> None:
    first = client.payment_intents.create(INTENT, KEY)
    simulator.advance(24 * HOURS - 10)
    assert client.payment_intents.create(INTENT, KEY).id == first.id

    simulator.advance(20)

    assert client.payment_intents.create(INTENT, KEY).id != first.id
    assert len(simulator.ledger()["intents"]) == 2


def test_accounts_do_not_share_keys_nor_objects(client: Any) -> None:
    own = client.payment_intents.create(INTENT, KEY)
    other = client.payment_intents.create(INTENT, KEY | {"stripe_account": "acct_other"})

    assert other.id != own.id
    with pytest.raises(stripe.InvalidRequestError) as raised:
        client.payment_intents.retrieve(own.id, None, {"stripe_account": "acct_other"})
    assert raised.value.http_status == 404


def test_keys_of_another_stripe_account_are_other_keys(
    connect: Any, client: Any, simulator: Any
) -> None:
    simulator.assign_key("sk_test_second", "acct_second")
    own = client.payment_intents.create(INTENT, KEY)

    assert connect("sk_test_second").v1.payment_intents.create(INTENT, KEY).id != own.id


def test_key_of_a_get_means_nothing(client: Any, make_intent: Any) -> None:
    intent = make_intent()
    client.payment_intents.retrieve(intent.id, None, KEY)

    assert client.payment_intents.create(INTENT, KEY).id != intent.id


def test_too_long_key_is_refused(client: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        client.payment_intents.create(INTENT, {"idempotency_key": "k" * 256})
