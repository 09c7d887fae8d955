"""How much may be undone by itself, in one run and in one day, whoever and however many undo.

What is taken of a cap is written in the transaction that writes the act, by compare-and-set: so a
rollback gives it back, and parallel workers wait for each other at one row and never exceed it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet

from medusa_payments import settings
from medusa_payments.models import UndoingAllowance
from medusa_payments.money import to_minor
from medusa_payments.operations.database import DatabaseNow, database_alias, patiently

_KEPT = timedelta(days=7)
_run: ContextVar[str] = ContextVar("run of the sweep", default="")


class Cap(StrEnum):
    RUN = "RUN"
    DAY = "DAY"


@dataclass(frozen=True)
class _Limit:
    """One number of one cap. ``currency_code`` is empty for a number of acts."""

    cap: Cap
    scope: str
    currency_code: str
    most: int


@contextmanager
def run(run_id: str) -> Iterator[None]:
    """What is undone meanwhile, in this thread, counts for the run of this id."""
    token = _run.set(run_id)
    try:
        yield
    finally:
        _run.reset(token)


def current_run() -> str:
    """The run of the sweep that this code is part of; empty: none."""
    return _run.get()


def take(*, amount_minor: int, currency_code: str, now: datetime) -> Cap | None:
    """Take one act of this amount out of every cap, inside the transaction that writes the act.

    Returns the cap that it would exceed; then nothing was taken. ``now`` is the database's. An act
    for which no run, or no amount in its currency, is limited counts for the other caps only.
    """
    try:
        with transaction.atomic(using=database_alias()):
            for limit in _limits(currency_code, now=now):
                _take(limit, amount_minor)
    except _Exceeded as exceeded:
        return exceeded.cap
    return None


def fits_no_run(*, amount_minor: int, currency_code: str) -> bool:
    """Whether an act is beyond the cap of a run all by itself, so that no later run takes it."""
    cap = settings.CAPS.get(Cap.RUN, {})
    most = _amount(cap, currency_code)
    return cap.get("ACTS") == 0 or (most is not None and amount_minor > most)


def left(*, currency_code: str, now: datetime) -> dict[str, dict[str, int]]:
    """What is left of each cap now, for people: acts, and the amount in smallest units."""
    shown: dict[str, dict[str, int]] = {}
    for limit in _limits(currency_code, now=now, run_id=current_run() or "none"):
        used = _row(limit).values_list("amount_minor" if limit.currency_code else "acts", flat=True)
        name = "amount_minor" if limit.currency_code else "acts"
        shown.setdefault(limit.cap, {})[name] = max(0, limit.most - (used.first() or 0))
    return shown


def purge_old_allowances() -> int:
    """Delete the counts of runs and days that are over; for the sweep, once a run."""
    if not settings.CAPS:
        return 0
    old = UndoingAllowance.objects.using(database_alias()).filter(
        created_at__lt=DatabaseNow() - _KEPT
    )
    return patiently(lambda: old.delete()[0])


class _Exceeded(Exception):
    def __init__(self, cap: Cap) -> None:
        self.cap = cap
        super().__init__(cap)


def _limits(currency_code: str, *, now: datetime, run_id: str = "") -> Iterator[_Limit]:
    """Always in the same order, so that two transactions never wait for each other."""
    scopes = {Cap.RUN: run_id or current_run(), Cap.DAY: now.astimezone(UTC).date().isoformat()}
    for cap, scope in scopes.items():
        numbers = settings.CAPS.get(cap)
        if not numbers or not scope:
            continue
        name = f"{cap.lower()}:{scope}"
        if numbers.get("ACTS") is not None:
            yield _Limit(cap, name, "", int(numbers["ACTS"]))
        amount = _amount(numbers, currency_code)
        if amount is not None:
            yield _Limit(cap, name, currency_code, amount)


def _amount(cap: dict[str, object], currency_code: str) -> int | None:
    """Smallest units; a cap of 0 is no amount, and still a cap."""
    amounts = cap.get("AMOUNT")
    most = amounts.get(currency_code) if isinstance(amounts, dict) else None
    if most is None:
        return None
    return to_minor(most, currency_code) if most else 0


def _take(limit: _Limit, amount_minor: int) -> None:
    if _raise(limit, amount_minor):
        return
    if not _row(limit).exists():
        _insert(limit)
        if _raise(limit, amount_minor):
            return
    raise _Exceeded(limit.cap)


def _raise(limit: _Limit, amount_minor: int) -> int:
    """The compare-and-set: it waits for whoever changed the row, and sees what they left."""
    taken = amount_minor if limit.currency_code else 0
    rows = _row(limit)
    rows = (
        rows.filter(amount_minor__lte=limit.most - taken)
        if limit.currency_code
        else rows.filter(acts__lte=limit.most - 1)
    )
    return rows.update(acts=F("acts") + 1, amount_minor=F("amount_minor") + taken)


def _insert(limit: _Limit) -> None:
    row = UndoingAllowance(scope=limit.scope, provider_id="", currency_code=limit.currency_code)
    try:
        with transaction.atomic(using=database_alias()):
            row.save(force_insert=True, using=database_alias())
    except IntegrityError:
        pass  # another worker was first; the row is there


def _row(limit: _Limit) -> QuerySet[UndoingAllowance]:
    return UndoingAllowance.objects.using(database_alias()).filter(
        scope=limit.scope, provider_id="", currency_code=limit.currency_code
    )
