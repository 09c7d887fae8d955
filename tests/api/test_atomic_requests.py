"""With ATOMIC_REQUESTS on, nothing that moves money runs in the request's transaction."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections

from medusa_payments.models import PaymentSession, WebhookEvent
from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.api.shop import PAID_AT_ONCE, Api, priced

pytestmark = pytest.mark.database


@pytest.fixture
def atomic(transactional_db: None, shop_settings: Any) -> Iterator[Api]:
    settings = connections["default"].settings_dict
    before, settings["ATOMIC_REQUESTS"] = settings["ATOMIC_REQUESTS"], True
    yield Api()
    settings["ATOMIC_REQUESTS"] = before


def test_a_payment_is_started_captured_refunded_and_told_of(
    atomic: Api, simulator: StripeSimulator
) -> None:
    priced("cart_1", "10")
    assert atomic.store("POST", "payment-collections", {"cart_id": "cart_1"}).status_code == 200
    payment = atomic.captured()
    refunded = atomic.admin("POST", f"payments/{payment}/refund", {"amount": 10})
    canceled = atomic.admin("POST", f"payments/{atomic.authorized()}/cancel")
    event = simulator.events(["payment_intent.succeeded"])[0]
    body, headers = simulator.signed(event["id"])

    told = atomic.ask("POST", "/api/hooks/payment/stripe_stripe", body, headers=headers)

    assert (refunded.status_code, canceled.status_code, told.status_code) == (200, 200, 200)
    assert refunded.json()["payment"]["refunds"][0]["amount"] == 10
    assert WebhookEvent.objects.get().state == "applied"


def test_an_error_answer_rolls_no_evidence_back(atomic: Api, simulator: StripeSimulator) -> None:
    simulator.fault("drop_after", "payment_intents.create", times=None)

    answer = atomic.session(atomic.collection(), **PAID_AT_ONCE)

    assert answer.status_code == 503
    assert PaymentSession.all_objects.get().indeterminate
