"""Named schemas: one for each shape, for each kind of filter and for each status of an error."""

from __future__ import annotations

from collections.abc import Mapping

from medusa_payments.api.shapes import SHAPES
from medusa_payments.api.shapes.schemas import Schema, nullable
from medusa_payments.api.shapes.shape import Relation, Shape


def reference(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def record(shape: str) -> Schema:
    return reference(name_of(shape))


def name_of(words: str) -> str:
    """``payment_collection`` is called ``PaymentCollection``."""
    return "".join(word.capitalize() for word in words.split("_"))


def with_keys(properties: Mapping[str, Schema]) -> Schema:
    """An object that always has them all."""
    return {"type": "object", "properties": dict(properties), "required": list(properties)}


def schemas_of_records() -> dict[str, Schema]:
    return {name_of(name): _record(shape) for name, shape in SHAPES.items()}


def _record(shape: Shape) -> Schema:
    """Which of its names an answer shows is up to ``fields``; the id is always there."""
    columns = {**shape.columns, **shape.on_request}
    properties = {name: column.schema(shape.model) for name, column in columns.items()}
    related = {name: _related(relation) for name, relation in shape.relations.items()}
    return {
        "type": "object",
        "properties": {**properties, **related, **shape.extras_schema},
        "required": ["id"],
    }


def _related(relation: Relation) -> Schema:
    if relation.is_list:
        return {"type": "array", "items": record(relation.to)}
    return nullable(record(relation.to))
