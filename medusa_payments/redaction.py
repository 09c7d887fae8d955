"""The one place that decides which parts of a provider's data may be kept, logged or shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

REDACTED = "[redacted]"

# client_secret lets anyone finish a payment; the rest is card or bank data, or a key of the shop.
_SECRET_KEYS = frozenset(
    """client_secret api_key secret_key webhook_secret number cvc cvv exp_month exp_year account_number
    routing_number iban sort_code bsb_number fingerprint payment_method_data authorization""".split()
)


def redact(value: Any) -> Any:
    """A copy of JSON-like data without secrets and card data. Safe to call twice."""
    if isinstance(value, Mapping):
        return {
            key: REDACTED if key in _SECRET_KEYS and item not in (None, "") else redact(item)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [redact(item) for item in value]
    return value
