"""How each provider answers, as all workers together have seen it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from medusa_payments.errors import ConfigurationError
from medusa_payments.models import ProviderGate
from medusa_payments.operations.database import database_alias
from medusa_payments.providers.registry import get_provider, provider_ids

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class ProviderHealth:
    """``breaker`` is open while the provider is asked nothing, or only once in a while."""

    provider_id: str
    breaker: str  # "closed" or "open"
    open_since: datetime | None
    open_seconds: float | None
    next_try_at: datetime | None
    failures: int  # lookups in a row without an answer
    last_failure: str
    last_failure_at: datetime | None
    last_answer_at: datetime | None
    reads_this_minute: int


def provider_health(*, now: datetime) -> tuple[ProviderHealth, ...]:
    """Of every provider in the settings; those that share an account share its figures."""
    gates = {row.credentials: row for row in ProviderGate.objects.using(database_alias())}
    return tuple(
        _health(provider_id, gates.get(credentials), now=now)
        for provider_id, credentials in _accounts()
    )


def _accounts() -> Iterator[tuple[str, str]]:
    for provider_id in provider_ids():
        try:
            yield provider_id, get_provider(provider_id).credentials
        except ConfigurationError:  # `manage.py check` says what is wrong
            yield provider_id, ""


def _health(provider_id: str, gate: ProviderGate | None, *, now: datetime) -> ProviderHealth:
    gate = gate or ProviderGate()
    is_open = gate.open_until is not None
    since = gate.opened_at if is_open else None
    window = gate.window_started_at
    return ProviderHealth(
        provider_id=provider_id,
        breaker="open" if is_open else "closed",
        open_since=since,
        open_seconds=None if since is None else max(0.0, (now - since).total_seconds()),
        next_try_at=gate.open_until,
        failures=gate.failures,
        last_failure=gate.last_failure,
        last_failure_at=gate.last_failure_at,
        last_answer_at=gate.last_answer_at,
        reads_this_minute=gate.reads if window is not None and now - window < _MINUTE else 0,
    )
