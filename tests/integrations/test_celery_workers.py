"""Events and sweeps on real workers, which may die at any moment."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from medusa_payments.errors import PaymentIndeterminate
from medusa_payments.integrations.celery import hand_over
from medusa_payments.models import (
    AuditEntry,
    Discrepancy,
    Payment,
    PaymentCollection,
    PaymentSession,
    WebhookEvent,
)
from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.conftest import WEBHOOK_SECRET, LiveApi
from tests.laws.fixtures import configure
from tests.laws.scenes import STRIPE, breaks, session_at

from .brokers import Broker, celery_app, running
from .worker_processes import PATIENCE, WorkerProcess, wait_until

pytestmark = [pytest.mark.database, pytest.mark.slow]

on_both_brokers = pytest.mark.parametrize("broker", ["redis", "rabbitmq"], indirect=True)
on_redis = pytest.mark.parametrize("broker", ["redis"], indirect=True)
on_rabbitmq = pytest.mark.parametrize("broker", ["rabbitmq"], indirect=True)

StartWorker = Callable[..., WorkerProcess]


@pytest.fixture
def broker(request: pytest.FixtureRequest, live_api: LiveApi, settings: Any) -> Iterator[Broker]:
    """The shop's server hands events over to it."""
    configure(settings, WEBHOOK_APPLY="deferred", WORKER="celery")
    broker = running(request.param)
    with celery_app(broker.url, broker.queue):
        yield broker
    broker.close()


@pytest.fixture
def start_worker(
    broker: Broker, database_url: str, simulator: StripeSimulator, tmp_path: Path
) -> Iterator[StartWorker]:
    started: list[WorkerProcess] = []

    def start(*arguments: str, **environment: str) -> WorkerProcess:
        number = len(started)
        worker = WorkerProcess(
            *("-m", "celery", "-A", "example_project", "worker", "-c", "1", "-l", "DEBUG"),
            *("--without-gossip", "--without-mingle", "-n", f"{number}@{broker.queue}"),
            *arguments,
            environment={
                "DATABASE_URL": database_url,
                "CELERY_BROKER_URL": broker.url,
                "CELERY_TASK_DEFAULT_QUEUE": broker.queue,
                "STRIPE_API_BASE": simulator.url,
                "STRIPE_SECRET_KEY": "sk_test_of_the_tests",
                "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
                "MEDUSA_WEBHOOK_APPLY": "deferred",
                "MEDUSA_LEASE_SECONDS": "1",
                **environment,
            },
            log=tmp_path / f"worker{number}.log",
        )
        started.append(worker)
        return worker.wait_for(" ready.")

    yield start
    for worker in started:
        worker.close()


def with_beat(tmp_path: Path) -> tuple[tuple[str, ...], dict[str, str]]:
    return ("-B", "-s", str(tmp_path / "beat")), {"MEDUSA_SWEEP_EVERY": "0.5"}


def paid(simulator: StripeSimulator) -> PaymentSession:
    """A session that the buyer has paid, of which the shop knows by webhook alone."""
    session: PaymentSession = session_at(STRIPE)
    simulator.pay(session.provider_reference)
    assert simulator.wait_for_deliveries()
    assert {each["status"] for each in simulator.deliveries()} == {200}
    return session


def is_applied() -> bool:
    return not WebhookEvent.objects.filter(next_attempt_at__isnull=False).exists()


def set_aside_and_held(simulator: StripeSimulator) -> PaymentSession:
    """A session whose initiate's answer was lost, and whose intent holds money."""
    simulator.hold()
    simulator.fault("drop_after", "payment_intents.create", times=None)
    with pytest.raises(PaymentIndeterminate):
        session_at(STRIPE)
    simulator.clear_faults()
    (reference,) = simulator.ledger()["intents"]
    simulator.pay(reference)
    return PaymentSession.all_objects.get()


def let_grace_end() -> None:
    WebhookEvent.objects.filter(next_attempt_at__isnull=False).update(
        next_attempt_at=timezone.now() - timedelta(seconds=1)
    )


# Applying


@on_both_brokers
def test_an_event_posted_over_http_is_applied_by_a_worker(
    broker: Broker, start_worker: StartWorker, simulator: StripeSimulator
) -> None:
    worker = start_worker()

    session = paid(simulator)

    wait_until(is_applied, lambda: worker.said)
    assert Payment.objects.get().payment_session == session
    assert "client_secret" not in worker.said


@on_both_brokers
def test_two_workers_that_get_the_same_message_apply_it_once(
    broker: Broker, start_worker: StartWorker, simulator: StripeSimulator
) -> None:
    paid(simulator)
    event = WebhookEvent.objects.get(event_type="payment_intent.amount_capturable_updated")
    for _ in range(5):
        hand_over(event.pk)

    workers = [start_worker(), start_worker()]
    wait_until(lambda: is_applied() and broker.waiting() == 0, lambda: workers[0].said)
    for worker in workers:
        worker.close()

    received = sum(worker.said.count("apply_event[") for worker in workers)
    assert received >= 6
    assert AuditEntry.objects.filter(action="payment.created").count() == 1
    assert Payment.objects.count() == 1
    assert breaks(PaymentCollection.objects.get()) == []


@on_redis
def test_a_message_about_what_is_gone_changes_nothing(
    broker: Broker, start_worker: StartWorker
) -> None:
    worker = start_worker()
    hand_over("whevt_of_nobody")

    worker.wait_for("succeeded in")
    assert not WebhookEvent.objects.exists()


# The beat


@on_both_brokers
def test_a_beat_entry_runs_the_sweep_for_what_no_message_tells_of(
    broker: Broker, start_worker: StartWorker, simulator: StripeSimulator, tmp_path: Path
) -> None:
    session = paid(simulator)
    broker.lose_messages()
    let_grace_end()

    arguments, environment = with_beat(tmp_path)
    worker = start_worker(*arguments, **environment)

    wait_until(is_applied, lambda: worker.said)
    assert Payment.objects.get().payment_session == session
    assert "reconcile_due" in worker.said


# Death


@on_both_brokers
def test_a_task_whose_process_dies_while_it_waits_for_the_lock_is_run_by_another(
    broker: Broker, start_worker: StartWorker, simulator: StripeSimulator
) -> None:
    session = paid(simulator)
    with transaction.atomic():
        PaymentCollection.objects.update(version=F("version"))  # the lock, held by somebody else
        worker = start_worker()
        wait_at_lock(worker)
        worker.kill_children()
        worker.wait_for("WorkerLostError")

    wait_until(is_applied, lambda: worker.said)
    assert Payment.objects.get().payment_session == session
    assert breaks(PaymentCollection.objects.get()) == []


@on_rabbitmq
def test_a_worker_that_dies_whole_leaves_its_message_to_another(
    broker: Broker, start_worker: StartWorker, simulator: StripeSimulator
) -> None:
    session = paid(simulator)
    with transaction.atomic():
        PaymentCollection.objects.update(version=F("version"))
        worker = start_worker()
        wait_at_lock(worker)
        worker.kill()

    another = start_worker()
    wait_until(is_applied, lambda: another.said)
    assert Payment.objects.get().payment_session == session
    assert breaks(PaymentCollection.objects.get()) == []


@on_both_brokers
@pytest.mark.parametrize("fault", ["hang", "hang_before"])
def test_what_a_worker_was_asking_when_it_died_is_finished_by_another(
    broker: Broker,
    start_worker: StartWorker,
    simulator: StripeSimulator,
    tmp_path: Path,
    fault: str,
) -> None:
    """An event shows money under a session that was set aside; the cancel's answer never comes."""
    session = set_aside_and_held(simulator)
    simulator.fault(fault, "payment_intents.cancel", delay=PATIENCE)
    worker = start_worker()
    simulator.release()
    wait_until(lambda: bool(simulator.requests("payment_intents.cancel")), lambda: worker.said)
    worker.kill()

    arguments, environment = with_beat(tmp_path)
    another = start_worker(*arguments, **environment)
    wait_until(lambda: resolution_of(session) == "closed", lambda: another.said)

    (line,) = simulator.ledger()["intents"].values()
    assert (line["status"], line["held"], line["kept"]) == ("canceled", 0, 0)
    asked = simulator.requests("payment_intents.cancel")
    assert len({each["idempotency_key"] for each in asked}) == 1
    assert not Discrepancy.objects.exists()
    assert breaks(PaymentCollection.objects.get()) == []


def wait_at_lock(worker: WorkerProcess) -> None:
    worker.wait_for("TaskPool: Apply")
    time.sleep(1)  # nothing tells that the child has come to the lock


def resolution_of(session: PaymentSession) -> str:
    return PaymentSession.all_objects.get(pk=session.pk).resolution
