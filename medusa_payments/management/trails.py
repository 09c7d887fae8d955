"""Verifying audit trails while others write them."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import QuerySet

from medusa_payments.models import PaymentCollection
from medusa_payments.operations import audit
from medusa_payments.operations.audit import Break
from medusa_payments.operations.database import database_alias

_MAX_READS = 10


def every_collection() -> Iterator[PaymentCollection]:
    """Soft-deleted ones too, without holding them all in memory."""
    return _collections().order_by("pk").iterator(chunk_size=500)


def breaks_in(collection: PaymentCollection) -> list[Break]:
    """The breaks in one trail.

    An act that commits between the reads looks like a break, so what was read beside one is
    read again.
    """
    current, breaks = collection, list(audit.verify(collection))
    for _ in range(_MAX_READS):
        before = current.version
        current = _collections().get(pk=collection.pk)
        if not breaks or current.version == before:
            break
        breaks = list(audit.verify(current))
    return breaks


def _collections() -> QuerySet[PaymentCollection]:
    rows: QuerySet[PaymentCollection] = PaymentCollection.all_objects.using(database_alias())
    return rows
