"""The audit trail: one entry for every change of a money state, numbered and chained."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from medusa_payments.models import (
    AccountHolder,
    AccountHolderCall,
    AuditEntry,
    Capture,
    Discrepancy,
    Dispute,
    Payment,
    PaymentCollection,
    PaymentSession,
    Proposal,
    ProviderCall,
    Refund,
)
from medusa_payments.operations.actors import Actor
from medusa_payments.operations.database import database_alias

# Whose trail is one chain; its length and head are columns of the row itself.
Chain = PaymentCollection | AccountHolder


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


def append(chain: Chain, entries: list[AuditEntry]) -> None:
    """Chain the entries to a collection's or holder's trail; the caller saves the row."""
    for each in entries:
        chain.audit_length += 1
        if isinstance(chain, AccountHolder):
            each.account_holder = chain
        else:
            each.payment_collection = chain
        each.number = chain.audit_length
        each.previous_hash = chain.audit_head
        each.hash = chain.audit_head = each.computed_hash()
    AuditEntry.objects.using(database_alias()).bulk_create(entries)


def _text(state: dict[str, Any]) -> str:
    return json.dumps(state, sort_keys=True, separators=(",", ":"), default=str)


@dataclass(frozen=True)
class Break:
    """One place where a trail is not what was written."""

    collection_id: str  # empty for the trail of an account holder
    number: int
    kind: str  # edited, removed, inserted, reordered, head, unfaithful
    detail: str
    account_holder_id: str = ""

    @property
    def chain_id(self) -> str:
        return self.collection_id or self.account_holder_id


def _break(chain: Chain, number: int, kind: str, detail: str) -> Break:
    if isinstance(chain, AccountHolder):
        return Break("", number, kind, detail, account_holder_id=chain.pk)
    return Break(chain.pk, number, kind, detail)


def verify(chain: Chain) -> Iterator[Break]:
    """Every break in a trail. Writes nothing.

    Edited, removed (also the last, or all), inserted and reordered entries break the numbering,
    the links or the head; a row that no longer is what its last entry says is ``unfaithful``.
    """
    entries = list(chain.audit_entries.using(database_alias()).order_by("number", "pk"))
    yield from _chain_breaks(chain, entries)
    yield from _unfaithful_rows(chain, entries)


def _chain_breaks(chain: Chain, entries: list[AuditEntry]) -> Iterator[Break]:
    found = {each.number: each for each in entries}
    for number in range(1, chain.audit_length + 1):
        each = found.get(number)
        if each is None:
            yield _break(chain, number, "removed", f"entry {number} is missing")
            continue
        yield from _entry_breaks(chain, each, found.get(number - 1))
    for number, each in found.items():
        if not 1 <= number <= chain.audit_length:
            yield _break(chain, number, "inserted", f"entry {each.pk} was never written")
    last = found.get(chain.audit_length)
    if last is not None and last.hash != chain.audit_head:
        yield _break(chain, last.number, "head", "the last entry is not the recorded head")


def _entry_breaks(chain: Chain, each: AuditEntry, previous: AuditEntry | None) -> Iterator[Break]:
    if each.computed_hash() != each.hash:
        yield _break(chain, each.number, "edited", f"entry {each.pk} is not as written")
    linked_to = previous.hash if previous else ""
    if (previous or each.number == 1) and each.previous_hash != linked_to:
        yield _break(
            chain,
            each.number,
            "reordered",
            f"entry {each.pk} does not follow the one before",
        )


def _unfaithful_rows(chain: Chain, entries: list[AuditEntry]) -> Iterator[Break]:
    replayed = replay(entries)
    for row in _audited_rows(chain):
        key = (str(row._meta.model_name), str(row.pk))
        if replayed.pop(key, None) != json.loads(_text(row.money_state())):
            yield _break(
                chain,
                chain.audit_length,
                "unfaithful",
                f"{row._meta.model_name} {row.pk} is not what its last entry says",
            )
    for subject_type, subject_id in replayed:
        yield _break(
            chain,
            chain.audit_length,
            "unfaithful",
            f"{subject_type} {subject_id} is gone",
        )


def replay(entries: list[AuditEntry]) -> dict[tuple[str, str], Any]:
    """The money state of every row, told by the trail alone."""
    return {(each.subject_type, each.subject_id): json.loads(each.after) for each in entries}


def _audited_rows(chain: Chain) -> Iterator[Any]:
    yield chain
    if isinstance(chain, AccountHolder):
        yield from _rows_of_holder(chain)
    else:
        yield from _rows_of_collection(chain)


def _rows_of_holder(holder: AccountHolder) -> Iterator[Any]:
    alias = database_alias()
    yield from AccountHolderCall.objects.using(alias).filter(account_holder=holder)
    yield from Discrepancy.objects.using(alias).filter(account_holder=holder)


def _rows_of_collection(collection: PaymentCollection) -> Iterator[Any]:
    alias = database_alias()
    yield from PaymentSession.all_objects.using(alias).filter(payment_collection=collection)
    yield from ProviderCall.objects.using(alias).filter(payment_collection=collection)
    yield from Payment.objects.using(alias).filter(payment_collection=collection)
    for model in (Capture, Refund, Dispute):
        rows = model._default_manager.using(alias)
        yield from rows.filter(payment__payment_collection=collection).select_related("payment")
    for decided in (Discrepancy, Proposal):
        own: QuerySet[Any] = decided.objects.using(alias)
        yield from own.filter(payment_collection=collection)
