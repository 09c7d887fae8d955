"""Telling when a recurring job last ran: what a health check looks at."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from medusa_payments.log_events import log_event
from medusa_payments.models import RecurringJob
from medusa_payments.operations.database import DatabaseNow, database_alias, patiently


def start(name: str) -> datetime:
    """Mark a job as begun. Returns when, by the database's clock."""
    rows = RecurringJob.objects.using(database_alias()).filter(name=name)
    if not patiently(lambda: rows.update(started_at=DatabaseNow())):
        _insert(name)
        patiently(lambda: rows.update(started_at=DatabaseNow()))
    started_at: datetime = rows.annotate(database_now=DatabaseNow()).get().database_now
    return started_at


def finish(name: str, figures: dict[str, Any]) -> None:
    """Mark a job as come to its end, with what it did."""
    rows = RecurringJob.objects.using(database_alias()).filter(name=name)
    patiently(lambda: rows.update(finished_at=DatabaseNow(), figures=figures))
    log_event("job.ended", job=name, figures=figures)


def _insert(name: str) -> None:
    try:
        with transaction.atomic(using=database_alias()):
            RecurringJob(name=name).save(force_insert=True, using=database_alias())
    except IntegrityError:
        pass  # another worker was first
