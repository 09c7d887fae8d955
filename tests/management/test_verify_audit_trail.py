from __future__ import annotations

from django.db import connection

from medusa_payments.models import AuditEntry, PaymentCollection
from medusa_payments.operations.collections import delete_payment_collection

from .conftest import Command


def tamper(collection: str, column: str = "actor") -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE medusa_payments_auditentry SET {column} = 'mallory'"
            " WHERE payment_collection_id = %s AND number = 1",
            [collection],
        )


def test_trail_that_nobody_touched_is_intact(command: Command, taken: str) -> None:
    answer = command("verify_audit_trail")

    assert answer.status == 0
    assert answer.row["valid"] is True
    assert answer.row["entries"] == AuditEntry.objects.count()


def test_edited_entry_is_named(command: Command, collection: str, taken: str) -> None:
    tamper(collection)

    answer = command("verify_audit_trail")

    (found,) = answer.row["breaks"]
    assert answer.status == 1
    assert (found["collection_id"], found["number"], found["kind"]) == (collection, 1, "edited")
    assert f"{collection} entry 1" in answer.message


def test_row_that_was_changed_behind_our_back_is_named(command: Command, collection: str) -> None:
    PaymentCollection.objects.filter(pk=collection).update(amount_minor=1)

    answer = command("verify_audit_trail")

    assert (answer.status, answer.row["breaks"][0]["kind"]) == (1, "unfaithful")


def test_trail_of_a_soft_deleted_collection_is_verified(command: Command, collection: str) -> None:
    delete_payment_collection(PaymentCollection.objects.get(pk=collection))
    tamper(collection)

    assert command("verify_audit_trail").status == 1


def test_one_collection_can_be_asked_for(command: Command, collection: str) -> None:
    other = command("create_payment_collection", "1", "eur").row["id"]
    tamper(collection)

    assert command("verify_audit_trail", "--collection", other).status == 0
    assert command("verify_audit_trail", "--collection", collection).status == 1


def test_verifying_writes_nothing(command: Command, collection: str, taken: str) -> None:
    before = PaymentCollection.objects.values().get(pk=collection)

    command("verify_audit_trail")

    assert PaymentCollection.objects.values().get(pk=collection) == before
