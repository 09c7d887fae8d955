"""Verifying audit trails while others write them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

from django.db import DatabaseError
from django.db.models import QuerySet

from medusa_payments.models import AccountHolder, PaymentCollection, RecurringJob
from medusa_payments.operations import audit
from medusa_payments.operations.audit import Break, Chain
from medusa_payments.operations.database import database_alias
from medusa_payments.reconciliation import jobs
from medusa_payments.reconciliation.health import AUDIT_JOB

logger = logging.getLogger("medusa_payments")

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


class Verification:
    """Tells the health check of a verification of all trails.

    What was written before it began is verified if there is no break. A database that cannot be
    written, such as a copy to read from, is verified all the same.
    """

    def __init__(self) -> None:
        self._started_at = _if_writable(lambda: jobs.start(AUDIT_JOB))

    def ended(self, *, trails: int, entries: int, breaks: int) -> None:
        if self._started_at is None:
            return
        until = _verified_until() if breaks else self._started_at.isoformat()
        figures = {"trails": trails, "entries": entries, "breaks": breaks, "verified_until": until}
        _if_writable(lambda: jobs.finish(AUDIT_JOB, figures))


def _verified_until() -> str | None:
    """As the last verification without a break left it."""
    rows = RecurringJob.objects.using(database_alias()).filter(name=AUDIT_JOB)
    last = rows.values_list("figures", flat=True).first()
    until: str | None = (last or {}).get("verified_until")
    return until


def _if_writable(write: Callable[[], Any]) -> Any:
    try:
        return write()
    except DatabaseError as error:
        logger.warning("The verification is not recorded: %s", type(error).__name__)
        return None
