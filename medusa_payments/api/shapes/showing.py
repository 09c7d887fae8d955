"""Loading and showing what a selection names.

What it needs is loaded with one query for each relation in it, however many rows there are.
"""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import Model, Prefetch, QuerySet

from medusa_payments.api.shapes.payments import PAYMENT_SHAPES
from medusa_payments.api.shapes.records import RECORD_SHAPES
from medusa_payments.api.shapes.shape import Relation, Selection, Shape

Row = TypeVar("Row", bound=Model)

SHAPES: dict[str, Shape] = PAYMENT_SHAPES | RECORD_SHAPES


def load(name: str, rows: QuerySet[Row], selection: Selection) -> QuerySet[Row]:
    """``rows`` with everything that showing the selection needs."""
    shape = SHAPES[name]
    for related in dict.fromkeys((*selection, *shape.always)):
        if relation := shape.relations.get(related):
            below = load(relation.to, relation.rows(), selection.get(related, {}))
            rows = rows.prefetch_related(Prefetch(relation.lookup, queryset=below))
    return rows.prefetch_related(*shape.more())


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
