"""Where a Celery app looks for tasks. Other schedulers look here too, with and without Celery."""

from importlib.util import find_spec

if find_spec("celery") is not None:
    from medusa_payments.integrations.celery import apply_event, reconcile_due

    __all__ = ["apply_event", "reconcile_due"]
