"""What a sweep costs depends on what is due, not on how many records there are."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from benchmarks.reconciliation.big_tables import fill
from medusa_payments.models import ProviderCall
from medusa_payments.operations.authorizations import authorize_payment_session
from medusa_payments.reconciliation.sweep import reconcile_due
from tests.laws.scenes import FAKE, StagedProvider, session_at

pytestmark = pytest.mark.django_db(transaction=True)

BIG = ("medusa_payments_providercall", "medusa_payments_paymentsession")
BIG += ("medusa_payments_paymentcollection",)


@pytest.fixture
def finished(fake: StagedProvider) -> Any:
    session = session_at(FAKE)
    fake.pay(session.provider_reference)
    authorize_payment_session(session)
    session.refresh_from_db()
    return session


def _statements() -> list[str]:
    reconcile_due()  # the rows of the job and of gates exist from then on
    with CaptureQueriesContext(connection) as captured:
        report = reconcile_due()
    assert report.examined == 0
    return [each["sql"] for each in captured.captured_queries]


def _plan(statement: str) -> str:
    explain = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
    with connection.cursor() as cursor:
        cursor.execute(f"{explain} {statement.replace('%', '%%')}", [])
        if connection.vendor == "mysql":
            names = [column[0] for column in cursor.description]
            rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
            return "\n".join(f"{row['type']} {row['table']} {row['key']}" for row in rows)
        return "\n".join(str(row[-1]) for row in cursor.fetchall())


def _reads_all_of(plan: str) -> list[str]:
    """Big tables, or their whole indexes, that a plan walks from end to end."""
    found = []
    for table in BIG:
        walks = {
            "postgresql": rf"Seq Scan on {table}\b",
            "mysql": rf"^(ALL|index) {table}\b",
            "sqlite": rf"SCAN {table}\b",
        }
        found += re.findall(walks[connection.vendor], plan, re.MULTILINE)
    return found


def _plans(statements: list[str]) -> dict[str, list[str]]:
    asked = [each for each in statements if each.startswith(("SELECT", "UPDATE"))]
    return {each: walked for each in asked if (walked := _reads_all_of(_plan(each)))}


def test_with_nothing_due_it_takes_a_few_statements(finished: Any) -> None:
    few = _statements()
    fill(finished, 3_000)

    many = _statements()

    assert len(many) == len(few) <= 22
    assert _plans(many) == {}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_with_a_million_sessions_it_takes_the_same(finished: Any) -> None:
    """A tenth of that where filling the tables takes many minutes."""
    count = 1_000_000 if connection.vendor == "postgresql" else 100_000
    fill(finished, 1_000)
    few = _statements()
    fill_more(finished, count)

    many = _statements()

    assert len(many) == len(few) <= 22
    assert _plans(many) == {}
    assert ProviderCall.objects.count() > count


def fill_more(session: Any, count: int) -> None:
    """In place of the smaller filling."""
    with connection.cursor() as cursor:
        for table in ("providercall", "paymentsession", "paymentcollection"):
            cursor.execute(f"DELETE FROM medusa_payments_{table} WHERE id LIKE 'big%%'", [])
    fill(session, count)
