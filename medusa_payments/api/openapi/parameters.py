"""Parameters of a query, from the tables that it is read by."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from medusa_payments.api.listing import Listing
from medusa_payments.api.openapi.components import reference
from medusa_payments.api.queries import (
    Filter,
    amount,
    ignored,
    integer,
    moment,
    text,
    truth,
)
from medusa_payments.api.queries.columns import Column
from medusa_payments.api.queries.paging import MAX_NUMBER
from medusa_payments.api.queries.patterns import MAX_LENGTH, MAX_PATTERN
from medusa_payments.api.queries.reading import flag
from medusa_payments.api.queries.values import (
    AMOUNT_DIGITS,
    WHOLE_DIGITS,
    number,
    plain_text,
    time,
    whole,
)
from medusa_payments.api.shapes.schemas import Schema

_TEXT: Schema = {"type": "string"}
_TIME: Schema = {
    "anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}]
}


def _with_digits(kind: str, digits: int) -> Schema:
    limit = 10**digits - 1
    return {"type": kind, "minimum": -limit, "maximum": limit}


# What reads an operand -> the name of such filters, and what an operand looks like.
_KINDS: dict[Callable[..., Any], tuple[str, Schema]] = {
    plain_text: ("TextFilter", _TEXT),
    time: ("TimeFilter", _TIME),
    flag: ("FlagFilter", {"type": "boolean"}),
    whole: ("WholeNumberFilter", _with_digits("integer", WHOLE_DIGITS)),
    number: ("AmountFilter", _with_digits("number", AMOUNT_DIGITS)),
}
_SEARCHED = _TEXT | {"maxLength": MAX_LENGTH}
_PATTERNS: dict[str, Schema] = {
    "$re": _TEXT | {"minLength": 1, "maxLength": MAX_PATTERN},
    **dict.fromkeys(("$like", "$ilike", "$contains"), _SEARCHED),
}
_OF_MANY = ("$in", "$nin", "$eq", "$ne")


@dataclass(frozen=True, kw_only=True)
class Parameter:
    name: str
    schema: Schema
    note: str = ""
    location: str = "query"
    is_required: bool = False
    is_nested: bool = False

    def as_openapi(self) -> Schema:
        found: Schema = {"name": self.name, "in": self.location, "schema": self.schema}
        if self.note:
            found["description"] = self.note
        if self.is_required:
            found["required"] = True
        return found | ({"style": "deepObject", "explode": True} if self.is_nested else {})


FIELDS = Parameter(
    name="fields",
    schema=_TEXT,
    note=(
        "What the answer shows: names, separated by commas. `+name` adds to what is shown anyway,"
        " `-name` removes from it, `*relation` adds a relation with all its columns,"
        " `relation.name` one of them. A name without a sign replaces all that is shown anyway."
    ),
)
WITH_DELETED = Parameter(
    name="with_deleted", schema={"type": "boolean"}, note="Soft-deleted records too."
)
IDEMPOTENCY_KEY = Parameter(
    name="Idempotency-Key",
    schema=_TEXT | {"maxLength": 255, "pattern": "^[ -~]*$"},
    location="header",
    note="Names the act: the same key and request are run once, and get the same answer.",
)
_WHOLE_NUMBER: Schema = {"type": "integer", "minimum": 0, "maximum": MAX_NUMBER}


def in_path(name: str, pattern: str) -> Parameter:
    schema = _TEXT | {"pattern": f"^{pattern}$"}
    return Parameter(name=name, schema=schema, location="path", is_required=True)


def of_one(listing: Listing) -> tuple[Parameter, ...]:
    return (FIELDS,) if listing.all_rows is None else (FIELDS, WITH_DELETED)


def of_list(listing: Listing) -> tuple[Parameter, ...]:
    return (
        *of_filters(listing.filters),
        *of_page(listing.orders, default_limit=listing.default_limit),
    )


def of_page(orders: Iterable[str], *, default_limit: int = 20) -> tuple[Parameter, ...]:
    ways = [sign + name for name in orders for sign in ("", "-")]
    return (
        FIELDS,
        Parameter(name="limit", schema=_WHOLE_NUMBER | {"default": default_limit}),
        Parameter(name="offset", schema=_WHOLE_NUMBER | {"default": 0}),
        Parameter(
            name="order",
            schema=_TEXT | {"enum": ["", *ways]},
            note="A minus sign reverses it. Without an order, the oldest comes first.",
        ),
        WITH_DELETED,
    )


def of_filters(filters: Mapping[str, Filter]) -> tuple[Parameter, ...]:
    """``$and`` and ``$or`` are told in words: OpenAPI has none for lists of filters in a query."""
    return tuple(_of_filter(name, each) for name, each in filters.items())


def _of_filter(name: str, given: Filter) -> Parameter:
    return Parameter(name=name, schema=_schema_of(given), is_nested=isinstance(given, Column))


def _schema_of(given: Filter) -> Schema:
    if isinstance(given, Column):
        return reference(_KINDS[given.read][0])
    return _TEXT if given is ignored else _SEARCHED


def schemas_of_filters() -> dict[str, Schema]:
    """A value, any of several, or conditions by operator."""
    each = (text("pk"), moment("pk"), truth("pk"), integer("pk"), amount("pk"))
    columns = [given for given in each if isinstance(given, Column)]
    return {_KINDS[column.read][0]: _filter(column) for column in columns}


def _filter(column: Column) -> Schema:
    operand = _KINDS[column.read][1]
    several: Schema = {"type": "array", "items": operand}
    either: Schema = {"anyOf": [operand, several]}
    by_operator = {
        operator: either if operator in _OF_MANY else _PATTERNS.get(operator, operand)
        for operator in column.operators
    }
    conditions = {"type": "object", "properties": by_operator, "additionalProperties": False}
    return {"anyOf": [operand, several, conditions]}
