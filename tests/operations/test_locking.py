"""A lock conflict repeats the whole short transaction, a bounded number of times."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal

import pytest
from django.db import DEFAULT_DB_ALIAS, OperationalError, connection, connections, transaction

from medusa_payments.errors import NotFound
from medusa_payments.models import PaymentCollection, Refund
from medusa_payments.operations.actors import SYSTEM
from medusa_payments.operations.database import is_lock_conflict, patiently
from medusa_payments.operations.locking import LockedCollection, under_lock
from medusa_payments.operations.refunds import refund_payment
from tests.laws.scenes import StagedProvider, breaks, captured_at, collection_of, reloaded

pytestmark = pytest.mark.django_db(transaction=True)

TEN = Decimal("10")
on_sqlite = pytest.mark.skipif(
    connections[DEFAULT_DB_ALIAS].vendor != "sqlite", reason="how SQLite tells of a conflict"
)


@contextmanager
def _lock_held_elsewhere(seconds: float) -> Iterator[None]:
    """Another process writes, for so long; and we wait for it in Python, not inside SQLite."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 0")
    holds, release = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            PaymentCollection.all_objects.update(metadata={"written": "elsewhere"})
            holds.set()
            release.wait(seconds)
        connections.close_all()

    thread = threading.Thread(target=hold)
    thread.start()
    assert holds.wait(10)
    try:
        yield
    finally:
        release.set()
        thread.join()
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout = 20000")


@on_sqlite
def test_an_act_waits_for_the_lock_and_is_done_once(fake: StagedProvider) -> None:
    payment = captured_at(fake)

    with _lock_held_elsewhere(0.15):
        refund = refund_payment(payment, amount=TEN)

    assert refund.status == "succeeded"
    assert Refund.objects.count() == 1
    assert len(fake.asked_for("refund_payment")) == 1
    assert breaks(payment.payment_collection) == []


@on_sqlite
def test_a_lock_that_is_never_given_up_ends_in_an_error(fake: StagedProvider) -> None:
    payment = captured_at(fake)

    with _lock_held_elsewhere(30), pytest.raises(OperationalError, match="locked"):
        refund_payment(payment, amount=TEN)

    assert not Refund.objects.exists()
    assert fake.asked_for("refund_payment") == []


@on_sqlite
def test_an_answer_in_hand_is_recorded_when_the_lock_is_free(fake: StagedProvider) -> None:
    """The provider was asked already; losing its answer to a conflict would be a pity."""
    payment = captured_at(fake)
    locks: list[Iterator[None]] = []

    def lock(request: object) -> None:
        held = _lock_held_elsewhere(0.15)
        held.__enter__()
        locks.append(held)  # type: ignore[arg-type]

    fake.after["refund_payment"] = lock
    refund = refund_payment(payment, amount=TEN)
    locks[0].__exit__(None, None, None)  # type: ignore[attr-defined]

    assert refund.status == "succeeded"
    assert refund.evidence == "response"


@on_sqlite
def test_a_statement_that_meets_a_conflict_is_repeated() -> None:
    collection = collection_of()
    tries: list[int] = []

    def write() -> int:
        tries.append(1)
        return PaymentCollection.objects.filter(pk=collection.pk).update(order_reference="o")

    with _lock_held_elsewhere(0.1):
        assert patiently(write) == 1

    assert len(tries) > 1


class _Deadlock(OperationalError):
    """As MariaDB tells it."""

    def __init__(self) -> None:
        super().__init__(1213, "Deadlock found when trying to get lock; try restarting transaction")


def _failing(times: int, error: Callable[[], Exception]) -> tuple[Callable[..., str], list[int]]:
    tries: list[int] = []

    def work(*args: object) -> str:
        tries.append(1)
        if len(tries) <= times:
            raise error()
        return "done"

    return work, tries


def test_a_deadlock_repeats_the_whole_transaction() -> None:
    collection = collection_of()
    work, tries = _failing(2, _Deadlock)

    assert under_lock(collection.pk, work, actor=SYSTEM) == "done"

    assert len(tries) == 3
    assert reloaded(collection).version == collection.version + 1  # the others were rolled back


def test_a_bounded_number_of_times() -> None:
    work, tries = _failing(1000, _Deadlock)

    with pytest.raises(OperationalError):
        under_lock(collection_of().pk, work, actor=SYSTEM)

    assert 2 <= len(tries) <= 20


def test_another_error_is_not_repeated() -> None:
    work, tries = _failing(1, lambda: OperationalError("no such table"))

    with pytest.raises(OperationalError):
        under_lock(collection_of().pk, work, actor=SYSTEM)

    assert len(tries) == 1


class _Driver(Exception):
    def __init__(self, sqlstate: str) -> None:
        self.sqlstate = sqlstate


def _postgres(sqlstate: str) -> OperationalError:
    error = OperationalError("whatever the language of the server")
    error.__cause__ = _Driver(sqlstate)
    return error


@pytest.mark.parametrize(
    ("error", "is_conflict"),
    [
        (OperationalError("database is locked"), True),
        (OperationalError("database table is locked: x"), True),
        (OperationalError(1213, "Deadlock found"), True),
        (OperationalError(1205, "Lock wait timeout exceeded"), True),
        (OperationalError(1020, "Record has changed since last read"), True),
        (OperationalError(2006, "Server has gone away"), False),
        (_postgres("40001"), True),
        (_postgres("40P01"), True),
        (_postgres("55P03"), True),
        (_postgres("57014"), False),
        (OperationalError("disk I/O error"), False),
        (OperationalError(), False),
    ],
)
def test_what_a_lock_conflict_is(error: OperationalError, is_conflict: bool) -> None:
    assert is_lock_conflict(error) is is_conflict


def test_what_is_done_under_the_lock_is_done_together_or_not_at_all() -> None:
    collection = collection_of()

    def work(locked: LockedCollection) -> None:
        locked.change(locked.collection, "collection.repriced", amount_minor=1)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        under_lock(collection.pk, work, actor=SYSTEM)

    row = reloaded(collection)
    assert (row.amount_minor, row.version, row.audit_length) == (10050, 0, 1)


def test_a_change_of_no_money_needs_no_entry_and_none_is_lost() -> None:
    collection = collection_of()

    under_lock(
        collection.pk,
        lambda locked: locked.change(locked.collection, "collection.named", order_reference="o_1"),
        actor=SYSTEM,
    )

    row = reloaded(collection)
    assert (row.order_reference, row.audit_length) == ("o_1", 1)


def test_an_unknown_collection_is_not_found() -> None:
    with pytest.raises(NotFound):
        under_lock("pay_col_of_nobody", lambda locked: None, actor=SYSTEM)
