"""Handing events to django.tasks: Django's own on 6, the backport on 5.2."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from djstripe import signals

from medusa_payments.checks import check_settings
from medusa_payments.integrations.django_tasks import reconcile_due
from medusa_payments.models import PaymentSession, WebhookEvent
from medusa_payments.reconciliation import sweep
from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.conftest import WEBHOOK_SECRET

from .door import API_KEY, Door, assert_applied, listening
from .test_djstripe import HOOK, deliver_to_our_hook
from .worker_processes import ROOT

if find_spec("django.tasks"):
    from django.tasks import default_task_backend
    from django.tasks.backends.base import BaseTaskBackend
else:
    from django_tasks import default_task_backend
    from django_tasks.backends.base import BaseTaskBackend

BACKENDS = BaseTaskBackend.__module__.rpartition(".")[0]
IMMEDIATE = f"{BACKENDS}.immediate.ImmediateBackend"
DUMMY = f"{BACKENDS}.dummy.DummyBackend"

pytestmark = pytest.mark.database


class BrokenBackend(BaseTaskBackend):
    """A backend whose queue cannot be reached."""

    def enqueue(self, task: Any, args: Any, kwargs: Any) -> Any:
        raise ConnectionRefusedError("The queue is down.")


@pytest.fixture
def queue(change: Any, settings: Any) -> Any:
    change(WEBHOOK_APPLY="deferred", WORKER="django_tasks")

    def use(backend: str, **options: Any) -> None:
        settings.TASKS = {"default": {"BACKEND": backend, **options}}

    return use


def let_grace_end() -> None:
    WebhookEvent.objects.update(next_attempt_at=timezone.now() - timedelta(seconds=1))


def test_a_task_holds_the_id_of_a_stored_event_and_nothing_else(
    queue: Any, event: str, session: PaymentSession, simulator: StripeSimulator
) -> None:
    queue(DUMMY)

    assert deliver_to_our_hook(simulator, event) == 200

    stored = WebhookEvent.objects.get()
    (task,) = default_task_backend.results
    assert (list(task.args), task.kwargs, stored.state) == ([stored.pk], {}, "received")


def test_the_sweep_applies_an_event_whose_task_never_runs(
    queue: Any, event: str, session: PaymentSession, simulator: StripeSimulator
) -> None:
    queue(DUMMY)
    deliver_to_our_hook(simulator, event)

    let_grace_end()
    sweep.reconcile_due()

    assert_applied(session)


def test_a_queue_that_is_down_leaves_the_event_to_the_sweep(
    queue: Any,
    event: str,
    session: PaymentSession,
    simulator: StripeSimulator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    queue(f"{__name__}.BrokenBackend")

    assert deliver_to_our_hook(simulator, event) == 200

    assert "could not be handed to a worker (ConnectionRefusedError" in caplog.text
    let_grace_end()
    sweep.reconcile_due()
    assert_applied(session)


def test_the_immediate_backend_applies_an_event_before_the_answer(
    queue: Any, event: str, session: PaymentSession, simulator: StripeSimulator
) -> None:
    queue(IMMEDIATE)

    deliver_to_our_hook(simulator, event)

    assert_applied(session)


@pytest.mark.usefixtures("idle_djstripe")
@pytest.mark.parametrize("is_atomic", [False, True])
def test_an_event_of_dj_stripe_is_enqueued_when_its_transaction_has_committed(
    queue: Any, door: Door, event: str, session: PaymentSession, is_atomic: bool
) -> None:
    """Applying asks Stripe, so that it refuses to run in anybody's transaction."""
    queue(IMMEDIATE)
    inside: list[str] = []
    database = connection.settings_dict
    before, database["ATOMIC_REQUESTS"] = database["ATOMIC_REQUESTS"], is_atomic

    with listening(
        signals.webhook_post_process, lambda **_: inside.append(WebhookEvent.objects.get().state)
    ):
        door.deliver(event)

    database["ATOMIC_REQUESTS"] = before
    assert inside == ["received"]
    assert_applied(session)


def test_a_task_runs_the_sweep(
    queue: Any, event: str, session: PaymentSession, simulator: StripeSimulator
) -> None:
    queue(DUMMY)
    deliver_to_our_hook(simulator, event)
    let_grace_end()

    queue(IMMEDIATE)
    result = reconcile_due.enqueue()

    assert result.return_value["unresolved"] == 0
    assert_applied(session)


def test_a_backend_that_takes_no_task_of_ours_is_refused(queue: Any) -> None:
    queue(DUMMY, QUEUES=["letters"])

    assert "Queue 'default' is not valid" in " ".join(each.msg for each in check_settings(None))


# A backend whose workers are processes


SETTINGS = """
from example_project.settings import *
INSTALLED_APPS = [*INSTALLED_APPS, "django_tasks_db"]
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
MEDUSA_PAYMENTS = MEDUSA_PAYMENTS | {"WEBHOOK_APPLY": "deferred", "WORKER": "django_tasks"}
"""

DELIVER = """
import json, sys, django
django.setup()
from django.test import Client
body, headers = json.loads(sys.stdin.read())
answer = Client(headers=headers).post(sys.argv[1], body, content_type="application/json")
print(answer.status_code)
"""


@pytest.fixture
def run(
    session: PaymentSession, database_url: str, simulator: StripeSimulator, tmp_path: Path
) -> Callable[..., str]:
    """Run Python with the settings of a shop whose tasks are rows of its database."""
    (tmp_path / "settings_with_tasks.py").write_text(SETTINGS)
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "settings_with_tasks",
        "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}",
        "DATABASE_URL": database_url,
        "STRIPE_API_BASE": simulator.url,
        "STRIPE_SECRET_KEY": API_KEY,
        "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
    }

    def do(*arguments: str, stdin: str = "") -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            env=environment,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    return do


@pytest.mark.slow
def test_an_event_is_applied_by_a_worker_of_the_database_backend(
    run: Callable[..., str], event: str, session: PaymentSession, simulator: StripeSimulator
) -> None:
    run("-m", "django", "migrate", "-v0", "django_tasks_database")
    body, headers = simulator.signed(event)

    assert run("-c", DELIVER, HOOK, stdin=json.dumps([body.decode(), headers])) == "200"
    assert WebhookEvent.objects.get().state == "received"
    run("-m", "django", "db_worker", "--batch", "--no-startup-delay", "--no-reload")

    assert_applied(session)
