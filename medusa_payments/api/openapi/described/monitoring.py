"""The health of payments; the schema is that of the dataclasses that are shown."""

from __future__ import annotations

import types
from dataclasses import is_dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Union, get_args, get_origin, get_type_hints

from rest_framework.exceptions import AuthenticationFailed

from medusa_payments.api.openapi.components import with_keys
from medusa_payments.api.openapi.description import Description
from medusa_payments.api.shapes.schemas import OBJECT, Schema, nullable
from medusa_payments.api.views.health import Health as HealthView
from medusa_payments.reconciliation.health import Health, HealthStatus, Problem

_PLAIN: dict[Any, Schema] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    Decimal: {"type": "number"},
    datetime: {"type": "string", "format": "date-time"},
    Any: {},
}


def _schema_of(hint: Any) -> Schema:
    if is_dataclass(hint):
        return with_keys({name: _schema_of(each) for name, each in get_type_hints(hint).items()})
    if get_origin(hint) in (Union, types.UnionType):
        (told,) = (each for each in get_args(hint) if each is not type(None))
        return nullable(_schema_of(told))
    if get_origin(hint) is tuple:
        return {"type": "array", "items": _schema_of(get_args(hint)[0])}
    if get_origin(hint) is dict:
        return OBJECT | {"additionalProperties": _schema_of(get_args(hint)[1])}
    return dict(_PLAIN[hint])


def _answer() -> Schema:
    figures: Schema = _schema_of(Health)
    always = {"status": {"type": "string", "enum": [each.value for each in HealthStatus]}}
    shown = {"problems": _schema_of(tuple[Problem, ...]), **figures["properties"]}
    return {"type": "object", "properties": always | shown, "required": list(always)}


MONITORING: dict[type[Any], dict[str, Description]] = {
    HealthView: {
        "get": Description(
            name="health_get",
            summary="Tell how payments stand",
            note=(
                "Everybody is told `status`. A secret key, or a member of the staff with the"
                " permission `view_discrepancy`, is told the figures too. Asks no provider."
            ),
            answer=_answer(),
            answers_with={"503": "Somebody must look now; `status` is `failing`."},
            refusals=(AuthenticationFailed,),
        )
    },
}
