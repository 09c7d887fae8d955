"""Handing events to Celery: what is published, when, and what a broker that is down costs."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from celery.signals import before_task_publish
from django.db import connection
from django.utils import timezone
from djstripe import signals

from medusa_payments.checks import check_settings
from medusa_payments.models import PaymentSession, WebhookEvent
from medusa_payments.reconciliation.sweep import reconcile_due
from medusa_payments.testing.stripe_simulator import StripeSimulator

from .brokers import Broker, celery_app, down, running
from .door import Door, assert_applied, listening
from .test_djstripe import deliver_to_our_hook

pytestmark = pytest.mark.database

on_both_brokers = pytest.mark.parametrize("broker", ["redis", "rabbitmq"], indirect=True)


@pytest.fixture
def deferred(change: Any) -> None:
    change(WEBHOOK_APPLY="deferred", WORKER="celery")


@pytest.fixture
def broker(request: pytest.FixtureRequest, deferred: None) -> Iterator[Broker]:
    broker = running(request.param)
    with celery_app(broker.url, broker.queue):
        yield broker
    broker.close()


@pytest.fixture
def atomic_requests() -> Iterator[None]:
    settings = connection.settings_dict
    before, settings["ATOMIC_REQUESTS"] = settings["ATOMIC_REQUESTS"], True
    yield
    settings["ATOMIC_REQUESTS"] = before


def let_grace_end() -> None:
    WebhookEvent.objects.update(next_attempt_at=timezone.now() - timedelta(seconds=1))


def state() -> str:
    return str(WebhookEvent.objects.get().state)


# A broker that runs


@on_both_brokers
def test_a_message_holds_the_id_of_a_stored_event_and_nothing_else(
    broker: Broker, event: str, simulator: StripeSimulator
) -> None:
    assert deliver_to_our_hook(simulator, event) == 200

    assert (state(), broker.waiting()) == ("received", 1)
    message = broker.take()
    arguments, keywords, _ = message.decode()
    assert (arguments, keywords) == ([WebhookEvent.objects.get().pk], {})
    assert message.headers["task"] == "medusa_payments.tasks.apply_event"


@on_both_brokers
def test_the_sweep_applies_what_the_broker_lost(
    broker: Broker, event: str, session: PaymentSession, simulator: StripeSimulator
) -> None:
    deliver_to_our_hook(simulator, event)
    broker.lose_messages()

    reconcile_due()
    assert state() == "received"  # a worker may still be about to apply it
    let_grace_end()
    reconcile_due()

    assert_applied(session)


@pytest.mark.parametrize("broker", ["redis"], indirect=True)
@pytest.mark.usefixtures("idle_djstripe")
def test_an_event_of_dj_stripe_is_handed_over_when_its_transaction_has_committed(
    broker: Broker, door: Door, event: str
) -> None:
    inside: list[tuple[str, int]] = []

    with listening(
        signals.webhook_post_process, lambda **_: inside.append((state(), broker.waiting()))
    ):
        answer = door.deliver(event)

    assert answer.status_code == 200
    assert inside == [("received", 0)]
    assert broker.waiting() == 1


@pytest.mark.parametrize("broker", ["redis"], indirect=True)
@pytest.mark.usefixtures("idle_djstripe")
@pytest.mark.parametrize("through", ["ours", "dj-stripe's"])
def test_with_atomic_requests_an_event_is_handed_over_after_the_commit(
    broker: Broker,
    atomic_requests: None,
    door: Door,
    event: str,
    simulator: StripeSimulator,
    through: str,
) -> None:
    in_transaction: list[bool] = []

    def look(**kwargs: Any) -> None:
        in_transaction.append(connection.in_atomic_block)

    with listening(before_task_publish, look):
        if through == "ours":
            deliver_to_our_hook(simulator, event)
        else:
            door.deliver(event)

    assert in_transaction == [False]
    assert broker.waiting() == 1


def test_a_shop_whose_tasks_run_at_once_needs_no_broker(
    deferred: None, event: str, session: PaymentSession, simulator: StripeSimulator
) -> None:
    with down("redis", "refusing") as url, celery_app(url, task_always_eager=True):
        deliver_to_our_hook(simulator, event)

    assert_applied(session)


@pytest.mark.parametrize("broker", ["redis"], indirect=True)
def test_inline_nothing_is_handed_over(
    broker: Broker, change: Any, event: str, session: PaymentSession, simulator: StripeSimulator
) -> None:
    change(WEBHOOK_APPLY="inline")

    deliver_to_our_hook(simulator, event)

    assert_applied(session)
    assert broker.waiting() == 0


# A broker that is down


@pytest.mark.parametrize("how", ["refusing", "silent"])
@pytest.mark.parametrize("name", ["redis", "rabbitmq"])
def test_a_broker_that_is_down_delays_the_answer_little_and_the_sweep_applies_the_event(
    name: str,
    how: str,
    deferred: None,
    event: str,
    session: PaymentSession,
    simulator: StripeSimulator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with down(name, how) as url, celery_app(url):
        started = time.monotonic()
        answer = deliver_to_our_hook(simulator, event)
        waited = time.monotonic() - started

    assert answer == 200
    assert waited < 2.5
    assert state() == "received"
    assert "could not be handed to a worker" in caplog.text
    assert "guest" not in caplog.text
    let_grace_end()
    reconcile_due()
    assert_applied(session)


# Settings


def test_the_module_where_schedulers_look_for_tasks_needs_no_celery(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "celery", None)
    monkeypatch.delitem(sys.modules, "medusa_payments.tasks", raising=False)

    assert not hasattr(import_module("medusa_payments.tasks"), "apply_event")


def test_a_worker_that_is_no_worker_is_refused(change: Any) -> None:
    change(WORKER="dramatiq")

    assert "must be '', 'celery' or 'django_tasks'" in problems()


def test_celery_without_an_app_of_the_shop_is_refused(change: Any) -> None:
    change(WORKER="celery")

    assert "no Celery app is loaded" in problems()


def problems() -> str:
    return " ".join(each.msg for each in check_settings(None))
