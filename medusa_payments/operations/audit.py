"""The audit trail: one entry for every change of a money state, numbered and chained."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from medusa_payments.models import (
    AuditEntry,
    Capture,
    Discrepancy,
    Dispute,
    Payment,
    PaymentCollection,
    PaymentSession,
    ProviderCall,
    Refund,
)
from medusa_payments.operations.actors import Actor
from medusa_payments.operations.database import database_alias


def entry(
    action: str,
    subject: Any,
    *,
    before: dict[str, Any],
    actor: Actor,
    cause: str,
    now: datetime,
) -> AuditEntry:
    """An entry that is not numbered yet; ``append`` does that at the end of the transaction."""
    return AuditEntry(
        action=action,
        subject_type=subject._meta.model_name,
        subject_id=subject.pk,
        actor=actor.id,
        door=actor.door,
        cause=cause,
        before=_text(before),
        after=_text(subject.money_state()),
        created_at=now,
    )


def append(collection: PaymentCollection, entries: list[AuditEntry]) -> None:
    """Chain the entries to the collection's trail; the caller saves the collection."""
    for each in entries:
        collection.audit_length += 1
        each.payment_collection = collection
        each.number = collection.audit_length
        each.previous_hash = collection.audit_head
        each.hash = collection.audit_head = each.computed_hash()
    AuditEntry.objects.using(database_alias()).bulk_create(entries)


def _text(state: dict[str, Any]) -> str:
    return json.dumps(state, sort_keys=True, separators=(",", ":"), default=str)


@dataclass(frozen=True)
class Break:
    """One place where a trail is not what was written."""

    collection_id: str
    number: int
    kind: str  # edited, removed, inserted, reordered, head, unfaithful
    detail: str


def verify(collection: PaymentCollection) -> Iterator[Break]:
    """Every break in a collection's trail. Writes nothing.

    Edited, removed (also the last, or all), inserted and reordered entries break the numbering,
    the links or the head; a row that no longer is what its last entry says is ``unfaithful``.
    """
    entries = list(collection.audit_entries.using(database_alias()).order_by("number", "pk"))
    yield from _chain_breaks(collection, entries)
    yield from _unfaithful_rows(collection, entries)


def _chain_breaks(collection: PaymentCollection, entries: list[AuditEntry]) -> Iterator[Break]:
    found = {each.number: each for each in entries}
    for number in range(1, collection.audit_length + 1):
        each = found.get(number)
        if each is None:
            yield Break(collection.pk, number, "removed", f"entry {number} is missing")
            continue
        yield from _entry_breaks(collection, each, found.get(number - 1))
    for number, each in found.items():
        if not 1 <= number <= collection.audit_length:
            yield Break(collection.pk, number, "inserted", f"entry {each.pk} was never written")
    last = found.get(collection.audit_length)
    if last is not None and last.hash != collection.audit_head:
        yield Break(collection.pk, last.number, "head", "the last entry is not the recorded head")


def _entry_breaks(
    collection: PaymentCollection, each: AuditEntry, previous: AuditEntry | None
) -> Iterator[Break]:
    if each.computed_hash() != each.hash:
        yield Break(collection.pk, each.number, "edited", f"entry {each.pk} is not as written")
    linked_to = previous.hash if previous else ""
    if (previous or each.number == 1) and each.previous_hash != linked_to:
        yield Break(
            collection.pk,
            each.number,
            "reordered",
            f"entry {each.pk} does not follow the one before",
        )


def _unfaithful_rows(collection: PaymentCollection, entries: list[AuditEntry]) -> Iterator[Break]:
    replayed = replay(entries)
    for row in _audited_rows(collection):
        key = (str(row._meta.model_name), str(row.pk))
        if replayed.pop(key, None) != json.loads(_text(row.money_state())):
            yield Break(
                collection.pk,
                collection.audit_length,
                "unfaithful",
                f"{row._meta.model_name} {row.pk} is not what its last entry says",
            )
    for subject_type, subject_id in replayed:
        yield Break(
            collection.pk,
            collection.audit_length,
            "unfaithful",
            f"{subject_type} {subject_id} is gone",
        )


def replay(entries: list[AuditEntry]) -> dict[tuple[str, str], Any]:
    """The money state of every row, told by the trail alone."""
    return {(each.subject_type, each.subject_id): json.loads(each.after) for each in entries}


def _audited_rows(collection: PaymentCollection) -> Iterator[Any]:
    alias = database_alias()
    yield collection
    yield from PaymentSession.all_objects.using(alias).filter(payment_collection=collection)
    yield from ProviderCall.objects.using(alias).filter(payment_collection=collection)
    yield from Payment.objects.using(alias).filter(payment_collection=collection)
    for model in (Capture, Refund, Dispute):
        rows = model._default_manager.using(alias)
        yield from rows.filter(payment__payment_collection=collection).select_related("payment")
    yield from Discrepancy.objects.using(alias).filter(payment_collection=collection)
