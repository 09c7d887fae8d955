"""Events that dj-stripe received, fed into our intake.

A shop that already points Stripe at dj-stripe changes nothing; one that points it at both gets
each event once. dj-stripe sends ``webhook_post_process`` inside its own transaction: there we only
insert, under a savepoint, and apply once that transaction has committed. It sends
``webhook_processing_error`` after it has rolled back, our insert included.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from django.conf import settings as django_settings
from django.db import DatabaseError, IntegrityError, connections, router, transaction
from django.utils.datastructures import CaseInsensitiveMapping
from djstripe import signals
from djstripe.enums import WebhookEndpointValidation
from djstripe.models import WebhookEndpoint

from medusa_payments.errors import ConfigurationError
from medusa_payments.models import WebhookEvent
from medusa_payments.operations.database import database_alias, patiently
from medusa_payments.operations.webhooks import announce, event_from
from medusa_payments.providers.registry import get_provider, provider_ids
from medusa_payments.providers.stripe import StripeProvider

logger = logging.getLogger("medusa_payments")


def connect() -> None:
    signals.webhook_post_process.connect(
        take_over, dispatch_uid="medusa_payments.webhook_post_process"
    )
    signals.webhook_processing_error.connect(
        take_over_failed, dispatch_uid="medusa_payments.webhook_processing_error"
    )


def take_over(sender: Any, instance: Any, api_key: str = "", **kwargs: Any) -> None:
    """Store the event of ``instance``, a WebhookEventTrigger; apply it when dj-stripe commits.

    :raises DatabaseError: dj-stripe's transaction is lost already. Nothing that is registered for
        its commit would run, and without an error dj-stripe could answer 200 to an event that
        nobody has stored.
    """
    event = _event_of(instance, api_key)
    if event is None:
        return
    try:
        if not _insert(event):
            return
    except DatabaseError:
        if connections[database_alias()].needs_rollback:
            raise
        logger.warning("An event could not be stored beside dj-stripe's; trying after its commit")
    # dj-stripe's transaction is on the default database, wherever our tables are.
    transaction.on_commit(lambda: _store_and_announce(event))


def take_over_failed(sender: Any, instance: Any, api_key: str = "", **kwargs: Any) -> None:
    """Store and apply an event that was signed, although dj-stripe could not process it.

    Raises nothing: dj-stripe answers 500 to it anyway, and still has its own error to store.
    """
    event = _event_of(instance, api_key)
    if event is None:
        return
    try:
        transaction.on_commit(lambda: _store_and_announce(event))
    except DatabaseError:
        logger.exception("An event that dj-stripe could not process could not be stored")


def _store_and_announce(event: WebhookEvent) -> None:
    """Raises what the database raises, so that dj-stripe answers 500 and Stripe sends it again.

    The row may be missing after a commit too: PostgreSQL answers COMMIT with a rollback, and no
    error, where a receiver caught a database error without a savepoint.
    """
    rows = WebhookEvent.objects.using(database_alias()).filter(pk=event.pk)
    if patiently(lambda: rows.exists() or _insert(event)):
        announce(event)


def _insert(event: WebhookEvent) -> bool:
    """Whether it was new."""
    try:
        with transaction.atomic(using=database_alias()):
            event.save(force_insert=True, using=database_alias())
    except IntegrityError:
        return False
    return True


def _event_of(trigger: Any, api_key: str) -> WebhookEvent | None:
    """The row for what dj-stripe verified, not saved yet; asks neither database nor Stripe."""
    if not trigger.valid:
        return None
    try:
        return _read(trigger, api_key)
    except Exception:
        logger.exception("What dj-stripe took for an event could not be read")
        return None


def _read(trigger: Any, api_key: str) -> WebhookEvent | None:
    providers = list(_stripe_providers())
    if not providers:
        return None
    if not _is_signed(trigger, providers):
        logger.warning("An event whose signature dj-stripe did not check is not taken over")
        return None
    provider = max(providers, key=lambda each: _fitness(each, trigger, api_key))
    return event_from(provider, provider.accept_verified(trigger.json_body))


def _stripe_providers() -> Iterator[StripeProvider]:
    for provider_id in provider_ids():
        try:
            provider = get_provider(provider_id)
        except ConfigurationError as error:
            logger.error("%s: %s", provider_id, error.message)  # noqa: TRY400 - no fault of ours
            continue
        if isinstance(provider, StripeProvider):
            yield provider


def _is_signed(trigger: Any, providers: list[StripeProvider]) -> bool:
    """dj-stripe can be told to check nothing; in debug mode the request may bring its own secret.

    Anybody can send both, so they are valid for dj-stripe and prove nothing to us.
    """
    endpoint = trigger.webhook_endpoint
    if endpoint.djstripe_validation_method == WebhookEndpointValidation.none:
        return False
    brought = CaseInsensitiveMapping(trigger.headers).get("x-djstripe-webhook-secret")
    if not django_settings.DEBUG or not brought:
        return True
    known = {endpoint.secret}.union(*map(_secrets, providers))
    return brought in known


def _fitness(provider: StripeProvider, trigger: Any, api_key: str) -> tuple[bool, ...]:
    """Compares providers of several accounts. Variants of one share its events: any will do."""
    account = trigger.stripe_trigger_account_id
    return (
        trigger.webhook_endpoint.secret in _secrets(provider),
        not provider.accept_verified(trigger.json_body).quarantine,
        bool(account) and provider.options.get("ACCOUNT_ID") == account,
        provider.options["API_KEY"] == api_key,
    )


def endpoints_by_validation() -> tuple[list[str], list[str]]:
    """The webhook endpoints at which dj-stripe checks nothing, and the others, for people.

    :raises DatabaseError: its tables are not there.
    """
    rows = WebhookEndpoint.objects.using(router.db_for_read(WebhookEndpoint))
    unsigned: list[str] = []
    signed: list[str] = []
    for endpoint in rows.order_by("djstripe_id"):
        checks_nothing = endpoint.djstripe_validation_method == WebhookEndpointValidation.none
        (unsigned if checks_nothing else signed).append(str(endpoint))
    return unsigned, signed


def _secrets(provider: StripeProvider) -> tuple[str, ...]:
    return tuple(provider.options.get("WEBHOOK_SECRETS", ()))
