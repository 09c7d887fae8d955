"""An Idempotency-Key names one act, for ever."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from django.db import connection

from medusa_payments.models import Capture, ProviderCall, Refund
from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.api.shop import Api, basic, rows


def test_the_same_key_after_a_success_is_the_same_refund(
    api: Api, simulator: StripeSimulator
) -> None:
    payment = api.captured()
    first = api.admin("POST", f"payments/{payment}/refund", {"amount": 10}, key="act-1")

    second = api.admin("POST", f"payments/{payment}/refund", {"amount": 10}, key="act-1")

    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json() == second.json()
    assert len(simulator.requests("refunds.create")) == 1
    assert Refund.objects.get().request_key == "act-1"


def test_the_same_key_after_a_success_is_the_same_capture(
    api: Api, simulator: StripeSimulator
) -> None:
    payment = api.authorized()
    answers = [
        api.admin("POST", f"payments/{payment}/capture", {"amount": 10}, key="act-1")
        for _ in range(2)
    ]

    assert [each.status_code for each in answers] == [200, 200]
    assert Capture.objects.get().amount == 10
    assert len(simulator.requests("payment_intents.capture")) == 1


def test_without_a_key_an_equal_refund_is_another_one(api: Api) -> None:
    payment = api.captured()

    for _ in range(2):
        api.admin("POST", f"payments/{payment}/refund", {"amount": 10})

    assert Refund.objects.count() == 2


@pytest.mark.parametrize("key", ["", "another"])
def test_while_a_refund_is_uncertain_an_equal_one_is_the_same(
    api: Api, simulator: StripeSimulator, key: str
) -> None:
    payment = api.captured()
    simulator.fault("drop_before", "refunds.create", times=None)
    first = api.admin("POST", f"payments/{payment}/refund", {"amount": 10}, key="act-1")
    simulator.clear_faults()

    second = api.admin("POST", f"payments/{payment}/refund", {"amount": 10}, key=key)

    assert (first.status_code, second.status_code) == (202, 200)
    assert Refund.objects.get().status == "succeeded"
    keys = {each["idempotency_key"] for each in simulator.requests("refunds.create")}
    assert len(keys) == 1


def test_a_key_that_was_used_with_another_amount_conflicts(api: Api) -> None:
    payment = api.captured()
    api.admin("POST", f"payments/{payment}/refund", {"amount": 10}, key="act-1")
    before = rows()["Refund"]

    answer = api.admin("POST", f"payments/{payment}/refund", {"amount": 11}, key="act-1")

    assert answer.status_code == 409
    assert (answer.json()["type"], answer.json()["code"]) == ("conflict", "invalid_state_error")
    assert "Idempotency-Key" in answer.json()["message"]
    assert rows()["Refund"] == before


def refused_refund(api: Api, simulator: StripeSimulator) -> str:
    """A payment whose refund of 10 under act-1 its provider refused."""
    payment = api.captured()
    simulator.next_refund_status("failed")
    answer = api.admin("POST", f"payments/{payment}/refund", {"amount": 10}, key="act-1")
    assert (answer.status_code, answer.json()["type"]) == (400, "not_allowed")
    return payment


def test_a_key_names_its_act_after_the_provider_refused_it_too(
    api: Api, simulator: StripeSimulator
) -> None:
    payment = refused_refund(api, simulator)

    answers = [
        api.admin("POST", f"payments/{payment}/refund", {"amount": amount}, key=key)
        for amount, key in ((10, "act-1"), (11, "act-1"), (11, "act-2"))
    ]

    assert [each.status_code for each in answers] == [400, 409, 200]
    assert len(simulator.requests("refunds.create")) == 2


@pytest.mark.parametrize(("amount", "status"), [(10, 200), (11, 409)])
def test_a_key_names_its_act_whoever_sends_it(
    api: Api, change: Any, amount: int, status: int
) -> None:
    payment = api.captured()
    change(SECRET_KEYS=("sk_of_the_tests", "sk_of_another_server"))
    api.admin("POST", f"payments/{payment}/refund", {"amount": 10}, key="act-1")
    headers = {"Authorization": basic("sk_of_another_server"), "Idempotency-Key": "act-1"}

    answer = api.ask(
        "POST", f"/api/admin/payments/{payment}/refund", {"amount": amount}, headers=headers
    )

    assert answer.status_code == status
    assert "Idempotent-Replayed" not in answer
    assert Refund.objects.count() == 1


@pytest.mark.parametrize(("length", "status"), [(255, 200), (256, 400)])
def test_a_key_has_at_most_255_characters(api: Api, length: int, status: int) -> None:
    payment = api.captured()

    answer = api.admin("POST", f"payments/{payment}/refund", {"amount": 1}, key="k" * length)

    assert answer.status_code == status
    assert Refund.objects.count() == (1 if status == 200 else 0)


@pytest.mark.django_db(transaction=True)
def test_the_same_key_while_the_first_is_in_flight_conflicts(
    shop_settings: Any, simulator: StripeSimulator
) -> None:
    api = Api()
    payment = api.captured()
    simulator.fault("hang", "refunds.create", times=None)
    answers: list[Any] = []

    def refund() -> None:
        try:
            body = {"amount": 10}
            answers.append(Api().admin("POST", f"payments/{payment}/refund", body, key="act-1"))
        finally:
            connection.close()

    first = threading.Thread(target=refund)
    first.start()
    while not simulator.requests("refunds.create"):
        time.sleep(0.01)
    answer = api.admin("POST", f"payments/{payment}/refund", {"amount": 10}, key="act-1")
    first.join()

    assert (answer.status_code, answer.json()["type"]) == (409, "conflict")
    assert answers[0].status_code == 200
    assert Refund.objects.count() == 1
    assert ProviderCall.objects.filter(kind="refund").count() == 1
