"""Strict request bodies: each is a table of fields, and what is not in it is refused.

DRF's serializers cannot say what is wrong in Medusa's words, and would take "5" for 5.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from rest_framework.request import Request

from medusa_payments.api import issues
from medusa_payments.api.parsers import json_body, plain

_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, Decimal),
    "record": (dict,),
}
_READERS = {"number": Decimal, "record": plain}


@dataclass(frozen=True, kw_only=True)
class Field:
    type: str  # Medusa's name of it
    is_required: bool = False
    is_positive: bool = False
    is_nullable: bool = False
    max_length: int = 0  # 0: any

    def issue(self, name: str, value: Any) -> str:
        """What is wrong with the value; empty if nothing is."""
        if value is None and self.is_nullable:
            return ""
        if not self._is_of_type(value):
            return issues.wrong_type(name, self.type, value)
        if self.is_positive and value <= 0:
            return issues.too_small(name, 0)
        if self.max_length and len(value) > self.max_length:
            return issues.too_big(name, self.max_length)
        return ""

    def read(self, value: Any) -> Any:
        if value is None:
            return None
        return _READERS.get(self.type, lambda given: given)(value)

    def _is_of_type(self, value: Any) -> bool:
        return isinstance(value, _PYTHON_TYPES[self.type]) and not isinstance(value, bool)


def identifier(*, is_required: bool = False) -> Field:
    """As long as the column that it is looked up in."""
    return Field(type="string", is_required=is_required, max_length=255)


def amount(*, is_required: bool = False) -> Field:
    return Field(type="number", is_required=is_required, is_positive=True)


def read_body(request: Request, fields: Mapping[str, Field]) -> dict[str, Any]:
    """The body's fields. Those that were not sent are absent.

    :raises InvalidData: anything in it is not as the table says.
    """
    given = json_body(request)
    if not isinstance(given, dict):
        raise issues.invalid(issues.wrong_type("", "object", given))
    if found := _issues(given, fields):
        raise issues.invalid(*found)
    return {name: fields[name].read(value) for name, value in given.items()}


def _issues(given: Mapping[str, Any], fields: Mapping[str, Field]) -> list[str]:
    found = []
    for name, field in fields.items():
        if name in given:
            found.append(field.issue(name, given[name]))
        elif field.is_required:
            found.append(issues.required(name))
    if unknown := [name for name in given if name not in fields]:
        found.append(issues.unrecognized(unknown))
    return [issue for issue in found if issue]
