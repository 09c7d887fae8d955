"""What values look like in an answer, as JSON schemas; what a model stores, its fields tell."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeAlias, get_args, get_type_hints

from django.db import models

Schema: TypeAlias = dict[str, Any]
SchemaOf: TypeAlias = "Callable[[type[models.Model]], Schema]"

AMOUNT: Schema = {"type": "number"}
RAW_AMOUNT: Schema = {
    "type": "object",
    "properties": {"value": {"type": "string"}, "precision": {"type": "integer"}},
    "required": ["value", "precision"],
}
NULL: Schema = {"type": "null"}
OBJECT: Schema = {"type": "object"}
OBJECTS: Schema = {"type": "array", "items": OBJECT}
NOTHING_LISTED: Schema = OBJECTS | {"maxItems": 0}

# The first class that a column is of decides.
_BY_FIELD: dict[type[models.Field[Any, Any]], Schema] = {
    models.BooleanField: {"type": "boolean"},
    models.DateTimeField: {"type": "string", "format": "date-time"},
    models.IntegerField: {"type": "integer"},
    models.CharField: {"type": "string"},
    models.TextField: {"type": "string"},
}
_BY_HINT: dict[type, Schema] = {Decimal: AMOUNT, str: {"type": "string"}}


def always(schema: Schema) -> SchemaOf:
    return lambda model: schema


def as_stored(name: str) -> SchemaOf:
    """Of the model's field or property of that name."""
    return lambda model: _of(model, name)


def raw_twin(amount: SchemaOf) -> SchemaOf:
    """Null where the amount is."""
    return lambda model: nullable(RAW_AMOUNT) if "null" in amount(model)["type"] else RAW_AMOUNT


def stated(name: str) -> SchemaOf:
    """Of text that is told as null where it is empty."""

    def schema(model: type[models.Model]) -> Schema:
        found = _of(model, name)
        if "enum" in found:
            found = found | {"enum": [word for word in found["enum"] if word]}
        return nullable(found)

    return schema


def nullable(schema: Schema) -> Schema:
    if "$ref" in schema:
        return {"oneOf": [schema, NULL]}
    found = schema | {"type": [schema["type"], "null"]}
    return found | {"enum": [*schema["enum"], None]} if "enum" in schema else found


def _of(model: type[models.Model], name: str) -> Schema:
    member = getattr(model, name, None)
    if isinstance(member, property):
        return _of_property(member)
    return _of_field(model._meta.get_field(name))


def _of_property(member: property) -> Schema:
    hint = get_type_hints(member.fget)["return"]
    kinds = [kind for kind in get_args(hint) or (hint,) if kind is not type(None)]
    schema = _BY_HINT[kinds[0]]
    return nullable(schema) if type(None) in get_args(hint) else schema


def _of_field(field: Any) -> Schema:
    schema = _of_what_it_holds(field.target_field if field.is_relation else field)
    if field.choices:
        schema = schema | {"enum": [value for value, _ in field.choices]}
    return nullable(schema) if field.null else schema


def _of_what_it_holds(field: Any) -> Schema:
    if isinstance(field, models.JSONField):
        return OBJECTS if field.default is list else OBJECT
    return next(schema for kind, schema in _BY_FIELD.items() if isinstance(field, kind))
