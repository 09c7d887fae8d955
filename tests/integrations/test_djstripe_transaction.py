"""What happens inside dj-stripe's transaction, at its commit, and if nobody comes that far."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from djstripe import signals
from djstripe.models import Event

from medusa_payments.models import Payment, PaymentSession, WebhookEvent
from medusa_payments.reconciliation.sweep import reconcile_due
from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.api.shop import Api, rows

from .door import (
    API_KEY,
    DJSTRIPE_SECRET,
    Door,
    assert_applied,
    failing_inserts,
    listening,
    losing_the_transaction,
)

pytestmark = pytest.mark.database

_ROOT = Path(__file__).resolve().parents[2]


# Inside


@pytest.mark.usefixtures("idle_djstripe")
def test_inside_one_row_is_inserted_and_nobody_is_asked(
    door: Door, event: str, simulator: StripeSimulator
) -> None:
    asked = len(simulator.requests())
    seen: list[tuple[str, int]] = []

    def look(**kwargs: Any) -> None:
        seen.append((WebhookEvent.objects.get().state, len(simulator.requests())))

    with (
        listening(signals.webhook_post_process, look),
        CaptureQueriesContext(connection) as queries,
    ):
        door.deliver(event)

    statements = [each["sql"] for each in queries]
    ours = [sql for sql in statements[: statements.index("COMMIT")] if "medusa_payments" in sql]
    (inserted, looked) = ours
    assert (inserted.split()[0], looked.split()[0]) == ("INSERT", "SELECT")
    assert seen == [("received", asked)]


def test_money_under_a_session_set_aside_goes_back_after_the_commit(
    door: Door, api: Api, simulator: StripeSimulator
) -> None:
    """Its cancel asks Stripe, which must not happen in dj-stripe's transaction."""
    simulator.fault("drop_after", "payment_intents.create", times=None)
    api.session(api.collection())
    simulator.clear_faults()
    (reference,) = simulator.ledger()["intents"]
    simulator.pay(reference)
    (event,) = simulator.events(["payment_intent.amount_capturable_updated"])
    asked: list[int] = []

    with listening(
        signals.webhook_post_process,
        lambda **_: asked.append(len(simulator.requests("payment_intents.cancel"))),
    ):
        door.deliver(event["id"])

    (intent,) = simulator.ledger()["intents"].values()
    assert (intent["status"], intent["held"]) == ("canceled", 0)
    assert asked == [0]


# Our insert fails


def test_the_transaction_stays_usable_after_a_duplicate(
    door: Door, event: str, session: PaymentSession
) -> None:
    door.deliver(event)
    Event.objects.all().delete()
    found: list[bool] = []

    with listening(signals.webhook_post_process, lambda **_: found.append(Event.objects.exists())):
        answer = door.deliver(event)

    assert (answer.status_code, found) == (200, [True])
    assert Event.objects.get().id == event
    assert_applied(session)


def test_the_transaction_stays_usable_after_a_database_error(
    door: Door, event: str, session: PaymentSession
) -> None:
    found: list[bool] = []

    with (
        failing_inserts(times=1),
        listening(
            signals.webhook_post_process, lambda **_: found.append(WebhookEvent.objects.exists())
        ),
    ):
        answer = door.deliver(event)

    assert (answer.status_code, found) == (200, [False])
    assert Event.objects.get().id == event
    assert_applied(session)


def test_what_cannot_be_stored_at_all_costs_dj_stripe_nothing_and_is_asked_for_again(
    door: Door, event: str, session: PaymentSession
) -> None:
    before = rows()

    with failing_inserts():
        answer = door.deliver(event)

    assert answer.status_code == 500
    assert Event.objects.get().id == event
    assert rows() == before

    assert door.deliver(event).status_code == 200
    assert_applied(session)


def test_an_event_outlives_the_transaction_that_the_database_took_away(
    door: Door, event: str, session: PaymentSession
) -> None:
    with losing_the_transaction():
        answer = door.deliver(event)

    assert answer.status_code == 500
    assert not Event.objects.exists()
    assert_applied(session)


@pytest.mark.postgres
def test_an_event_outlives_a_commit_that_postgresql_turns_into_a_rollback(
    door: Door, event: str, session: PaymentSession
) -> None:
    def spoil(**kwargs: Any) -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT nothing FROM nowhere")
        except DatabaseError:
            pass

    with listening(signals.webhook_post_process, spoil):
        door.deliver(event)

    assert not Event.objects.exists()
    assert_applied(session)


# Nobody has applied it


def test_a_deferred_event_waits_for_the_sweep(
    door: Door, event: str, session: PaymentSession, change: Any
) -> None:
    change(WEBHOOK_APPLY="deferred")

    assert door.deliver(event).status_code == 200
    assert WebhookEvent.objects.get().state == "received"
    assert not Payment.objects.exists()

    reconcile_due()
    assert_applied(session)


_DYING = """
import json, os, sys
import django
django.setup()
from django.db import transaction
from django.test import Client
from djstripe import signals

def die(**kwargs):
    transaction.on_commit(lambda: os._exit(9))

signals.webhook_pre_process.connect(die)
path, body, headers = json.load(sys.stdin)
Client().post(path, body, content_type="application/json", headers=headers)
"""


def test_the_sweep_applies_what_a_process_stored_before_it_died(
    door: Door,
    event: str,
    session: PaymentSession,
    simulator: StripeSimulator,
    database_url: str,
) -> None:
    body, headers = simulator.signed(event, secret=DJSTRIPE_SECRET)
    process = subprocess.run(
        [sys.executable, "-c", _DYING],
        cwd=_ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "example_project.settings",
            "DATABASE_URL": database_url,
            "STRIPE_SECRET_KEY": API_KEY,
            "STRIPE_API_BASE": simulator.url,
        },
        input=json.dumps([door.path, body.decode(), headers]),
        text=True,
        check=False,
        timeout=60,
    )

    assert process.returncode == 9
    stored = WebhookEvent.objects.get()
    assert stored.state == "received"
    assert not Payment.objects.exists()

    # The grace of those that may still be at work is over.
    WebhookEvent.objects.update(next_attempt_at=timezone.now())
    reconcile_due()
    assert_applied(session)
