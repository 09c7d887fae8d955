"""The shop's settings: ``settings.NAME`` reads ``settings.MEDUSA_PAYMENTS["NAME"]`` where used,
so that ``override_settings`` works. Wrong values are found by ``manage.py check``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from django.conf import settings as django_settings

from medusa_payments.errors import ConfigurationError


@dataclass(frozen=True)
class Settings:
    """Every setting with its default."""

    # Provider id -> {"BACKEND": dotted path, "OPTIONS": {...}}.
    PROVIDERS: Mapping[str, Mapping[str, Any]] = field(
        default_factory=lambda: {
            "pp_system_default": {"BACKEND": "medusa_payments.providers.system.SystemProvider"}
        }
    )
    # Dotted path of f(cart_id, request) -> {"amount": Decimal, "currency_code": str} or None.
    CART_RESOLVER: str = ""
    # Dotted path of f(request) -> {"id": str, "email": str, ...} of the customer who is logged in,
    # or None; empty: payments are nobody's in particular.
    CUSTOMER_RESOLVER: str = ""
    # Dotted path of f(region_id) -> iterable of provider ids; empty: every enabled provider.
    REGION_PROVIDER_RESOLVER: str = ""
    # Currency of an admin collection that names none; empty: it must name one.
    DEFAULT_CURRENCY: str = ""
    # Accepted keys, plain text: publishable ones open /store, secret ones /admin.
    PUBLISHABLE_KEYS: tuple[str, ...] = ()
    SECRET_KEYS: tuple[str, ...] = ()
    # Dotted path of f(request, collection) -> bool, asked before a buyer pays or sees a collection;
    # empty: whoever knows its id may.
    ACCESS_RESOLVER: str = ""
    # Origins, such as "https://shop.example", whose pages may ask /store, /admin and /auth.
    STORE_CORS: tuple[str, ...] = ()
    ADMIN_CORS: tuple[str, ...] = ()
    AUTH_CORS: tuple[str, ...] = ()
    # Seconds after a call's last send before a listing without its object is believed.
    NOT_FOUND_HORIZON: float = 3600.0
    # Seconds that a call may stay open before anyone may finish it; 0: derived from the provider.
    LEASE_SECONDS: float = 0.0
    # "inline": applied before the 200 is sent; "deferred": by a worker or the sweep.
    WEBHOOK_APPLY: str = "inline"
    # Who applies what is deferred: "celery" or "django_tasks"; empty: the sweep alone.
    WORKER: str = ""
    # Seconds from one look to the next while a call's outcome is not known.
    RECONCILE_SCHEDULE: tuple[float, ...] = (10, 60, 300, 900, 3600, 21600, 86400)
    # Seconds between looks at what is known to take long: pending refunds, processing payments.
    PENDING_INTERVAL: float = 86400.0
    # What the sweep may undo by itself: the first policy that fits decides, and without one it
    # acts. {"MODE": "observe" | "propose" | "act"} and any of "PROVIDER", "KIND" ("cancel",
    # "refund" or "ghost"), "ABOVE" ({"eur": Decimal}, major units), "OLDER_THAN" (seconds).
    POLICIES: tuple[Mapping[str, Any], ...] = ()
    # How much it may undo by itself: {"RUN": {...}, "DAY": {...}}, each with any of "ACTS" (a
    # number) and "AMOUNT" ({"eur": Decimal}, major units). What is beyond waits for a person.
    CAPS: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    # {"eur": Decimal}, major units: above it an approval or a verdict takes two persons.
    TWO_PERSONS_ABOVE: Mapping[str, Any] = field(default_factory=dict)
    # A session that was set aside and paid all the same: "refund", or "adopt" when its collection
    # is still unpaid and the amount is equal.
    LATE_SUCCESS: str = "refund"
    # Reads that all sweeps together may ask of one account at a provider within a minute.
    READS_PER_MINUTE: int = 600
    # Reads in a row without an answer that open a provider's breaker, and the seconds that it
    # then stays open: the last repeats.
    BREAKER_FAILURES: int = 3
    BREAKER_SCHEDULE: tuple[float, ...] = (30, 60, 120, 300)
    # Seconds that a breaker may be open before a person is told.
    OUTAGE_ALERT: float = 3600.0
    # Seconds within which an uncertain outcome should be known.
    RESOLUTION_OBJECTIVE: float = 7200.0
    # Seconds without a sweep after which the health check degrades.
    SWEEP_EXPECTED_WITHIN: float = 600.0
    # Seconds that the answer to a request with an Idempotency-Key is kept.
    IDEMPOTENCY_RETENTION: float = 86400.0


def _current() -> Mapping[str, Any]:
    configured = getattr(django_settings, "MEDUSA_PAYMENTS", {})
    if not isinstance(configured, Mapping):
        raise ConfigurationError("The setting MEDUSA_PAYMENTS must be a dictionary.")
    return configured


_NAMES = frozenset(each.name for each in fields(Settings))
_DEFAULTS = Settings()


def unknown_names() -> list[str]:
    """Names in MEDUSA_PAYMENTS that are no setting of ours."""
    return sorted(set(_current()) - _NAMES)


def __getattr__(name: str) -> Any:
    if name not in _NAMES:
        raise AttributeError(name)
    return _current().get(name, getattr(_DEFAULTS, name))
