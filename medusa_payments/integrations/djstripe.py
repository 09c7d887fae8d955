"""Events that dj-stripe received, fed into our intake.

A shop that already points Stripe at dj-stripe changes nothing; one that points it at both gets
each event once. dj-stripe sends ``webhook_post_process`` inside its own transaction, so here we
only insert, under a savepoint, raise nothing, and apply once that transaction has committed.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from djstripe import signals

from medusa_payments.models import WebhookEvent
from medusa_payments.operations.database import database_alias
from medusa_payments.operations.webhooks import announce, event_from
from medusa_payments.providers.registry import get_provider, provider_ids
from medusa_payments.providers.stripe import StripeProvider

logger = logging.getLogger("medusa_payments")


def connect() -> None:
    signals.webhook_post_process.connect(
        receive_from_djstripe, dispatch_uid="medusa_payments.webhook_post_process"
    )
    signals.webhook_processing_error.connect(
        receive_from_djstripe, dispatch_uid="medusa_payments.webhook_processing_error"
    )


def receive_from_djstripe(sender: Any, instance: Any = None, **kwargs: Any) -> None:
    """Take over one event that dj-stripe verified; ``instance`` is its WebhookEventTrigger."""
    if instance is None or not instance.valid:
        return
    try:
        _store(instance)
    except Exception:
        logger.exception("An event from dj-stripe could not be stored")


def _store(trigger: Any) -> None:
    payload: Mapping[str, Any] = trigger.json_body
    provider = _stripe_provider()
    if provider is None:
        return
    event = event_from(provider, provider.accept_verified(payload))
    alias = database_alias()
    try:
        with transaction.atomic(using=alias):
            event.save(force_insert=True, using=alias)
    except IntegrityError:
        return
    transaction.on_commit(lambda: _announce(event), using=alias)


def _announce(event: WebhookEvent) -> None:
    try:
        announce(event)
    except Exception:  # the event is stored; the sweep applies it
        logger.exception("Event %s could not be applied", event.pk)


def _stripe_provider() -> StripeProvider | None:
    """The variants of one account share their events, so any of them reads them."""
    for provider_id in provider_ids():
        provider = get_provider(provider_id)
        if isinstance(provider, StripeProvider):
            return provider
    return None
