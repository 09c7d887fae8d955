"""What works and may not be meant so, found by ``manage.py check``; some of it only with
``--database``, which ``migrate`` uses too, or with ``--deploy``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Info, Tags, register
from django.core.checks import Warning as CheckWarning
from django.db import DatabaseError, connections
from django.utils import timezone

from medusa_payments import settings
from medusa_payments.errors import ConfigurationError
from medusa_payments.models import ProviderCall, RecurringJob
from medusa_payments.operations.database import database_alias
from medusa_payments.providers.base import PaymentProvider
from medusa_payments.providers.registry import get_provider, provider_ids
from medusa_payments.reconciliation.sweep import JOB as SWEEP_JOB

_TAG = "medusa_payments"


@register(_TAG)
def check_atomic_requests(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if not connections.settings[database_alias()].get("ATOMIC_REQUESTS"):
        return []
    return [
        Info(
            "ATOMIC_REQUESTS is on. The API and the admin are prepared for it; a view of your own"
            " that asks a payment provider must be decorated with non_atomic_requests.",
            hint="It is refused with OpenTransaction otherwise, before anything is asked. Silence"
            " this once your views are as they should be.",
            id=f"{_TAG}.I001",
        )
    ]


@register(_TAG)
def check_webhook_secrets(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """A shop with dj-stripe may get its events there: see ``check_events_can_arrive``."""
    if apps.is_installed("djstripe"):
        return []
    return [_without_secret(each) for each in _providers() if not each.accepts_webhooks]


@register(Tags.database)
def check_events_can_arrive(
    app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    if not apps.is_installed("djstripe") or not _is_ours(databases):
        return []
    from medusa_payments.integrations import djstripe

    endpoints = _if_readable(djstripe.endpoints_by_validation)
    if endpoints is None:
        return []
    unsigned, signed = endpoints
    found: list[CheckMessage] = [_validates_nothing(name) for name in unsigned]
    if not signed:
        found += [_without_secret(each) for each in _providers() if not each.accepts_webhooks]
    return found


@register(Tags.database)
def check_sweep(
    app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Quiet where there is nothing to sweep, as before the first payment."""
    if not _is_ours(databases) or not _if_readable(_is_unswept):
        return []
    return [
        CheckWarning(
            f"No sweep has ended within the last {settings.SWEEP_EXPECTED_WITHIN:g} s, so nobody"
            " finds out what became of payments whose answer was lost.",
            hint="Run `manage.py reconcile_payments` every minute, by cron or a worker.",
            id=f"{_TAG}.W003",
        )
    ]


@register(_TAG, deploy=True)
def check_database(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if django_settings.DEBUG or connections[database_alias()].vendor != "sqlite":
        return []
    return [
        CheckWarning(
            "Payments are kept in SQLite, in production.",
            hint="One writer at a time, one machine, no standby: use PostgreSQL or MariaDB.",
            id=f"{_TAG}.W004",
        )
    ]


def _providers() -> Iterator[PaymentProvider]:
    """Those that can be set up; the others are errors of their own."""
    try:
        ids = provider_ids()
    except ConfigurationError:
        return
    for provider_id in ids:
        try:
            yield get_provider(provider_id)
        except ConfigurationError:
            continue


def _without_secret(provider: PaymentProvider) -> CheckMessage:
    return CheckWarning(
        f"{provider.id} has no webhook secret, so every event of it is refused. Payments are then"
        " found out about by lookups alone, which is later.",
        hint="Add the signing secret of the webhook endpoint to its OPTIONS, at Stripe as"
        " WEBHOOK_SECRETS.",
        id=f"{_TAG}.W001",
    )


def _validates_nothing(endpoint: str) -> CheckMessage:
    return CheckWarning(
        f"dj-stripe checks no signature at its webhook endpoint {endpoint}: anybody can send it"
        " events. medusa_payments does not take them over.",
        hint="Set its validation method to verify_signature.",
        id=f"{_TAG}.W002",
    )


def _is_ours(databases: Sequence[str] | None) -> bool:
    return database_alias() in (databases or ())


def _is_unswept() -> bool:
    rows = ProviderCall.objects.using(database_alias())
    jobs = RecurringJob.objects.using(database_alias())
    limit = timezone.now() - timedelta(seconds=float(settings.SWEEP_EXPECTED_WITHIN))
    is_swept = jobs.filter(name=SWEEP_JOB, finished_at__gte=limit).exists()
    return not is_swept and rows.exists()


def _if_readable(read: Callable[[], Any]) -> Any:
    """None before ``migrate``, or where the database does not answer: that is told elsewhere."""
    try:
        return read()
    except DatabaseError:
        return None
