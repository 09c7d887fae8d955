"""Which page of a list, and in which order."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import Model, QuerySet

from medusa_payments.api import issues
from medusa_payments.api.queries.reading import text_in
from medusa_payments.errors import InvalidData

MAX_NUMBER = 2**31 - 1

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class Page:
    limit: int
    offset: int
    order: tuple[str, ...]

    def of(self, rows: QuerySet[Row]) -> QuerySet[Row]:
        return rows.order_by(*self.order)[self.offset : self.offset + self.limit]

    def echo(self, count: int) -> dict[str, int]:
        return {"count": count, "offset": self.offset, "limit": self.limit}


def read_page(
    query: Mapping[str, Any], *, columns: Mapping[str, str], default_limit: int = 20
) -> Page:
    """``columns``: what a list can be ordered by, and its column.

    :raises InvalidData: not a whole number from 0 on, or no such column.
    """
    limit, offset = query.get("limit", str(default_limit)), query.get("offset", "0")
    found = [_issue_of_number("limit", limit), _issue_of_number("offset", offset)]
    if any(found):
        raise issues.invalid(*filter(None, found))
    return Page(int(limit), int(offset), _order(query, columns))


def _issue_of_number(name: str, value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"-?[0-9]{1,20}", value):
        return issues.wrong_type(name, "number", value)
    if int(value) < 0:
        return issues.too_small(name, 0)
    return issues.too_big(name, MAX_NUMBER) if int(value) > MAX_NUMBER else ""


def _order(query: Mapping[str, Any], columns: Mapping[str, str]) -> tuple[str, ...]:
    given = text_in(query, "order")
    if not given:
        return ("pk",)
    name = given.removeprefix("-")
    if name not in columns:
        raise InvalidData(f"Order field {name} is not valid")
    sign = "-" if given.startswith("-") else ""
    return (sign + columns[name], "pk")
