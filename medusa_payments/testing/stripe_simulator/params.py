"""Reading one request's parameters, with Stripe's complaints where they are wrong."""

import re
from collections.abc import Collection
from typing import Any

from .errors import JsonObject, invalid_parameter, missing_parameter, unknown_parameter

_INTEGER = re.compile(r"^-?\d+$")
_FLAGS = {"true": True, "false": False}
_METADATA_KEYS = 50
_METADATA_KEY_LENGTH = 40
_METADATA_VALUE_LENGTH = 500


class Params:
    """The parameters of one call; `""` is Stripe's way to unset a value and reads as `None`."""

    def __init__(self, values: JsonObject) -> None:
        self.values = values

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def accept_only(self, names: Collection[str]) -> None:
        for name in self.values:
            if name not in names:
                raise unknown_parameter(name)

    def text(self, name: str) -> str | None:
        value = self.values.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise invalid_parameter(f"Invalid string: {value}", param=name)
        return value

    def required_text(self, name: str) -> str:
        value = self.text(name)
        if value is None:
            raise _absent(name, self.values)
        return value

    def integer(self, name: str) -> int | None:
        value = self.values.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, str) or not _INTEGER.match(value):
            message = f"Invalid integer: {value}"
            raise invalid_parameter(message, param=name, code="parameter_invalid_integer")
        return int(value)

    def required_integer(self, name: str) -> int:
        value = self.integer(name)
        if value is None:
            raise _absent(name, self.values)
        return value

    def flag(self, name: str) -> bool | None:
        value = self.values.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, str) or value not in _FLAGS:
            raise invalid_parameter(f"Invalid boolean: {value}", param=name)
        return _FLAGS[value]

    def choice(self, name: str, choices: Collection[str]) -> str | None:
        value = self.text(name)
        if value is not None and value not in choices:
            message = f"Invalid {name}: must be one of {', '.join(sorted(choices))}"
            raise invalid_parameter(message, param=name)
        return value

    def mapping(self, name: str) -> JsonObject | None:
        value = self.values.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, dict):
            raise invalid_parameter("Invalid object", param=name)
        return value

    def texts(self, name: str) -> list[str]:
        value = self.values.get(name)
        if value is None or value == "":
            return []
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise invalid_parameter("Invalid array", param=name)
        return value


def merged_metadata(current: dict[str, str], params: Params) -> dict[str, str]:
    """Metadata after this call: a key given empty is removed, and `""` removes all."""
    if "metadata" not in params:
        return current
    if params.values["metadata"] == "":
        return {}
    given = params.mapping("metadata") or {}
    for key, value in given.items():
        _check_pair(key, value)
    merged = {key: value for key, value in (current | given).items() if value != ""}
    if len(merged) > _METADATA_KEYS:
        message = f"You may only specify up to {_METADATA_KEYS} metadata keys."
        raise invalid_parameter(message, param="metadata")
    return merged


def _check_pair(key: str, value: Any) -> None:
    param = f"metadata[{key}]"
    if not isinstance(value, str):
        raise invalid_parameter("Metadata values must be strings.", param=param)
    if len(key) > _METADATA_KEY_LENGTH:
        message = f"Metadata keys must be at most {_METADATA_KEY_LENGTH} characters."
        raise invalid_parameter(message, param=param)
    if len(value) > _METADATA_VALUE_LENGTH:
        message = f"Metadata values must be at most {_METADATA_VALUE_LENGTH} characters."
        raise invalid_parameter(message, param=param)


def _absent(name: str, values: JsonObject) -> Exception:
    if name in values:
        message = f"You passed an empty string for '{name}'."
        return invalid_parameter(message, param=name, code="parameter_invalid_empty")
    return missing_parameter(name)
