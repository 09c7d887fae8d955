"""Handing stored events to the shop's workers.

An event is committed and has a next attempt before it is handed over, so a queue that is down, or
loses the message, costs time and nothing else: the sweep applies it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from medusa_payments import settings
from medusa_payments.models import WebhookEvent

logger = logging.getLogger("medusa_payments")

_MODULES = {
    "celery": "medusa_payments.integrations.celery",
    "django_tasks": "medusa_payments.integrations.django_tasks",
}


def hand_over_stored_event(sender: type[WebhookEvent], event: WebhookEvent, **kwargs: Any) -> None:
    """Receiver of ``webhook_event_stored``: a worker is to apply the event, where there is one."""
    if settings.WEBHOOK_APPLY != "deferred" or not settings.WORKER:
        return
    try:
        import_module(_MODULES[settings.WORKER]).hand_over(event.pk)
    except Exception as error:  # noqa: BLE001 - every broker has errors of its own
        logger.warning(
            "Event %s could not be handed to a worker (%s: %s); the sweep applies it",
            event.pk,
            type(error).__name__,
            error,
        )


def problems() -> Iterator[str]:
    """Why events could not be handed over with these settings, for ``manage.py check``."""
    worker = settings.WORKER
    if worker not in ("", *_MODULES):
        yield "MEDUSA_PAYMENTS['WORKER'] must be '', 'celery' or 'django_tasks'."
    elif worker:
        try:
            import_module(_MODULES[worker]).check()
        except Exception as error:  # noqa: BLE001 - a backend of the shop's may raise anything
            yield f"MEDUSA_PAYMENTS['WORKER'] is {worker!r}, which cannot be used: {error}"
