"""Tasks of Django's own framework: in its core from Django 6 on, in django-tasks for 5.2."""

from __future__ import annotations

from importlib.util import find_spec

from medusa_payments.integrations import work

if find_spec("django.tasks"):
    from django.tasks import task
else:
    from django_tasks import task  # type: ignore[no-redef]


@task
def apply_event(event_id: str) -> None:
    """Apply one stored event. Safe to run again."""
    work.apply_event(event_id)


@task
def reconcile_due() -> dict[str, int]:
    """Run the sweep: what the shop's scheduler is to enqueue."""
    return work.reconcile_due()


def check() -> None:
    """
    :raises Exception: the shop's task backend takes no task of ours.
    """
    apply_event.get_backend().validate_task(apply_event)


def hand_over(event_id: str) -> None:
    """Enqueue an event's id.

    :raises Exception: what the shop's task backend raises; the task may be lost.
    """
    apply_event.enqueue(event_id)
