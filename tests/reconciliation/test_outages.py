"""Whatever fails, for however long: at the end the record is the provider's ledger."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, connections
from django.db.models import F

from benchmarks.reconciliation.truth import differences
from medusa_payments.errors import MedusaPaymentsError
from medusa_payments.models import Payment, ProviderCall, ProviderGate, WebhookEvent
from medusa_payments.operations.captures import capture_payment
from medusa_payments.operations.refunds import refund_payment
from medusa_payments.reconciliation.sweep import reconcile_due
from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.laws.fixtures import configure
from tests.laws.scenes import (
    authorized_at_stripe,
    captured_at_stripe,
    deliver,
    let_leases_end,
    let_time_pass,
)

from .scenes import a_bad_hour, reads

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def _pass(stripe: StripeSimulator, *, minutes: float) -> None:
    """Time passes on both sides; a sweep runs after it."""
    span = timedelta(minutes=minutes)
    stripe.advance(span.total_seconds())
    let_time_pass(minutes=minutes)
    for gate in ProviderGate.objects.all():
        for name in ("opened_at", "open_until", "window_started_at"):
            if value := getattr(gate, name):
                ProviderGate.objects.filter(pk=gate.pk).update(**{name: value - span})
    WebhookEvent.objects.filter(next_attempt_at__isnull=False).update(
        next_attempt_at=F("next_attempt_at") - span
    )
    reconcile_due()


@contextmanager
def _in_the_past(stripe: StripeSimulator, *, minutes: float) -> Iterator[None]:
    """So that what is made inside of it lies in a past that ``_pass`` arrives at."""
    stripe.advance(-minutes * 60)
    yield


def _acts_of_unknown_outcome(stripe: StripeSimulator, payments: list[Payment]) -> None:
    """A capture and a refund whose answers, and the looks after them, are lost."""
    authorized, captured = payments
    for operation in ("payment_intents.capture", "refunds.create"):
        stripe.fault("drop_after", operation, times=None)
    stripe.fault("drop_before", "payment_intents.retrieve", times=None)
    with suppress(MedusaPaymentsError):
        capture_payment(authorized)
    with suppress(MedusaPaymentsError):
        refund_payment(captured)


def _a_bad_day(stripe: StripeSimulator) -> None:
    payments = [authorized_at_stripe(stripe), captured_at_stripe(stripe)]
    a_bad_hour(stripe, each=2)
    _acts_of_unknown_outcome(stripe, payments)


def test_a_provider_that_is_down_for_an_hour(stripe: StripeSimulator) -> None:
    with _in_the_past(stripe, minutes=200):
        _a_bad_day(stripe)
    stripe.fault("drop_before", "*", times=None)
    for _ in range(12):
        _pass(stripe, minutes=5)
    asked_while_down = reads(stripe)
    looks = ProviderCall.objects.filter(next_attempt_at__isnull=False).values_list("looks")
    assert max(count for (count,) in looks) <= 4  # no attempts are burnt
    assert asked_while_down < 60

    stripe.clear_faults()
    for _ in range(14):
        _pass(stripe, minutes=10)

    assert differences(stripe) == []


@pytest.mark.parametrize("minutes", [10, -10])
def test_clocks_that_differ_by_ten_minutes(stripe: StripeSimulator, minutes: int) -> None:
    stripe.advance(minutes * 60)
    with _in_the_past(stripe, minutes=200):
        _a_bad_day(stripe)
    stripe.clear_faults()

    for _ in range(20):
        _pass(stripe, minutes=10)

    assert differences(stripe) == []


def test_webhooks_that_never_come(stripe: StripeSimulator) -> None:
    with _in_the_past(stripe, minutes=200):
        _a_bad_day(stripe)
    stripe.drop_held()
    stripe.clear_faults()

    for _ in range(20):
        _pass(stripe, minutes=10)

    assert differences(stripe) == []
    assert not WebhookEvent.objects.exists()


def test_webhooks_that_come_three_days_late_and_nothing_else(
    stripe: StripeSimulator, settings: Any
) -> None:
    three_days = 3 * 24 * 60
    configure(settings, OUTAGE_ALERT=7 * 24 * 3600)
    with _in_the_past(stripe, minutes=three_days + 60):
        _a_bad_day(stripe)
    stripe.fault("drop_before", "*", times=None)  # the API is never asked with success
    for _ in range(6):
        _pass(stripe, minutes=three_days / 6)
    stripe.clear_faults()

    for event in stripe.held():
        deliver(stripe, event["id"])
    let_leases_end()
    for _ in range(8):
        _pass(stripe, minutes=60)

    assert differences(stripe) == []


@pytest.mark.parametrize("order", ["in order", "reversed"])
def test_deferred_webhooks_that_come_before_the_sweep(
    stripe: StripeSimulator, settings: Any, order: str
) -> None:
    configure(settings, WEBHOOK_APPLY="deferred")
    with _in_the_past(stripe, minutes=200):
        _a_bad_day(stripe)
    stripe.clear_faults()
    events = stripe.held()
    for event in events if order == "in order" else events[::-1]:
        deliver(stripe, event["id"])
    assert WebhookEvent.objects.filter(state="received").exists()

    for _ in range(20):
        _pass(stripe, minutes=10)

    assert differences(stripe) == []
    assert not WebhookEvent.objects.filter(next_attempt_at__isnull=False).exists()


@pytest.mark.skipif(
    connections["default"].vendor == "sqlite", reason="a file has no connections to lose"
)
def test_a_database_that_loses_its_connections(stripe: StripeSimulator) -> None:
    """As in a restart: again and again while the sweep is at work."""
    with _in_the_past(stripe, minutes=200):
        _a_bad_day(stripe)
        a_bad_hour(stripe, each=6)
    stripe.clear_faults()
    stripe.advance(200 * 60)
    let_time_pass(minutes=200)
    deaths = 0

    for number in range(12):
        deaths += _sweep_until_its_connection_dies(after=0.05 + 0.04 * number)
        let_leases_end()
    for _ in range(4):
        _pass(stripe, minutes=10)

    assert deaths >= 3
    assert differences(stripe) == []


def _sweep_until_its_connection_dies(*, after: float) -> bool:
    known: list[int] = []
    ready = threading.Event()

    def sweep() -> None:
        with connection.cursor() as cursor:
            cursor.execute(_CONNECTION_ID[connection.vendor])
            known.append(cursor.fetchone()[0])
        ready.set()
        with suppress(DatabaseError):
            reconcile_due()
        with suppress(DatabaseError):
            connection.close()

    thread = threading.Thread(target=sweep)
    thread.start()
    ready.wait(10)
    thread.join(after)
    was_at_work = thread.is_alive()
    with connection.cursor() as cursor, suppress(DatabaseError):
        cursor.execute(_KILL[connection.vendor], [known[0]])
    thread.join(60)
    return was_at_work


_CONNECTION_ID = {"postgresql": "SELECT pg_backend_pid()", "mysql": "SELECT CONNECTION_ID()"}
_KILL = {"postgresql": "SELECT pg_terminate_backend(%s)", "mysql": "KILL CONNECTION %s"}
