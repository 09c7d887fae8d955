from __future__ import annotations

import time
from typing import Any

import pytest
import stripe

from medusa_payments.testing.stripe_simulator.world import API_VERSION

from .conftest import SECRET


def test_event_is_posted_with_a_signature_that_the_sdk_accepts(
    make_intent: Any, simulator: Any, receiver: Any
) -> None:
    intent = make_intent(1000)
    assert simulator.wait_for_deliveries()

    (event,) = receiver.received
    assert (event.type, event.data.object.id) == ("payment_intent.created", intent.id)
    assert (event.livemode, event.api_version, event.pending_webhooks) == (
        False,
        API_VERSION,
        1,
    )
    assert event.to_dict()["request"]["id"] == simulator.requests()[0]["id"]
    assert isinstance(event.created, int)
    assert "account" not in event


def test_event_names_the_idempotency_key(client: Any, simulator: Any) -> None:
    client.payment_intents.create({"amount": 1000, "currency": "eur"}, {"idempotency_key": "key_1"})

    assert simulator.events()[0]["request"]["idempotency_key"] == "key_1"


def test_event_of_a_connected_account_names_it(client: Any, simulator: Any) -> None:
    client.payment_intents.create(
        {"amount": 1000, "currency": "eur"}, {"stripe_account": "acct_other"}
    )

    assert simulator.events()[0]["account"] == "acct_other"


def test_event_shows_the_object_as_it_was(make_held: Any, client: Any, simulator: Any) -> None:
    client.payment_intents.capture(make_held(1000).id)

    (event,) = simulator.events(["payment_intent.amount_capturable_updated"])
    assert event["data"]["object"]["status"] == "requires_capture"


@pytest.mark.parametrize(
    ("story", "types"),
    [
        ("paid", ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded"]),
        (
            "held",
            [
                "payment_intent.created",
                "charge.succeeded",
                "payment_intent.amount_capturable_updated",
            ],
        ),
        ("captured", ["charge.captured", "payment_intent.succeeded"]),
        ("canceled", ["charge.refunded", "payment_intent.canceled"]),
        ("expired", ["charge.expired", "payment_intent.canceled"]),
        ("declined", ["charge.failed", "payment_intent.payment_failed"]),
        ("action", ["payment_intent.requires_action"]),
        ("processing", ["charge.pending", "payment_intent.processing"]),
        ("processed", ["charge.succeeded", "payment_intent.succeeded"]),
        (
            "refunded",
            ["charge.refunded", "refund.created", "refund.updated", "charge.refund.updated"],
        ),
        ("refund failed", ["refund.failed", "refund.updated", "charge.refund.updated"]),
        ("disputed", ["charge.dispute.created", "charge.dispute.funds_withdrawn"]),
        ("dispute won", ["charge.dispute.funds_reinstated", "charge.dispute.closed"]),
    ],
)
def test_each_change_emits_stripes_events(
    make_paid: Any,
    make_held: Any,
    make_intent: Any,
    client: Any,
    simulator: Any,
    story: str,
    types: list[str],
) -> None:
    stories: dict[str, Any] = {
        "paid": make_paid,
        "held": make_held,
        "captured": lambda: client.payment_intents.capture(make_held().id),
        "canceled": lambda: client.payment_intents.cancel(make_held().id),
        "expired": lambda: simulator.expire_authorization(make_held().id),
        "declined": lambda: simulator.pay(make_intent().id, "pm_card_chargeDeclined"),
        "action": lambda: simulator.pay(make_intent().id, "pm_card_threeDSecure2Required"),
        "processing": lambda: make_paid(payment_method="pm_simulator_async"),
        "processed": lambda: simulator.finish_processing(
            make_paid(payment_method="pm_simulator_async").id
        ),
        "refunded": lambda: client.refunds.create({"payment_intent": make_paid().id}),
        "refund failed": lambda: simulator.fail_refund(
            simulator.dashboard_refund(make_paid().id)["id"]
        ),
        "disputed": lambda: simulator.dispute(make_paid().id),
        "dispute won": lambda: simulator.close_dispute(
            simulator.dispute(make_paid().id)["id"], won=True
        ),
    }

    stories[story]()

    emitted = [event["type"] for event in simulator.events()]
    assert emitted[-len(types) :] == types


def test_held_events_wait_until_released(make_paid: Any, simulator: Any, receiver: Any) -> None:
    simulator.hold()
    make_paid()
    assert (receiver.received, len(simulator.held())) == ([], 3)

    deliveries = simulator.release()

    assert receiver.types == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
    ]
    assert [delivery["status"] for delivery in deliveries] == [200, 200, 200]
    assert simulator.held() == []


def test_release_in_reverse(make_paid: Any, simulator: Any, receiver: Any) -> None:
    simulator.hold()
    make_paid()

    simulator.release("reversed")

    assert receiver.types == [
        "payment_intent.succeeded",
        "charge.succeeded",
        "payment_intent.created",
    ]


def test_release_of_named_events_in_the_order_named(
    make_paid: Any, simulator: Any, receiver: Any
) -> None:
    simulator.hold()
    make_paid()
    created, _, succeeded = [event["id"] for event in simulator.held()]

    simulator.release([succeeded, created])

    assert receiver.types == ["payment_intent.succeeded", "payment_intent.created"]
    assert [event["type"] for event in simulator.held()] == ["charge.succeeded"]


def test_release_at_random_is_the_same_for_a_seed(
    make_paid: Any, simulator: Any, receiver: Any
) -> None:
    simulator.hold()
    orders = []
    for seed in (1, 1, 2):
        for _ in range(3):
            make_paid()
        start = len(receiver.received)
        simulator.release("random", seed=seed)
        orders.append(receiver.types[start:])

    assert orders[0] == orders[1] != orders[2]
    assert sorted(orders[0]) == sorted(orders[2])


def test_release_duplicates(make_intent: Any, simulator: Any, receiver: Any) -> None:
    simulator.hold()
    make_intent()

    simulator.release(times=3)

    assert len({event.id for event in receiver.received}) == 1
    assert len(receiver.received) == 3


def test_release_of_some_types(make_paid: Any, simulator: Any, receiver: Any) -> None:
    simulator.hold()
    make_paid()

    simulator.release(types=["payment_intent.succeeded"])

    assert receiver.types == ["payment_intent.succeeded"]
    assert len(simulator.held()) == 2


def test_dropped_events_never_come(make_paid: Any, simulator: Any, receiver: Any) -> None:
    simulator.hold()
    make_paid()

    assert len(simulator.drop_held(["charge.succeeded"])) == 1
    simulator.release()

    assert "charge.succeeded" not in receiver.types


def test_deliver_posts_what_comes_next(make_intent: Any, simulator: Any, receiver: Any) -> None:
    simulator.hold()
    make_intent()
    simulator.deliver()
    make_intent()

    assert simulator.wait_for_deliveries()
    assert (len(receiver.received), len(simulator.held())) == (1, 1)


def test_release_tells_the_endpoints_refusal(
    make_intent: Any, simulator: Any, receiver: Any
) -> None:
    simulator.hold()
    receiver.statuses = [503]
    make_intent()

    assert [delivery["status"] for delivery in simulator.release()] == [503]


def test_refused_delivery_is_retried(make_intent: Any, simulator: Any, receiver: Any) -> None:
    receiver.statuses = [500, 503]

    make_intent()

    assert simulator.wait_for_deliveries()
    assert [delivery["status"] for delivery in simulator.deliveries()] == [500, 503, 200]


def test_unreachable_endpoint_has_no_status(make_intent: Any, simulator: Any) -> None:
    simulator.set_webhook("http://127.0.0.1:9/hook", SECRET)
    simulator.hold()
    make_intent()

    assert [delivery["status"] for delivery in simulator.release()] == [None]


def test_event_may_be_delivered_again(make_intent: Any, simulator: Any, receiver: Any) -> None:
    make_intent()
    simulator.wait_for_deliveries()

    simulator.redeliver(simulator.events()[0]["id"], times=2)

    assert receiver.types == ["payment_intent.created"] * 3


def test_every_endpoint_gets_every_event(make_intent: Any, simulator: Any, receiver: Any) -> None:
    simulator.add_webhook(f"{receiver.url}/second", SECRET)

    make_intent()
    simulator.wait_for_deliveries()

    assert len(receiver.received) == 2


def test_signed_event_may_be_posted_by_the_test(make_intent: Any, simulator: Any) -> None:
    simulator.set_webhook("http://127.0.0.1:9/hook", SECRET)
    simulator.hold()
    make_intent()
    event_id = simulator.events()[0]["id"]

    body, headers = simulator.signed(event_id)

    assert stripe.Webhook.construct_event(body, headers["Stripe-Signature"], SECRET).id == event_id


@pytest.mark.parametrize(
    "forgery", [{"secret": "whsec_wrong"}, {"secret": SECRET, "timestamp": int(time.time()) - 3600}]
)
def test_forged_and_stale_events_are_refused_by_the_sdk(
    make_intent: Any, simulator: Any, forgery: dict[str, Any]
) -> None:
    make_intent()

    body, headers = simulator.signed(simulator.events()[0]["id"], **forgery)

    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(body, headers["Stripe-Signature"], SECRET)


def test_events_may_be_released_while_the_simulator_is_down(
    make_intent: Any, simulator: Any, receiver: Any
) -> None:
    simulator.hold()
    make_intent()
    simulator.stop()
    assert [delivery["status"] for delivery in simulator.release()] == [200]

    simulator.start()
    make_intent()

    assert [delivery["status"] for delivery in simulator.release()] == [200]


def test_signatures_stay_fresh_when_the_simulators_clock_moves(
    make_intent: Any, simulator: Any, receiver: Any
) -> None:
    simulator.advance(-30 * 24 * 3600)
    make_intent()
    simulator.wait_for_deliveries()

    assert (len(receiver.received), receiver.forged) == (1, 0)
    assert receiver.received[0].created < time.time() - 29 * 24 * 3600
