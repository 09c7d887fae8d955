"""When an unfinished call is looked at next."""

from __future__ import annotations

from datetime import datetime, timedelta

from medusa_payments import settings


def next_look(looks: int, *, now: datetime) -> datetime:
    """After ``looks`` fruitless ones. The last interval repeats: nothing is ever given up."""
    schedule = settings.RECONCILE_SCHEDULE
    return now + timedelta(seconds=schedule[min(looks, len(schedule) - 1)])


def is_exhausted(looks: int) -> bool:
    """Whether the schedule ended without an answer, so that a person must be told (law 12)."""
    return looks >= len(settings.RECONCILE_SCHEDULE)


def believable_from(last_sent_at: datetime) -> datetime:
    """From when on a listing without the object is believed."""
    return last_sent_at + timedelta(seconds=float(settings.NOT_FOUND_HORIZON))
