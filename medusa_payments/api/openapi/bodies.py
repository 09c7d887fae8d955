"""Bodies of requests, from the tables that they are read by."""

from __future__ import annotations

from collections.abc import Mapping

from medusa_payments.api.bodies import Field
from medusa_payments.api.shapes.schemas import Schema, nullable

_BY_TYPE: dict[str, Schema] = {
    "string": {"type": "string"},
    "number": {"type": "number"},
    "record": {"type": "object"},
}


def schema_of_body(fields: Mapping[str, Field]) -> Schema:
    found: Schema = {
        "type": "object",
        "properties": {name: _schema_of(field) for name, field in fields.items()},
        "additionalProperties": False,
    }
    required = [name for name, field in fields.items() if field.is_required]
    return found | ({"required": required} if required else {})


def _schema_of(field: Field) -> Schema:
    found = dict(_BY_TYPE[field.type])
    if field.is_positive:
        found["exclusiveMinimum"] = 0
    if field.max_length:
        found["maxLength"] = field.max_length
    return nullable(found) if field.is_nullable else found
