"""Which registered providers may start new payments. Work on existing ones never stops."""

from __future__ import annotations

from medusa_payments.errors import UnknownProvider
from medusa_payments.models import PaymentProvider
from medusa_payments.operations.database import database_alias
from medusa_payments.providers.base import PaymentProvider as Provider
from medusa_payments.providers.registry import get_provider, provider_ids


def get_enabled_provider(provider_id: str) -> Provider:
    """
    :raises UnknownProvider: not registered, or switched off by an operator.
    """
    provider = get_provider(provider_id)
    if provider.id in _switched_off():
        raise UnknownProvider(provider_id=provider_id)
    return provider


def enabled_provider_ids() -> list[str]:
    switched_off = _switched_off()
    return [provider_id for provider_id in provider_ids() if provider_id not in switched_off]


def enable_provider(provider_id: str) -> None:
    """Let a registered provider start new payments again. Safe to repeat.

    :raises UnknownProvider: not registered.
    """
    _switch(provider_id, is_enabled=True)


def disable_provider(provider_id: str) -> None:
    """Let a registered provider start no new payments. Safe to repeat.

    :raises UnknownProvider: not registered.
    """
    _switch(provider_id, is_enabled=False)


def _switch(provider_id: str, *, is_enabled: bool) -> None:
    rows = PaymentProvider.objects.using(database_alias())
    rows.update_or_create(pk=get_provider(provider_id).id, defaults={"is_enabled": is_enabled})


def _switched_off() -> set[str]:
    rows = PaymentProvider.objects.using(database_alias()).filter(is_enabled=False)
    return set(rows.values_list("pk", flat=True))
