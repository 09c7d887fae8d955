"""What is wrong with a request, in Medusa's words (CONTRACT section 2)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from medusa_payments.errors import InvalidData

_MAX_SHOWN = 3
_MAX_LENGTH = 200  # of what a caller sent, in the answer


def invalid(*issues: str) -> InvalidData:
    """The error that tells the first three."""
    return InvalidData(f"Invalid request: {'; '.join(issues[:_MAX_SHOWN])}")


def required(name: str) -> str:
    return f"Field '{name}' is required"


def wrong_type(name: str, expected: str, value: Any) -> str:
    return f"Expected type: '{expected}' for field '{name}', got: '{_as_javascript(value)}'"


def too_small(name: str, minimum: int) -> str:
    return f"Value for field '{name}' too small, expected at least: '{minimum}'"


def too_big(name: str, maximum: int) -> str:
    return f"Value for field '{name}' too big, expected at most: '{maximum}'"


def unrecognized(names: Iterable[str]) -> str:
    return f"Unrecognized fields: '{_cut(', '.join(names))}'"


def _as_javascript(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "[object Object]"
    if isinstance(value, list):
        return _cut(",".join(_as_javascript(each) for each in value))
    return _cut(str(value))


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_LENGTH else f"{text[:_MAX_LENGTH]}..."
