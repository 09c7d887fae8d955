"""dj-stripe's own webhook address, and what listens to dj-stripe beside us."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.test import Client
from django.urls import reverse
from djstripe.models import WebhookEndpoint

from medusa_payments.models import Discrepancy, Payment, PaymentSession, WebhookEvent
from medusa_payments.testing.stripe_simulator import StripeSimulator
from medusa_payments.testing.stripe_simulator.webhooks import signature_header

API_KEY = "sk_test_" + "1" * 24  # of a shape that dj-stripe takes
DJSTRIPE_SECRET = "whsec_of_djstripe"

Execute = Callable[..., Any]


@dataclass(frozen=True)
class Door:
    endpoint: WebhookEndpoint
    simulator: StripeSimulator

    @property
    def path(self) -> str:
        uuid = self.endpoint.djstripe_uuid
        return reverse("djstripe:djstripe_webhook_by_uuid", kwargs={"uuid": uuid})

    def deliver(
        self, event: str, *, secret: str = DJSTRIPE_SECRET, headers: Any = (), **changes: Any
    ) -> Any:
        """Post an event as Stripe does, signed after the changes."""
        body, _ = self.simulator.signed(event, secret=secret)
        body = json.dumps(json.loads(body) | changes).encode()
        signature = signature_header(body, secret, int(time.time()))
        return Client(raise_request_exception=False).post(
            self.path,
            body,
            content_type="application/json",
            headers={"Stripe-Signature": signature, **dict(headers)},
        )


def assert_applied(session: PaymentSession) -> None:
    """One event, once, with all that it brings."""
    event = WebhookEvent.objects.get()
    assert (event.state, event.payment_session) == ("applied", session)
    assert Payment.objects.get().payment_session == session
    assert PaymentSession.objects.get().status == "authorized"
    assert not Discrepancy.objects.exists()


@contextmanager
def listening(signal: Any, receiver: Callable[..., None]) -> Iterator[None]:
    """A receiver of the shop's, which is called after ours."""
    signal.connect(receiver)
    try:
        yield
    finally:
        signal.disconnect(receiver)


@contextmanager
def failing_inserts(times: int | None = None) -> Iterator[None]:
    """The database itself refuses our first inserts, or all of them."""
    failed = 0

    def fail(execute: Execute, sql: str, *rest: Any) -> Any:
        nonlocal failed
        if _is_our_insert(sql) and (times is None or failed < times):
            failed += 1
            sql = sql.replace("medusa_payments_webhookevent", "medusa_payments_no_such_table")
        return execute(sql, *rest)

    with connection.execute_wrapper(fail):
        yield
    assert failed


@contextmanager
def losing_the_transaction() -> Iterator[None]:
    """The database rolls dj-stripe's whole transaction back at our first insert, as MariaDB does
    with the victim of a deadlock."""
    is_lost = False

    def lose(execute: Execute, sql: str, *rest: Any) -> Any:
        nonlocal is_lost
        if _is_our_insert(sql) and not is_lost:
            is_lost = True
            with connection.cursor() as cursor:
                cursor.execute("ROLLBACK")
            sql = sql.replace("medusa_payments_webhookevent", "medusa_payments_no_such_table")
        return execute(sql, *rest)

    with connection.execute_wrapper(lose):
        yield
    assert is_lost


def _is_our_insert(sql: str) -> bool:
    return sql.startswith("INSERT") and "medusa_payments_webhookevent" in sql
