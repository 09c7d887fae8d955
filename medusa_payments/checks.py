"""Wrong settings, found by ``manage.py check``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error, register
from django.utils.module_loading import import_string

from medusa_payments import (
    deployment_checks,  # noqa: F401 - registers its checks
    engine_checks,
    settings,
)
from medusa_payments.errors import ConfigurationError, UnsupportedCurrency
from medusa_payments.integrations import workers
from medusa_payments.money import decimals
from medusa_payments.providers.registry import configuration_errors

_RESOLVERS = ("CART_RESOLVER", "REGION_PROVIDER_RESOLVER", "ACCESS_RESOLVER", "CUSTOMER_RESOLVER")
# Not only of the web: an app of a phone has a scheme of its own.
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://([a-z0-9._-]+|\[[0-9a-f:]+\])(:\d+)?")


@register("medusa_payments")
def check_settings(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    try:
        return list(_errors())
    except ConfigurationError as error:
        return [Error(str(error), id="medusa_payments.E001")]


def _errors() -> Iterator[CheckMessage]:
    for name in settings.unknown_names():
        yield Error(f"MEDUSA_PAYMENTS has no setting {name!r}.", id="medusa_payments.E002")
    for text in configuration_errors():
        yield Error(text, id="medusa_payments.E003")
    if settings.WEBHOOK_APPLY not in ("inline", "deferred"):
        yield Error(
            "MEDUSA_PAYMENTS['WEBHOOK_APPLY'] must be 'inline' or 'deferred'.",
            id="medusa_payments.E004",
        )
    for text in workers.problems():
        yield Error(text, id="medusa_payments.E030")
    if not django_settings.USE_TZ:
        yield Error("medusa_payments needs USE_TZ = True.", id="medusa_payments.E005")
    for name in ("SAFE_DELETE_FIELD_NAME", "SAFE_DELETE_CASCADED_FIELD_NAME"):
        if hasattr(django_settings, name):
            yield Error(
                f"{name} renames columns of medusa_payments' tables; remove the setting.",
                id="medusa_payments.E006",
            )
    yield from _key_errors()
    yield from _origin_errors()
    yield from _resolver_errors()
    yield from _currency_errors()
    yield from _number_errors()
    yield from engine_checks.errors()


def _key_errors() -> Iterator[CheckMessage]:
    for name in ("PUBLISHABLE_KEYS", "SECRET_KEYS"):
        keys = getattr(settings, name)
        if isinstance(keys, str) or not all(isinstance(key, str) and key for key in keys):
            yield Error(
                f"MEDUSA_PAYMENTS[{name!r}] must be a list of non-empty keys.",
                id="medusa_payments.E010",
            )


def _origin_errors() -> Iterator[CheckMessage]:
    for name in ("STORE_CORS", "ADMIN_CORS", "AUTH_CORS"):
        origins = getattr(settings, name)
        if isinstance(origins, str) or not all(
            isinstance(origin, str) and _ORIGIN.fullmatch(origin) for origin in origins
        ):
            yield Error(
                f"MEDUSA_PAYMENTS[{name!r}] must be a list of origins, each as a browser sends it:"
                " 'https://shop.example', in small letters, without a path or a final slash.",
                id="medusa_payments.E011",
            )


def _resolver_errors() -> Iterator[CheckMessage]:
    for name in (
        "CART_RESOLVER",
        "REGION_PROVIDER_RESOLVER",
        "ACCESS_RESOLVER",
        "CUSTOMER_RESOLVER",
    ):
        path = getattr(settings, name)
        if path and not _names_a_function(path):
            yield Error(
                f"MEDUSA_PAYMENTS[{name!r}] must be the dotted path of a function.",
                id="medusa_payments.E012",
            )


def _names_a_function(path: Any) -> bool:
    try:
        return isinstance(path, str) and callable(import_string(path))
    except ImportError:
        return False


def _currency_errors() -> Iterator[CheckMessage]:
    code = settings.DEFAULT_CURRENCY
    if not code:
        return
    try:
        decimals(code)
    except UnsupportedCurrency as error:
        yield Error(f"DEFAULT_CURRENCY: {error}", id="medusa_payments.E007")


def _number_errors() -> Iterator[CheckMessage]:
    for name in (
        "NOT_FOUND_HORIZON",
        "LEASE_SECONDS",
        "PENDING_INTERVAL",
        "IDEMPOTENCY_RETENTION",
    ):
        value = getattr(settings, name)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
            yield Error(
                f"MEDUSA_PAYMENTS[{name!r}] must be a number of seconds, 0 or more.",
                id="medusa_payments.E008",
            )
    schedule = settings.RECONCILE_SCHEDULE
    if not schedule or any(isinstance(s, bool) or s <= 0 for s in schedule):
        yield Error(
            "MEDUSA_PAYMENTS['RECONCILE_SCHEDULE'] must be a non-empty list of positive seconds.",
            id="medusa_payments.E009",
        )
