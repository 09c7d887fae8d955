"""How much is undone by itself in one run and one day; parallel workers together stay within it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connections, transaction

from medusa_payments.models import (
    Discrepancy,
    PaymentSession,
    Proposal,
    ProviderCall,
    Refund,
    UndoingAllowance,
)
from medusa_payments.operations import caps
from medusa_payments.operations.actors import SWEEP
from medusa_payments.operations.performing import look
from medusa_payments.operations.sessions import delete_payment_session
from tests.laws.scenes import (
    AMOUNT_MINOR,
    FAKE,
    StagedProvider,
    breaks,
    collection_of,
    let_time_pass,
    reloaded,
    session_at,
)
from tests.operations.ghosts import amend, ghost_at, pay, set_aside_at, sweep_when_due

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 3, 1, 23, 59, tzinfo=UTC)
TEN = Decimal("10")


def _take(
    amount_minor: int = 1000, *, now: datetime = NOW, currency_code: str = "eur"
) -> str | None:
    with transaction.atomic():
        return caps.take(amount_minor=amount_minor, currency_code=currency_code, now=now)


def _ghosts(fake: StagedProvider, count: int) -> list[PaymentSession]:
    sessions = [set_aside_at(fake, collection_of(TEN)) for _ in range(count)]
    for session in sessions:
        pay(fake, session, "captured")
    return sessions


def _work_at_once(sessions: list[PaymentSession], *, workers: int, run: str = "") -> None:
    """Each on its own thread and connection, as sweepers are."""
    calls = list(ProviderCall.objects.filter(payment_session__in=sessions, kind="initiate"))

    def work(call: ProviderCall) -> None:
        try:
            with caps.run(run):
                look(call, actor=SWEEP, may_send=True)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(workers) as threads:
        list(threads.map(work, calls))


@pytest.mark.parametrize(
    "cap", [{"ACTS": 5, "AMOUNT": {"eur": 999}}, {"AMOUNT": {"eur": Decimal("50")}}]
)
def test_eight_workers_together_never_exceed_the_cap_of_a_day(
    cap: Any, fake: StagedProvider, shop: Any
) -> None:
    amend(shop, CAPS={"DAY": cap})
    sessions = _ghosts(fake, 12)

    _work_at_once(sessions, workers=8)

    undone = [session for session in sessions if reloaded(session).resolution == "refunded"]
    assert len(undone) == 5
    assert Refund.objects.count() == len(fake.asked_for("refund_payment")) == 5
    assert Proposal.objects.filter(kind="refund", state="open").count() == 7
    assert {row.acts for row in UndoingAllowance.objects.all()} == {5}
    assert all(breaks(session.payment_collection) == [] for session in sessions)


@pytest.mark.slow
def test_eight_workers_of_one_run_never_exceed_its_cap_and_the_next_run_goes_on(
    fake: StagedProvider, shop: Any
) -> None:
    amend(shop, CAPS={"RUN": {"ACTS": 3}})
    sessions = _ghosts(fake, 8)

    _work_at_once(sessions, workers=8, run="first")
    after_first = Refund.objects.count()
    _work_at_once(sessions, workers=8, run="second")

    assert (after_first, Refund.objects.count()) == (3, 6)
    assert not Proposal.objects.exists()
    waiting = ProviderCall.objects.filter(kind="initiate", payment_session__resolution="")
    assert waiting.count() == 2
    assert not waiting.filter(next_attempt_at__isnull=True).exists()


def test_a_rollback_gives_back_what_was_taken(shop: Any) -> None:
    amend(shop, CAPS={"DAY": {"ACTS": 1}})

    with transaction.atomic():
        taken = caps.take(amount_minor=1, currency_code="eur", now=NOW)
        transaction.set_rollback(True)

    assert taken is None
    assert _take() is None
    assert _take() == "DAY"


def test_what_exceeds_one_number_takes_nothing_of_the_others(shop: Any) -> None:
    amend(shop, CAPS={"DAY": {"ACTS": 9, "AMOUNT": {"eur": TEN}}})

    assert _take(1001) == "DAY"
    assert _take(1000) is None
    assert {row.acts for row in UndoingAllowance.objects.all()} == {1}


def test_a_day_ends_at_midnight_in_utc(shop: Any) -> None:
    amend(shop, CAPS={"DAY": {"ACTS": 1}})

    assert _take() is None
    assert _take(now=NOW + timedelta(seconds=59)) == "DAY"
    assert _take(now=NOW + timedelta(seconds=60)) is None


def test_amounts_are_counted_for_each_currency_and_acts_for_all(shop: Any) -> None:
    amend(shop, CAPS={"DAY": {"ACTS": 3, "AMOUNT": {"eur": TEN, "usd": TEN}}})

    assert _take(1000) is None
    assert _take(1000, currency_code="usd") is None
    assert _take(1) == "DAY"
    assert _take(10**9, currency_code="chf") is None
    assert _take(1, currency_code="chf") == "DAY"


def test_outside_of_a_run_only_the_day_counts(shop: Any) -> None:
    amend(shop, CAPS={"RUN": {"ACTS": 0}})

    assert _take() is None
    with caps.run("r"):
        assert (caps.current_run(), _take()) == ("r", "RUN")
    assert caps.current_run() == ""


def test_what_no_run_can_take_is_put_to_a_person(fake: StagedProvider, shop: Any) -> None:
    amend(shop, CAPS={"RUN": {"AMOUNT": {"eur": TEN}}})
    session = set_aside_at(fake)
    pay(fake, session, "captured")

    with caps.run("r"):
        sweep_when_due()

    (proposal,) = Proposal.objects.all()
    assert (proposal.kind, proposal.amount_minor) == ("refund", AMOUNT_MINOR)
    assert "cap of one run" in proposal.reason
    assert not Refund.objects.exists()


def test_what_is_beyond_the_day_waits_for_a_person_also_on_the_next(
    fake: StagedProvider, shop: Any
) -> None:
    amend(shop, CAPS={"DAY": {"ACTS": 0}})
    session = ghost_at(fake, "captured")
    amend(shop, CAPS={"DAY": {"ACTS": 9}})

    let_time_pass(days=2)
    sweep_when_due()

    assert Proposal.objects.get().state == "open"
    assert reloaded(session).resolution == ""
    assert not Discrepancy.objects.exists()


def test_what_a_person_asks_for_counts_for_no_cap(fake: StagedProvider, shop: Any) -> None:
    amend(shop, CAPS={"DAY": {"ACTS": 0}})
    session = session_at(FAKE)

    delete_payment_session(session)

    assert reloaded(session).resolution == "closed"
    assert not UndoingAllowance.objects.exists()


def test_what_is_left_is_shown_and_counts_that_are_over_are_deleted(shop: Any) -> None:
    amend(shop, CAPS={"RUN": {"ACTS": 7}, "DAY": {"ACTS": 3, "AMOUNT": {"eur": TEN}}})
    _take(400)

    assert caps.left(currency_code="eur", now=NOW) == {
        "RUN": {"acts": 7},
        "DAY": {"acts": 2, "amount_minor": 600},
    }
    assert caps.purge_old_allowances() == 0
    UndoingAllowance.objects.update(created_at=NOW - timedelta(days=99999))
    assert caps.purge_old_allowances() == 2
