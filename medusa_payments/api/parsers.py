"""Bodies: JSON read exactly, or refused."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any, NoReturn

from django.http import UnreadablePostError
from rest_framework.request import Request

from medusa_payments.errors import InvalidData

_MAX_DEPTH = 32
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def raw_body(request: Request) -> bytes:
    """The body as it was sent.

    :raises InvalidData: it ended too soon.
    :raises SuspiciousOperation: it is larger than the shop allows.
    """
    try:
        return bytes(request._request.body)
    except UnreadablePostError as error:
        raise InvalidData("The request body ended too soon.") from error


def json_body(request: Request) -> Any:
    """The JSON body; an empty one is ``{}``. Numbers with a decimal point are ``Decimal``.

    :raises InvalidData: not JSON, or what no database can store.
    """
    body = raw_body(request)
    if not body.strip():
        return {}
    try:
        value = json.loads(body, parse_float=Decimal, parse_constant=_refuse_constant)
    except (ValueError, ArithmeticError, RecursionError) as error:
        reason = str(error) if isinstance(error, ValueError) else type(error).__name__
        raise InvalidData(f"The request body is not JSON: {reason}") from error
    _check(value, depth=0)
    return value


def storable(text: str) -> bool:
    """Whether every database takes it: PostgreSQL refuses NUL, all refuse half a character."""
    return _UNSTORABLE.search(text) is None


def plain(value: Any) -> Any:
    """JSON data for a JSON column: there a number is what JavaScript makes of it.

    :raises InvalidData: a number beyond all of JavaScript's.
    """
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, Decimal):
        return _float(value)
    return value


def _float(value: Decimal) -> float:
    number = float(value)
    if number in (float("inf"), float("-inf")):
        raise InvalidData(f"The number {value} is too large.")
    return number


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _check(value: Any, *, depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise InvalidData("The request body is nested too deeply.")
    if isinstance(value, str) and not storable(value):
        raise InvalidData("The request body holds text that cannot be stored.")
    if isinstance(value, dict):
        for key, each in value.items():
            _check(key, depth=depth + 1)
            _check(each, depth=depth + 1)
    elif isinstance(value, list):
        for each in value:
            _check(each, depth=depth + 1)
