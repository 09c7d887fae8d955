"""Loading and showing what a selection names.

What it needs is loaded with one query for each relation in it, however many rows there are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.db.models import Model, Prefetch, QuerySet, prefetch_related_objects

from medusa_payments.api.shapes.payments import PAYMENT_SHAPES
from medusa_payments.api.shapes.records import RECORD_SHAPES
from medusa_payments.api.shapes.shape import Relation, Selection, Shape

Row = TypeVar("Row", bound=Model)

SHAPES: dict[str, Shape] = PAYMENT_SHAPES | RECORD_SHAPES


def load(name: str, rows: QuerySet[Row], selection: Selection) -> QuerySet[Row]:
    """``rows`` with everything that showing the selection needs."""
    return rows.prefetch_related(*_needed(SHAPES[name], selection, lambda relation: True))


def complete(name: str, row: Row, selection: Selection) -> Row:
    """A row in hand, with everything else that showing the selection needs."""
    needed = _needed(SHAPES[name], selection, lambda relation: relation.can_be(row))
    prefetch_related_objects([row], *needed)
    return row


def _needed(
    shape: Shape, selection: Selection, is_needed: Callable[[Relation], bool]
) -> list[Prefetch[Any, Any, Any]]:
    relations = {name: shape.relations.get(name) for name in (*selection, *shape.always)}
    return [
        Prefetch(
            relation.lookup, queryset=load(relation.to, relation.rows(), selection.get(name, {}))
        )
        for name, relation in relations.items()
        if relation is not None and is_needed(relation)
    ] + list(shape.more())


def show(name: str, row: Any, selection: Selection) -> dict[str, Any]:
    shape = SHAPES[name]
    if shape.is_hidden(row):
        return {"id": row.pk}
    shown: dict[str, Any] = {}
    for key, below in selection.items():
        if column := shape.column(key):
            shown[key] = column.read(row)
        elif relation := shape.relations.get(key):
            shown[key] = _show_related(relation, row, below)
    return shown | shape.extras(row)


def _show_related(relation: Relation, row: Any, selection: Selection) -> Any:
    related = relation.read(row)
    if relation.is_list:
        return [show(relation.to, each, selection) for each in related]
    return None if related is None else show(relation.to, related, selection)
