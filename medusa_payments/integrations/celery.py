"""Celery tasks, and how an event is handed to one.

``app.autodiscover_tasks()`` of the shop's Celery app finds the tasks. They are acknowledged when
they are done, so that a worker's death gives its task to another, and never retried: what is left
over has a next attempt in the database.
"""

from __future__ import annotations

from typing import Any

from celery import current_app, shared_task
from kombu.pools import producers

from medusa_payments.errors import ConfigurationError
from medusa_payments.integrations import work

# A provider waits for its 200 while a message is published. Celery by itself waits for ever for a
# Redis that accepts a connection and says nothing, and tries for ever to reach a lost RabbitMQ.
# So the longest publication takes three times this: a try on a stale connection and two on others.
_PATIENCE = 0.4
_IMPATIENT: dict[str, Any] = {
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0,
    "interval_max": 0,
}
# Each transport reads those that it knows: the first three are of Redis, the others of AMQP.
_IMPATIENT_TRANSPORT: dict[str, Any] = {
    **_IMPATIENT,
    "socket_timeout": _PATIENCE,
    "socket_connect_timeout": _PATIENCE,
    "retry_on_timeout": False,
    "read_timeout": _PATIENCE,
    "write_timeout": _PATIENCE,
}
_SAFE_TO_LOSE: dict[str, Any] = {
    "acks_late": True,
    "reject_on_worker_lost": True,
    "ignore_result": True,
}


@shared_task(name="medusa_payments.tasks.apply_event", **_SAFE_TO_LOSE)  # type: ignore[untyped-decorator]
def apply_event(event_id: str) -> None:
    """Apply one stored event. Safe to run again."""
    work.apply_event(event_id)


@shared_task(name="medusa_payments.tasks.reconcile_due", **_SAFE_TO_LOSE)  # type: ignore[untyped-decorator]
def reconcile_due() -> dict[str, int]:
    """Run the sweep: an entry of the shop's beat schedule."""
    return work.reconcile_due()


def check() -> None:
    """
    :raises ConfigurationError: this process knows no Celery app of the shop's, so that messages
        would go to a broker that nobody has named.
    """
    if current_app.main == "default":
        raise ConfigurationError(
            "no Celery app is loaded. Import the project's in the __init__.py beside its settings."
        )


def hand_over(event_id: str) -> None:
    """Publish an event's id to the shop's broker, within about a second or not at all.

    :raises Exception: what the broker or its client raises; the message may be lost.
    """
    if current_app.conf.task_always_eager:
        apply_event.delay(event_id)
        return
    connection = current_app.connection_for_write(
        connect_timeout=_PATIENCE, transport_options=_IMPATIENT_TRANSPORT
    )
    with producers[connection].acquire(block=True, timeout=_PATIENCE) as producer:
        apply_event.apply_async((event_id,), producer=producer, retry=True, retry_policy=_IMPATIENT)
