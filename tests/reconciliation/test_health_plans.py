"""With a large table the health check reads what is open, by an index, and not the rest.

The plans are those of the statements that it really makes.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from django.db.models import Model
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from medusa_payments.models import (
    Discrepancy,
    PaymentCollection,
    PaymentSession,
    ProviderCall,
    WebhookEvent,
)
from medusa_payments.reconciliation.health import current_health

# MariaDB commits when it analyzes a table. SQLite has no index for "is not null".
pytestmark = pytest.mark.django_db(transaction=True)

ROWS = 3000
LARGE = (PaymentCollection, PaymentSession, ProviderCall, WebhookEvent, Discrepancy)
NEVER_SCANNED = {model._meta.db_table for model in LARGE}


@pytest.fixture
def large(transactional_db: None) -> None:
    """Three thousand sessions that are done, three that are not."""
    collections = [
        PaymentCollection(currency_code="eur", amount_minor=100, status="completed")
        for _ in range(ROWS)
    ]
    sessions = [
        PaymentSession(
            payment_collection=each,
            live_collection_id=each.pk,
            provider_id="pp_stripe_stripe",
            currency_code="eur",
            amount_minor=100,
        )
        for each in collections
    ]
    calls = [_call(session, is_open=number < 3) for number, session in enumerate(sessions)]
    events = [_event(number, is_open=number < 3) for number in range(ROWS)]
    discrepancies = [
        Discrepancy(
            kind="ghost",
            detail="Was odd",
            state="closed",
            closed_at=timezone.now(),
            closed_by="ana",
            closing_reason="Done",
        )
        for _ in range(ROWS)
    ]
    for model, rows in (
        (PaymentCollection, collections),
        (PaymentSession, sessions),
        (ProviderCall, calls),
        (WebhookEvent, events),
        (Discrepancy, discrepancies),
    ):
        manager: Any = model._base_manager
        manager.bulk_create(rows, batch_size=500)
        _analyze(model)


def _call(session: PaymentSession, *, is_open: bool) -> ProviderCall:
    now = timezone.now()
    return ProviderCall(
        kind="initiate",
        payment_collection=session.payment_collection,
        payment_session=session,
        provider_id=session.provider_id,
        arguments_digest="0",
        state="indeterminate" if is_open else "succeeded",
        evidence="" if is_open else "response",
        next_attempt_at=now if is_open else None,
        uncertain_since=now if is_open else None,
    )


def _event(number: int, *, is_open: bool) -> WebhookEvent:
    now = timezone.now()
    return WebhookEvent(
        provider_id="pp_stripe_stripe",
        credentials="one",
        event_id=f"evt_{number}",
        event_type="payment_intent.succeeded",
        occurred_at=now,
        payload={},
        state="parked" if is_open else "applied",
        next_attempt_at=now if is_open else None,
    )


def _analyze(model: type[Model]) -> None:
    words = {"postgresql": "ANALYZE", "mysql": "ANALYZE TABLE"}
    with connection.cursor() as cursor:
        cursor.execute(f"{words[connection.vendor]} {model._meta.db_table}")
        if connection.vendor == "mysql":
            cursor.fetchall()


def _statements() -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        health = current_health()
    assert (health.unresolved.uncertain, health.webhooks_unapplied.count) == (3, 3)
    return [each["sql"] for each in captured if each["sql"].lstrip().startswith("SELECT")]


def _explained(statement: str) -> list[Any]:
    prefix = "EXPLAIN (FORMAT JSON) " if connection.vendor == "postgresql" else "EXPLAIN "
    with connection.cursor() as cursor:
        cursor.execute(prefix + statement.replace("%", "%%"))
        return cursor.fetchall()


@pytest.mark.postgres
def test_postgresql_scans_no_large_table(large: None) -> None:
    scanned = set()
    for statement in _statements():
        ((plan,),) = _explained(statement)
        plan = json.loads(plan) if isinstance(plan, str) else plan
        scanned |= set(_scanned(plan[0]["Plan"]))

    assert scanned & NEVER_SCANNED == set()


def _scanned(node: dict[str, Any]) -> list[str]:
    own = [node["Relation Name"]] if node["Node Type"] == "Seq Scan" else []
    return own + [name for child in node.get("Plans", ()) for name in _scanned(child)]


@pytest.mark.mariadb
def test_mariadb_scans_no_large_table(large: None) -> None:
    read = {}
    for statement in _statements():
        for row in _explained(statement):
            table, access, rows = row[2], row[3], row[-2]
            if access in ("ALL", "index") and int(rows or 0) > ROWS / 2:
                read[table] = statement

    assert read == {}
