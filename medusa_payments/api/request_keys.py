"""The Idempotency-Key header, and what it is the key of."""

from __future__ import annotations

import hashlib
import json
import re
from decimal import Decimal
from typing import Any

from rest_framework.request import Request

from medusa_payments.api.parsers import json_body
from medusa_payments.errors import InvalidData

_KEY = re.compile(r"[\x20-\x7e]{1,255}")


def request_key(request: Request) -> str:
    """The key that names the act for its caller; empty without one.

    :raises InvalidData: no database could compare it exactly.
    """
    key = request.headers.get("Idempotency-Key", "").strip(" ")
    if key and not _KEY.fullmatch(key):
        raise InvalidData(
            "An Idempotency-Key has at most 255 characters, all of them printable ASCII; a random"
            " UUID is a good one."
        )
    return key


def request_digest(request: Request) -> str:
    """Equal for equal requests: route, query and body, however the body's JSON is laid out.

    :raises InvalidData: the body is not JSON.
    """
    asked = [request.path.rstrip("/"), request.META["QUERY_STRING"], json_body(request)]
    text = json.dumps(_canonical(asked), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _canonical(value: Any) -> Any:
    """Equal for equal JSON. A string begins with a quotation mark, so that it is no number."""
    if isinstance(value, dict):
        return {name: _canonical(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_canonical(each) for each in value]
    if isinstance(value, str):
        return f'"{value}'
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return _number(Decimal(value))
    return value


def _number(value: Decimal) -> str:
    """All of its digits, without zeros at the end; ``normalize`` would round."""
    digits, _, exponent = f"{value:e}".partition("e")  # 5.50e+1
    return f"{digits.rstrip('0').rstrip('.')}e{exponent}" if value else "0"
