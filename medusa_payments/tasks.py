"""Where a Celery app looks for tasks; nothing else imports it."""

from medusa_payments.integrations.celery import apply_event, reconcile_due

__all__ = ["apply_event", "reconcile_due"]
