"""Operands: what the text of a query says, by the type of its column."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.utils.dateparse import parse_date, parse_datetime

from medusa_payments.api import issues

# As many digits as are computed with exactly, and as every column takes.
AMOUNT_DIGITS, WHOLE_DIGITS = 15, 18
_NUMBER = re.compile(rf"-?[0-9]{{1,{AMOUNT_DIGITS}}}(\.[0-9]{{1,10}})?")
_WHOLE = re.compile(rf"-?[0-9]{{1,{WHOLE_DIGITS}}}")


def time(name: str, value: Any) -> datetime:
    """:raises InvalidData: no time."""
    try:
        found = _parsed(value) if isinstance(value, str) else None
    except (ValueError, OverflowError):
        found = None
    if found is None:
        raise issues.invalid(issues.wrong_type(name, "date", value))
    return found


def _parsed(text: str) -> datetime | None:
    """Without a time zone it is UTC, as everything that we send is."""
    if (moment := parse_datetime(text)) is not None:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    if (day := parse_date(text)) is not None:
        return datetime(day.year, day.month, day.day, tzinfo=UTC)
    return None


def number(name: str, value: Any) -> Decimal:
    """:raises InvalidData: no number, or one with more digits than any amount."""
    if not isinstance(value, str) or not _NUMBER.fullmatch(value):
        raise issues.invalid(issues.wrong_type(name, "number", value))
    return Decimal(value)


def whole(name: str, value: Any) -> int:
    """:raises InvalidData: no whole number, or one beyond every column."""
    if not isinstance(value, str) or not _WHOLE.fullmatch(value):
        raise issues.invalid(issues.wrong_type(name, "number", value))
    return int(value)


def plain_text(name: str, value: Any) -> str:
    """:raises InvalidData: nested, where one text is meant."""
    if not isinstance(value, str):
        raise issues.invalid(issues.wrong_type(name, "string", value))
    return value
