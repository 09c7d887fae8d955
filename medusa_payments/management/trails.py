"""Verifying audit trails while others write them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from medusa_payments.models import AccountHolder, PaymentCollection
from medusa_payments.operations import audit
from medusa_payments.operations.audit import Break, Chain
from medusa_payments.operations.database import database_alias

_MAX_READS = 10


def every_chain() -> Iterator[Chain]:
    """Of soft-deleted rows too, without holding them all in memory."""
    for model in (PaymentCollection, AccountHolder):
        yield from _rows(model).order_by("pk").iterator(chunk_size=500)


def breaks_in(chain: Chain) -> list[Break]:
    """The breaks in one trail.

    An act that commits between the reads looks like a break, so what was read beside one is
    read again.
    """
    current, breaks = chain, list(audit.verify(chain))
    for _ in range(_MAX_READS):
        before = current.version
        current = _rows(type(chain)).get(pk=chain.pk)
        if not breaks or current.version == before:
            break
        breaks = list(audit.verify(current))
    return breaks


def _rows(model: type[Chain]) -> QuerySet[Any]:
    rows: QuerySet[Any] = model.all_objects.using(database_alias())
    return rows
