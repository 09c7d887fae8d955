"""Filters by the type of a column: a value, a list of them, or a map of operators.

Operators that are none of Medusa's say nothing, as there.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Q

from medusa_payments.api import issues
from medusa_payments.api.queries.filters import Filter, any_of, nothing
from medusa_payments.api.queries.patterns import contains, ilike, like, regex
from medusa_payments.api.queries.reading import flag, text_in
from medusa_payments.api.queries.values import number, plain_text, time, whole
from medusa_payments.errors import InvalidData
from medusa_payments.money import CURRENCIES_BY_DECIMALS

_MAX_OPERANDS = 1000

_EQUAL = {"$eq": False, "$in": False, "$ne": True, "$nin": True}  # -> whether it is negated
_ORDERED = {"$gt": "gt", "$gte": "gte", "$lt": "lt", "$lte": "lte"}
# Of a column, the name that errors call it by, and the pattern.
_PATTERNS: dict[str, Callable[[str, str, str], Q]] = {
    "$like": like,
    "$ilike": ilike,
    "$re": regex,
    "$contains": contains,
}

Reader = Callable[[str, Any], Any]
Compare = Callable[[str, Any], Q]  # of a lookup and its operand, a list for "in"


def text(column: str) -> Filter:
    return Column(
        kind="string, array", read=plain_text, compare=_compared(column), patterns_of=column
    )


def moment(column: str) -> Filter:
    return Column(kind="date", read=time, compare=_compared(column))


def truth(column: str) -> Filter:
    return Column(kind="boolean", read=flag, compare=_compared(column), is_ordered=False)


def integer(column: str) -> Filter:
    return Column(kind="number", read=whole, compare=_compared(column))


def amount(column: str, *, currency: str = "currency_code") -> Filter:
    """Major units, as everywhere outside; the column is in the smallest units of its currency."""

    def compare(lookup: str, operand: Any) -> Q:
        return any_of(
            Q(**{f"{currency}__in": sorted(codes)})
            & _compared(column)(lookup, _IN_SMALLEST_UNITS[lookup](operand, places))
            for places, codes in CURRENCIES_BY_DECIMALS.items()
        )

    return Column(kind="number", read=number, compare=compare)


def never() -> Filter:
    """When something was deleted that never is: the times are read, and none is its own."""
    return Column(kind="date", read=time, compare=lambda lookup, operand: nothing())


def searched(*columns: str) -> Filter:
    """Text anywhere in one of the columns, in whatever case."""

    def read(name: str, value: Any) -> Q:
        wanted = text_in({name: value}, name) or ""
        return any_of(contains(column, name, wanted, any_case=True) for column in columns)

    return read


def ignored(name: str, value: Any) -> Q:
    return Q()


def _compared(column: str) -> Compare:
    return lambda lookup, operand: Q(**{f"{column}__{lookup}": operand})


def _whole_ones(operands: list[Decimal], places: int) -> list[int]:
    """An amount that is no whole number of smallest units is nobody's."""
    scaled = (operand.scaleb(places) for operand in operands)
    return [int(each) for each in scaled if each == each.to_integral_value()]


_IN_SMALLEST_UNITS: dict[str, Callable[[Any, int], Any]] = {
    "in": _whole_ones,
    "gt": lambda operand, places: math.floor(operand.scaleb(places)),
    "lte": lambda operand, places: math.floor(operand.scaleb(places)),
    "gte": lambda operand, places: math.ceil(operand.scaleb(places)),
    "lt": lambda operand, places: math.ceil(operand.scaleb(places)),
}


@dataclass(frozen=True, kw_only=True)
class Column:
    kind: str  # what an error calls its type
    read: Reader
    compare: Compare
    is_ordered: bool = True
    patterns_of: str = ""

    @property
    def operators(self) -> tuple[str, ...]:
        ordered = _ORDERED if self.is_ordered else ()
        return (*_EQUAL, *ordered, *(_PATTERNS if self.patterns_of else ()))

    def __call__(self, name: str, value: Any) -> Q:
        given = value if isinstance(value, dict) else {"$in": value}
        if not all(operator.startswith("$") for operator in given):
            raise issues.invalid(issues.wrong_type(name, self.kind, value))
        found = Q()
        for operator, operand in given.items():
            found &= self._condition(name, operator, operand)
        return found

    def _condition(self, name: str, operator: str, operand: Any) -> Q:
        if operator in _EQUAL:
            found = self.compare("in", self._operands(name, operand))
            return ~found if _EQUAL[operator] else found
        if operator in _ORDERED and self.is_ordered:
            return self.compare(_ORDERED[operator], self.read(name, operand))
        if operator in _PATTERNS and self.patterns_of:
            return _PATTERNS[operator](self.patterns_of, name, plain_text(name, operand))
        if operator in _ORDERED or operator in _PATTERNS:
            raise InvalidData(f"The operator {operator} cannot be used on '{name}'.")
        return Q()

    def _operands(self, name: str, value: Any) -> list[Any]:
        wanted = value if isinstance(value, list) else [value]
        if len(wanted) > _MAX_OPERANDS:
            raise issues.invalid(issues.too_big(name, _MAX_OPERANDS))
        return [self.read(name, each) for each in wanted]
