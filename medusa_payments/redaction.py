"""The one place that decides which parts of a provider's data may be kept, logged or shown."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

REDACTED = "[redacted]"
CLIENT_SECRET = "client_secret"  # noqa: S105 - its name; a page finishes a payment with it

# client_secret lets anyone finish a payment; the rest is a key of the shop, or card or bank data.
_SECRET_KEYS = frozenset(
    {
        CLIENT_SECRET,
        "api_key",
        "secret_key",
        "webhook_secret",
        "authorization",
        "number",
        "cvc",
        "cvv",
        "exp_month",
        "exp_year",
        "fingerprint",
        "account_number",
        "routing_number",
        "iban",
        "sort_code",
        "bsb_number",
        "payment_method_data",
    }
)

# As in the address that a buyer is sent to: ...?payment_intent_client_secret=pi_1_secret_2
_SECRET_TEXT = re.compile(r"(_secret_)[A-Za-z0-9]+")


def redact(value: Any) -> Any:
    """A copy of JSON-like data without secrets and card data. Safe to call twice."""
    if isinstance(value, Mapping):
        return {
            key: REDACTED if key in _SECRET_KEYS and item not in (None, "") else redact(item)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [redact(item) for item in value]
    if isinstance(value, str):
        return _SECRET_TEXT.sub(rf"\1{REDACTED}", _storable(value))
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def without_client_secret(data: Mapping[str, Any]) -> dict[str, Any]:
    """Session data with which nobody can finish the payment."""
    return {key: value for key, value in data.items() if key != CLIENT_SECRET}


def _storable(text: str) -> str:
    """Without what PostgreSQL refuses to store: a null character, half of a surrogate pair."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
