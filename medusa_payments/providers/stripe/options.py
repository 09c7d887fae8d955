"""The options of a Stripe provider, read and checked."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from medusa_payments.errors import ConfigurationError

_CONNECT_TIMEOUT = 3.05  # a little over the 3 s after which a lost packet is sent again
_API_KEY = re.compile(r"(sk|rk)_[!-~]+")
_ACCOUNT_ID = re.compile(r"acct_[!-~]+")
_CAPTURE_METHODS = ("manual", "automatic")
_STORE_DATA_KEYS = (
    "payment_method",
    "payment_method_types",
    "setup_future_usage",
    "return_url",
    "metadata",
)


@dataclass(frozen=True, kw_only=True)
class StripeOptions:
    """Times in seconds."""

    api_key: str = field(repr=False)
    publishable_key: str = ""
    webhook_secrets: tuple[str, ...] = field(default=(), repr=False)
    api_base: str = ""  # empty: Stripe's own
    account_id: str = ""
    capture: str = "manual"
    read_timeout: float = 20.0  # one attempt's wait for an answer
    total_budget: float = 50.0  # all attempts of one call
    automatic_payment_methods: bool = False
    payment_method_configuration: str = ""
    payment_description: str = ""
    oxxo_expires_days: int = 3
    store_data_keys: tuple[str, ...] = _STORE_DATA_KEYS

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> StripeOptions:
        """:raises ConfigurationError: an option is missing, unknown or cannot work."""
        if not isinstance(options, Mapping):
            raise ConfigurationError("OPTIONS must be a dictionary.")
        if unknown := sorted(set(options) - set(_READERS)):
            raise ConfigurationError(f"Stripe has no option {', '.join(map(str, unknown))}.")
        if "API_KEY" not in options:
            raise ConfigurationError("The option API_KEY, Stripe's secret key, is missing.")
        return cls(**{name.lower(): _READERS[name](name, value) for name, value in options.items()})

    @property
    def connect_timeout(self) -> float:
        return min(_CONNECT_TIMEOUT, self.read_timeout)

    @property
    def livemode(self) -> bool:
        return self.api_key.startswith(("sk_live_", "rk_live_"))

    @property
    def credentials(self) -> str:
        return f"stripe:{self.account_id or sha256(self.api_key.encode()).hexdigest()[:12]}"


def _wrong(name: str, wanted: str) -> ConfigurationError:
    """Never shows the value: it may be a secret in the wrong place."""
    return ConfigurationError(f"The option {name} must be {wanted}.")


def _api_key(name: str, value: Any) -> str:
    if not isinstance(value, str) or not _API_KEY.fullmatch(value):
        raise _wrong(name, "a secret or restricted key of Stripe, which begins with sk_ or rk_")
    return value


def _account_id(name: str, value: Any) -> str:
    text = _text(name, value)
    if text and not _ACCOUNT_ID.fullmatch(text):
        raise _wrong(name, "an account id of Stripe, which begins with acct_, or empty")
    return text


def _api_base(name: str, value: Any) -> str:
    address = _text(name, value).rstrip("/")
    parts = urlsplit(address)
    if address and (
        parts.scheme not in ("http", "https") or not parts.netloc or parts.path or parts.query
    ):
        raise _wrong(name, "an http or https origin without a path, such as http://127.0.0.1:9210")
    return address


def _capture(name: str, value: Any) -> str:
    if value not in _CAPTURE_METHODS:
        raise _wrong(name, "'manual' or 'automatic'")
    return str(value)


def _secrets(name: str, value: Any) -> tuple[str, ...]:
    """Empty ones are left out: anyone could sign with them."""
    return tuple(secret for secret in _texts(name, value) if secret)


def _texts(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple, set, frozenset)) or not all(
        isinstance(each, str) for each in value
    ):
        raise _wrong(name, "a list or tuple of strings")
    return tuple(value)


def _text(name: str, value: Any) -> str:
    if value is not None and not isinstance(value, str):
        raise _wrong(name, "a string")
    return value or ""


def _seconds(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 3600:
        raise _wrong(name, "a number of seconds, above 0 and below 3600")
    return float(value)


def _days(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= 7:
        raise _wrong(name, "a whole number of days from 1 to 7")
    return value


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _wrong(name, "True or False")
    return value


_READERS: dict[str, Callable[[str, Any], Any]] = {
    "API_KEY": _api_key,
    "PUBLISHABLE_KEY": _text,
    "WEBHOOK_SECRETS": _secrets,
    "API_BASE": _api_base,
    "ACCOUNT_ID": _account_id,
    "CAPTURE": _capture,
    "READ_TIMEOUT": _seconds,
    "TOTAL_BUDGET": _seconds,
    "AUTOMATIC_PAYMENT_METHODS": _flag,
    "PAYMENT_METHOD_CONFIGURATION": _text,
    "PAYMENT_DESCRIPTION": _text,
    "OXXO_EXPIRES_DAYS": _days,
    "STORE_DATA_KEYS": _texts,
}
