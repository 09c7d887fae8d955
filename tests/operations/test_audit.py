"""``verify`` finds every tampering with a trail or with what it tells of, and writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from medusa_payments.models import AuditEntry, PaymentCollection
from medusa_payments.operations import audit
from medusa_payments.operations.refunds import refund_payment
from tests.laws.scenes import StagedProvider, captured_at, collection_of, reloaded

pytestmark = pytest.mark.django_db(transaction=True)

ENTRIES = AuditEntry._meta.db_table


def _sql(statement: str, *values: Any) -> None:
    """Past everything that the models refuse."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        assert cursor.rowcount


@pytest.fixture
def collection(fake: StagedProvider) -> PaymentCollection:
    payment = captured_at(fake)
    refund_payment(payment, amount=Decimal("10"))
    found: PaymentCollection = reloaded(payment.payment_collection)
    return found


def _found(collection: PaymentCollection) -> set[tuple[int, str]]:
    return {(each.number, each.kind) for each in audit.verify(reloaded(collection))}


def test_a_clean_trail_has_no_break(collection: PaymentCollection) -> None:
    assert _found(collection) == set()
    assert collection.audit_length > 10


def test_a_new_collection_has_no_break(fake: StagedProvider) -> None:
    assert _found(collection_of()) == set()


def test_verifying_writes_nothing(collection: PaymentCollection) -> None:
    _sql(f"UPDATE {ENTRIES} SET actor = 'mallory' WHERE number = 3")

    with CaptureQueriesContext(connection) as queries:
        assert list(audit.verify(collection))

    verbs = {each["sql"].split()[0] for each in queries.captured_queries}
    assert verbs == {"SELECT"}


@pytest.mark.parametrize(
    "column",
    ["action", "subject_type", "subject_id", "actor", "door", "cause", "before", "after", "hash"],
)
def test_an_edited_entry_is_named(column: str, collection: PaymentCollection) -> None:
    quoted = connection.ops.quote_name(column)  # BEFORE is a word of MariaDB's own
    _sql(f"UPDATE {ENTRIES} SET {quoted} = '{{}}' WHERE number = 4")

    assert (4, "edited") in _found(collection)


def test_an_edited_time_is_named(collection: PaymentCollection) -> None:
    _sql(f"UPDATE {ENTRIES} SET created_at = %s WHERE number = 4", "2020-01-01 00:00:00")

    assert (4, "edited") in _found(collection)


def test_an_edit_that_mends_its_own_hash_breaks_the_next_link(
    collection: PaymentCollection,
) -> None:
    entry = AuditEntry.objects.get(payment_collection=collection, number=4)
    entry.actor = "mallory"
    _sql(
        f"UPDATE {ENTRIES} SET actor = 'mallory', hash = %s WHERE number = 4",
        entry.computed_hash(),
    )

    assert _found(collection) == {(5, "reordered")}


def test_an_edit_of_the_last_entry_that_mends_its_own_hash_is_not_the_head(
    collection: PaymentCollection,
) -> None:
    last = AuditEntry.objects.get(payment_collection=collection, number=collection.audit_length)
    last.actor = "mallory"
    _sql(
        f"UPDATE {ENTRIES} SET actor = 'mallory', hash = %s WHERE number = %s",
        last.computed_hash(),
        last.number,
    )

    assert _found(collection) == {(last.number, "head")}


WHERE: dict[str, Callable[[int], int]] = {
    "first": lambda length: 1,
    "middle": lambda length: length // 2,
    "last": lambda length: length,
}


@pytest.mark.parametrize("place", WHERE)
def test_a_removed_entry_is_named(place: str, collection: PaymentCollection) -> None:
    number = WHERE[place](collection.audit_length)
    _sql(f"DELETE FROM {ENTRIES} WHERE number = %s", number)

    assert (number, "removed") in _found(collection)


def test_all_entries_removed_are_named(collection: PaymentCollection) -> None:
    _sql(f"DELETE FROM {ENTRIES}")

    found = _found(collection)
    assert {number for number, kind in found if kind == "removed"} == set(
        range(1, collection.audit_length + 1)
    )


def test_removed_entries_at_the_end_with_a_mended_head_make_rows_unfaithful(
    collection: PaymentCollection,
) -> None:
    """Whoever can write everything is still caught by the rows that the trail explains."""
    keep = collection.audit_length - 6
    head = AuditEntry.objects.get(payment_collection=collection, number=keep).hash
    _sql(f"DELETE FROM {ENTRIES} WHERE number > %s", keep)
    _sql(
        f"UPDATE {PaymentCollection._meta.db_table} SET audit_length = %s, audit_head = %s",
        keep,
        head,
    )

    assert {kind for _, kind in _found(collection)} == {"unfaithful"}


@pytest.mark.parametrize("offset", [1, 100])
def test_an_inserted_entry_is_named(offset: int, collection: PaymentCollection) -> None:
    number = collection.audit_length + offset
    _copy_of_an_entry(collection, number)

    assert (number, "inserted") in _found(collection)


def test_an_entry_with_a_number_below_the_first_is_named(collection: PaymentCollection) -> None:
    """The database refuses the number itself, so the entry takes a removed one's place."""
    _sql(f"DELETE FROM {ENTRIES} WHERE number = 5")
    _copy_of_an_entry(collection, 5)

    assert {(5, "edited"), (5, "reordered")} <= _found(collection)


def _copy_of_an_entry(collection: PaymentCollection, number: int) -> None:
    entry = AuditEntry.objects.get(payment_collection=collection, number=3)
    entry.pk, entry.number = None, number
    AuditEntry.objects.bulk_create([entry])


def test_entries_that_changed_places_are_named(collection: PaymentCollection) -> None:
    for old, new in ((3, 9999), (4, 3), (9999, 4)):
        _sql(f"UPDATE {ENTRIES} SET number = %s WHERE number = %s", new, old)

    found = _found(collection)
    assert {(3, "edited"), (4, "edited")} <= found
    assert {number for number, kind in found if kind == "reordered"} >= {3, 4, 5}


def test_entries_that_changed_places_with_mended_hashes_are_named(
    collection: PaymentCollection,
) -> None:
    third, fourth = AuditEntry.objects.filter(
        payment_collection=collection, number__in=(3, 4)
    ).order_by("number")
    for old, new in ((3, 9999), (4, 3), (9999, 4)):
        _sql(f"UPDATE {ENTRIES} SET number = %s WHERE number = %s", new, old)
    third.number, fourth.number = 4, 3
    for entry in (third, fourth):
        _sql(f"UPDATE {ENTRIES} SET hash = %s WHERE id = %s", entry.computed_hash(), entry.pk)

    assert {number for number, kind in _found(collection) if kind == "reordered"} >= {3, 4}


def test_an_entry_moved_to_another_collection_is_missed_and_seen(
    collection: PaymentCollection,
) -> None:
    other = collection_of()
    _sql(
        f"UPDATE {ENTRIES} SET payment_collection_id = %s WHERE number = 5"
        " AND payment_collection_id = %s",
        other.pk,
        collection.pk,
    )

    assert (5, "removed") in _found(collection)
    assert (5, "inserted") in _found(other)


def test_a_wrong_head_is_named(collection: PaymentCollection) -> None:
    _sql(f"UPDATE {PaymentCollection._meta.db_table} SET audit_head = 'x'")

    assert _found(collection) == {(collection.audit_length, "head")}


def test_a_wrong_length_is_named(collection: PaymentCollection) -> None:
    _sql(f"UPDATE {PaymentCollection._meta.db_table} SET audit_length = audit_length + 1")
    assert (collection.audit_length + 1, "removed") in _found(collection)

    _sql(f"UPDATE {PaymentCollection._meta.db_table} SET audit_length = audit_length - 2")
    assert (collection.audit_length, "inserted") in _found(collection)


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("paymentcollection", "amount_minor = 1"),
        ("paymentcollection", "captured_minor = 1"),
        ("paymentcollection", "refunded_minor = 0"),
        ("paymentcollection", "status = 'canceled'"),
        ("paymentsession", "amount_minor = 1"),
        ("paymentsession", "captured_minor = 1"),
        ("paymentsession", "status = 'error'"),
        ("paymentsession", "provider_reference = 'pi_of_mallory'"),
        ("payment", "amount_minor = 1"),
        ("payment", "captured_at = NULL"),
        ("capture", "amount_minor = 1"),
        ("capture", "status = 'failed'"),
        ("refund", "amount_minor = 1"),
        ("refund", "status = 'failed'"),
        ("refund", "provider_reference = 're_of_mallory'"),
        ("providercall", "state = 'failed'"),
    ],
)
def test_an_edited_row_is_unfaithful(
    table: str, change: str, collection: PaymentCollection
) -> None:
    _sql(f"UPDATE medusa_payments_{table} SET {change}")

    found = list(audit.verify(reloaded(collection)))

    assert {each.kind for each in found} == {"unfaithful"}
    assert all(each.detail.startswith(table) for each in found)


def test_an_inserted_row_is_unfaithful(collection: PaymentCollection) -> None:
    _sql(
        "INSERT INTO medusa_payments_refund (id, created_at, updated_at, amount_minor, status,"
        " evidence, request_key, other_request_keys, provider_reference, is_external,"
        " is_provisional, payment_id, is_undoing)"
        " SELECT 'ref_of_mallory', created_at, updated_at, 500, status, evidence, 'mallory',"
        " other_request_keys, provider_reference, is_external, is_provisional, payment_id,"
        " is_undoing FROM medusa_payments_refund"
    )

    (found,) = audit.verify(reloaded(collection))

    assert (found.kind, "ref_of_mallory" in found.detail) == ("unfaithful", True)


def test_a_removed_row_is_unfaithful(collection: PaymentCollection) -> None:
    """Its entries tell of money that no row tells of any more."""
    _sql("DELETE FROM medusa_payments_providercall WHERE kind = 'refund'")
    _sql("DELETE FROM medusa_payments_refund")

    assert "unfaithful" in {kind for _, kind in _found(collection)}


def test_a_break_says_where_it_is(collection: PaymentCollection) -> None:
    _sql(f"DELETE FROM {ENTRIES} WHERE number = 5")

    (found, *_) = audit.verify(reloaded(collection))

    assert (found.collection_id, found.number, found.kind) == (collection.pk, 5, "removed")
    assert "5" in found.detail
