"""Which providers the shop has set up: built from ``settings.PROVIDERS`` when first asked for."""

from __future__ import annotations

from collections.abc import Mapping
from threading import RLock
from typing import Any

from django.core.signals import setting_changed
from django.utils.module_loading import import_string

from medusa_payments import settings
from medusa_payments.errors import ConfigurationError, UnknownProvider
from medusa_payments.providers.base import PaymentProvider

PREFIX = "pp_"

_providers: dict[str, PaymentProvider] = {}
_lock = RLock()


def get_provider(provider_id: str) -> PaymentProvider:
    """The provider of this id, with or without ``pp_``; the same object at every call.

    :raises UnknownProvider: the shop has set up no provider of this id.
    :raises ConfigurationError: its set-up cannot work.
    """
    provider_id = full_id(provider_id)
    if found := _providers.get(provider_id):
        return found
    with _lock:
        if provider_id not in _providers:
            _providers[provider_id] = _build(provider_id)
        return _providers[provider_id]


def full_id(provider_id: str) -> str:
    """The id with ``pp_``, whether or not there is such a provider."""
    return provider_id if provider_id.startswith(PREFIX) else PREFIX + provider_id


def provider_ids() -> tuple[str, ...]:
    """Ids of all providers in the settings, in their order, whether or not their set-up works."""
    return tuple(_set_ups())


def provider_ids_with(credentials: str) -> set[str]:
    """Ids of the providers that share an account, and so its objects and events."""
    return {each for each in provider_ids() if _credentials_of(each) == credentials}


def configuration_errors() -> list[str]:
    """What is wrong with ``settings.PROVIDERS``, one sentence for each fault. Asks no provider."""
    try:
        ids = provider_ids()
    except ConfigurationError as error:
        return [error.message]
    return [fault for provider_id in ids if (fault := _fault_of(provider_id))]


def clear() -> None:
    """Forget all built providers, so that they are built from the present settings."""
    with _lock:
        _providers.clear()


def _set_ups() -> dict[str, Any]:
    configured = settings.PROVIDERS
    if not isinstance(configured, Mapping):
        raise ConfigurationError("The setting PROVIDERS must be a dictionary of provider ids.")
    return {full_id(provider_id): set_up for provider_id, set_up in configured.items()}


def _build(provider_id: str) -> PaymentProvider:
    set_ups = _set_ups()
    if provider_id not in set_ups:
        raise UnknownProvider(provider_id=provider_id)
    backend = _backend(provider_id, set_ups[provider_id])
    return backend(provider_id, set_ups[provider_id].get("OPTIONS", {}))


def _backend(provider_id: str, set_up: Any) -> type[PaymentProvider]:
    path = set_up.get("BACKEND") if isinstance(set_up, Mapping) else None
    if not isinstance(path, str):
        raise ConfigurationError(f"PROVIDERS[{provider_id!r}] needs a BACKEND, a dotted path.")
    try:
        backend = import_string(path)
    except ImportError as error:
        raise ConfigurationError(
            f"PROVIDERS[{provider_id!r}]: cannot import {path}: {error}"
        ) from error
    if not (isinstance(backend, type) and issubclass(backend, PaymentProvider)):
        raise ConfigurationError(f"PROVIDERS[{provider_id!r}]: {path} is no PaymentProvider.")
    return backend


def _credentials_of(provider_id: str) -> str:
    """Empty for one whose set-up does not work; that is told by the checks."""
    try:
        return get_provider(provider_id).credentials
    except ConfigurationError:
        return ""


def _fault_of(provider_id: str) -> str:
    try:
        get_provider(provider_id)
    except ConfigurationError as error:
        return f"{provider_id}: {error.message}"
    return ""


def _forget_when_settings_change(*, setting: str, **_: Any) -> None:
    if setting == "MEDUSA_PAYMENTS":
        clear()


setting_changed.connect(
    _forget_when_settings_change, dispatch_uid="medusa_payments.providers.registry"
)
