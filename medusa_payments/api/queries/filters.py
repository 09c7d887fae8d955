"""A query's filters as one condition: a table says what each name means.

Nothing of the query becomes SQL but operands, which are passed as parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from django.db.models import Q

from medusa_payments.api import issues
from medusa_payments.errors import InvalidData

# What a name in the table makes of its value; the first argument is what errors call it.
Filter: TypeAlias = "Callable[[str, Any], Q]"

COMBINED = ("$and", "$or")
# SQLite nests what is combined, up to 1000 levels.
_MAX_CONDITIONS = 200
# Each is tried on every row, without an index.
_MAX_REGULAR_EXPRESSIONS = 10


def read_filters(query: Mapping[str, Any], filters: Mapping[str, Filter]) -> Q:
    """What is neither in the table nor ``$and`` or ``$or`` is somebody else's.

    :raises InvalidData: a value of the wrong kind, an unknown name below $and and $or, or more
        conditions than a database takes or soon answers.
    """
    return _Reader(filters).all_of(query, path=())


def nothing() -> Q:
    return Q(pk__in=())


class _Reader:
    def __init__(self, filters: Mapping[str, Filter]) -> None:
        self._filters = filters
        self._conditions = 0
        self._regular_expressions = 0

    def all_of(self, given: Mapping[str, Any], *, path: tuple[str, ...]) -> Q:
        found = Q()
        for name, value in given.items():
            if name in COMBINED:
                found &= self._combined(value, path=(*path, name))
            elif name in self._filters:
                self._count(value)
                found &= self._filters[name](", ".join((*path, name)), value)
        return found

    def _combined(self, value: Any, *, path: tuple[str, ...]) -> Q:
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            raise issues.invalid(issues.wrong_type(", ".join(path), "array", value))
        known = (*self._filters, *COMBINED)
        if unknown := [key for each in value for key in each if key not in known]:
            raise issues.invalid(issues.unrecognized(", ".join((*path, key)) for key in unknown))
        parts = [self.all_of(each, path=path) for each in value]
        return any_of(parts) if path[-1] == "$or" else _all_of(parts)

    def _count(self, value: Any) -> None:
        self._conditions += 1
        if self._conditions > _MAX_CONDITIONS:
            raise InvalidData(f"A query has at most {_MAX_CONDITIONS} conditions; send fewer.")
        if isinstance(value, dict) and "$re" in value:
            self._regular_expressions += 1
        if self._regular_expressions > _MAX_REGULAR_EXPRESSIONS:
            raise InvalidData(
                f"A query has at most {_MAX_REGULAR_EXPRESSIONS} conditions with $re; send fewer."
            )


def any_of(parts: Iterable[Q]) -> Q:
    found = Q()
    for part in parts:
        found |= part
    return found


def _all_of(parts: Iterable[Q]) -> Q:
    found = Q()
    for part in parts:
        found &= part
    return found
