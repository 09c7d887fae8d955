"""Columns, and how their values are told: times as JavaScript writes them, amounts exactly."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any

from medusa_payments.api.shapes.shape import Column
from medusa_payments.redaction import redact


def plain(*names: str) -> dict[str, Column]:
    return {name: attrgetter(name) for name in names}


def times(*names: str) -> dict[str, Column]:
    return {name: _time(name) for name in names}


def _time(name: str) -> Column:
    return lambda row: _as_javascript(getattr(row, name))


def _as_javascript(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def stated(*names: str) -> dict[str, Column]:
    """Text that is empty while nothing is known: then null."""
    return {name: _stated(name) for name in names}


def _stated(name: str) -> Column:
    return lambda row: getattr(row, name) or None


def redacted(*names: str) -> dict[str, Column]:
    return {name: _redacted(name) for name in names}


def _redacted(name: str) -> Column:
    return lambda row: redact(getattr(row, name))


def amounts(*names: str) -> dict[str, Column]:
    """Each with its raw twin."""
    return plain(*names) | {f"raw_{name}": raw(attrgetter(name)) for name in names}


def raw(column: Column) -> Column:
    def read(row: Any) -> dict[str, Any] | None:
        amount: Decimal | None = column(row)
        return None if amount is None else {"value": f"{amount:f}", "precision": 20}

    return read


def nothing(row: Any) -> None:
    return None


# A record that is kept for ever.
KEPT = plain("id") | times("created_at", "updated_at")
# One that Medusa would delete.
RECORD = KEPT | {"deleted_at": nothing}
SOFT_DELETABLE = RECORD | {"deleted_at": _time("deleted")}
