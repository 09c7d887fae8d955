"""Strict query strings: nested as the SDK writes them, read by tables.

Keys nest as ``id[0]=a``, ``id[]=a``, ``created_at[$gte]=...`` and ``$or[0][id]=...``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet
from django.utils.dateparse import parse_date, parse_datetime
from rest_framework.request import Request

from medusa_payments.api import issues
from medusa_payments.api.parsers import storable
from medusa_payments.errors import InvalidData

ONE = ("fields",)
LIST = ("fields", "limit", "offset", "order", "with_deleted")

_KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_INDEX = re.compile(r"[0-9]{1,6}")
_MAX_DEPTH = 5
_MAX_NUMBER = 2**31 - 1

Row = TypeVar("Row", bound=Model)


def read_query(request: Request, names: Collection[str]) -> dict[str, Any]:
    """The query's parameters: strings, lists of them and mappings.

    :raises InvalidData: one that is not in ``names``.
    """
    tree: dict[str, Any] = {}
    for key, values in request.query_params.lists():
        if not all(map(storable, (key, *values))):
            raise InvalidData("The query holds text that cannot be looked for.")
        _put(tree, key, values)
    found = {name: _with_lists(value) for name, value in tree.items()}
    if unknown := [name for name in found if name not in names]:
        raise issues.invalid(issues.unrecognized(unknown))
    return found


def _put(tree: dict[str, Any], key: str, values: list[str]) -> None:
    match = _KEY.fullmatch(key)
    steps = [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])] if match else [key]
    if len(steps) > _MAX_DEPTH:
        raise issues.invalid(issues.unrecognized([key]))
    *path, last = steps
    for step in path:
        tree = tree.setdefault(step, {})
        if not isinstance(tree, dict):
            raise issues.invalid(issues.unrecognized([key]))
    if last in tree:
        raise issues.invalid(issues.unrecognized([key]))
    tree[last] = values if len(values) > 1 or (path and not last) else values[0]


def _with_lists(value: Any) -> Any:
    """What is keyed by numbers, or by nothing, is a list."""
    if not isinstance(value, dict):
        return value
    if set(value) == {""}:
        return value[""]
    if all(_INDEX.fullmatch(key) for key in value):
        return [_with_lists(value[key]) for key in sorted(value, key=int)]
    return {key: _with_lists(each) for key, each in value.items()}


def text_in(query: Mapping[str, Any], name: str) -> str | None:
    """:raises InvalidData: not one string."""
    value = query.get(name)
    if value is not None and not isinstance(value, str):
        raise issues.invalid(issues.wrong_type(name, "string", value))
    return value


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
    return issues.too_big(name, _MAX_NUMBER) if int(value) > _MAX_NUMBER else ""


def _order(query: Mapping[str, Any], columns: Mapping[str, str]) -> tuple[str, ...]:
    given = text_in(query, "order")
    if not given:
        return ("pk",)
    name = given.removeprefix("-")
    if name not in columns:
        raise InvalidData(f"Order field {name} is not valid")
    sign = "-" if given.startswith("-") else ""
    return (sign + columns[name], "pk")


Filter = Callable[[str, Any], Q]


def read_filters(query: Mapping[str, Any], filters: Mapping[str, Filter]) -> Q:
    """:raises InvalidData: a value of the wrong kind, or an unknown name below $and and $or."""
    found = Q()
    for name, value in query.items():
        if name in _COMBINED:
            found &= _COMBINED[name](_filter_list(name, value, filters))
        elif name in filters:
            found &= filters[name](name, value)
    return found


def _filter_list(name: str, value: Any, filters: Mapping[str, Filter]) -> list[Q]:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise issues.invalid(issues.wrong_type(name, "array", value))
    known = (*filters, *_COMBINED)
    if unknown := [key for each in value for key in each if key not in known]:
        raise issues.invalid(issues.unrecognized(f"{name}, {key}" for key in unknown))
    return [read_filters(each, filters) for each in value]


def _all_of(parts: list[Q]) -> Q:
    found = Q()
    for part in parts:
        found &= part
    return found


def _any_of(parts: list[Q]) -> Q:
    found = Q()
    for part in parts:
        found |= part
    return found


_COMBINED: dict[str, Callable[[list[Q]], Q]] = {"$and": _all_of, "$or": _any_of}
COMBINED = tuple(_COMBINED)


def ignored(name: str, value: Any) -> Q:
    return Q()


def equal_to(column: str) -> Filter:
    """One id or a list of them."""

    def read(name: str, value: Any) -> Q:
        wanted = value if isinstance(value, list) else [value]
        if not all(isinstance(each, str) for each in wanted):
            raise issues.invalid(issues.wrong_type(name, "string, array", value))
        return Q(**{f"{column}__in": wanted})

    return read


def at_time(column: str) -> Filter:
    """A time, a list of them, or a map of operators; unknown operators say nothing."""

    def read(name: str, value: Any) -> Q:
        given = value if isinstance(value, dict) else {"$in": value}
        found = Q()
        for operator, operand in given.items():
            if operator in _OPERATORS:
                found &= _compared(column, operator, _times(name, operand))
        return found

    return read


# Operator -> Django's lookup, and whether it is negated. All compare with any of their operands.
_OPERATORS = {
    "$eq": ("exact", False),
    "$in": ("exact", False),
    "$ne": ("exact", True),
    "$nin": ("exact", True),
    "$gt": ("gt", False),
    "$gte": ("gte", False),
    "$lt": ("lt", False),
    "$lte": ("lte", False),
}


def _compared(column: str, operator: str, operands: list[datetime]) -> Q:
    lookup, is_negated = _OPERATORS[operator]
    found = _any_of([Q(**{f"{column}__{lookup}": operand}) for operand in operands])
    return ~found if is_negated else found


def _times(name: str, value: Any) -> list[datetime]:
    return [_time(name, each) for each in (value if isinstance(value, list) else [value])]


def _time(name: str, value: Any) -> datetime:
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
