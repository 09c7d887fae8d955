"""What a record looks like outside: a table of columns and relations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

from django.db.models import Model, Prefetch, QuerySet

from medusa_payments.api.shapes.schemas import Schema, SchemaOf
from medusa_payments.operations.database import database_alias

Selection = dict[str, "Selection"]
Prefetches: TypeAlias = "tuple[Prefetch[Any, Any, Any], ...]"
Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class Column:
    """How its value is read from a row, and what that looks like."""

    read: Callable[[Any], Any]
    schema: SchemaOf


@dataclass(frozen=True, kw_only=True)
class Relation:
    """``lookup`` is its name in the model; ``rows`` are those of all rows that it may show."""

    to: str
    lookup: str
    rows: Callable[[], QuerySet[Any]]
    is_list: bool = False
    can_be: Callable[[Any], bool] = lambda row: True  # False: nobody need look for it

    def read(self, row: Any) -> Any:
        if not self.can_be(row):
            return None
        related = getattr(row, self.lookup, None)
        return list(related.all()) if self.is_list and related is not None else related


@dataclass(frozen=True, kw_only=True)
class Shape:
    model: type[Model]
    columns: Mapping[str, Column]
    relations: Mapping[str, Relation] = field(default_factory=dict)
    on_request: Mapping[str, Column] = field(default_factory=dict)  # not part of "*"
    starred: tuple[str, ...] = ()  # relations, with all their columns, that "*" brings along
    always: tuple[str, ...] = ()  # relations that ``extras`` need
    more: Callable[[], Prefetches] = lambda: ()  # and what they need of those
    extras: Callable[[Any], dict[str, Any]] = lambda row: {}
    extras_schema: Mapping[str, Schema] = field(default_factory=dict)
    is_hidden: Callable[[Any], bool] = lambda row: False  # of which only the id is shown

    def column(self, name: str) -> Column | None:
        return self.columns.get(name) or self.on_request.get(name)


def stored(model: type[Row], manager: str = "objects") -> QuerySet[Row]:
    """Rows of the database that payments are written in: an answer shows what it has done."""
    rows: QuerySet[Row] = getattr(model, manager).using(database_alias())
    return rows
