"""Columns, and how their values are told: times as JavaScript writes them, amounts exactly."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any

from medusa_payments.api.shapes import schemas
from medusa_payments.api.shapes.shape import Column
from medusa_payments.redaction import redact


def plain(*names: str) -> dict[str, Column]:
    return {name: Column(attrgetter(name), schemas.as_stored(name)) for name in names}


def times(*names: str) -> dict[str, Column]:
    return {name: time(name) for name in names}


def time(name: str) -> Column:
    return Column(lambda row: _as_javascript(getattr(row, name)), schemas.as_stored(name))


def _as_javascript(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def stated(*names: str) -> dict[str, Column]:
    """Text that is empty while nothing is known: then null."""
    return {name: stated_as(name) for name in names}


def stated_as(name: str) -> Column:
    return Column(lambda row: getattr(row, name) or None, schemas.stated(name))


def redacted(*names: str) -> dict[str, Column]:
    return {name: _redacted(name) for name in names}


def _redacted(name: str) -> Column:
    return Column(lambda row: redact(getattr(row, name)), schemas.as_stored(name))


def amounts(*names: str) -> dict[str, Column]:
    """Each with its raw twin."""
    return plain(*names) | {f"raw_{name}": raw(column) for name, column in plain(*names).items()}


def raw(amount: Column) -> Column:
    def read(row: Any) -> dict[str, Any] | None:
        value: Decimal | None = amount.read(row)
        return None if value is None else {"value": f"{value:f}", "precision": 20}

    return Column(read, schemas.raw_twin(amount.schema))


NEVER = Column(lambda row: None, schemas.always(schemas.NULL))
# A record that is kept for ever.
KEPT = plain("id") | times("created_at", "updated_at")
# One that Medusa would delete.
RECORD = KEPT | {"deleted_at": NEVER}
SOFT_DELETABLE = RECORD | {"deleted_at": time("deleted")}
