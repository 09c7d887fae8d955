"""What workers do, whichever queue brings them the work.

Messages carry ids only. Each piece of work may come twice, late, or about something that is done
or gone: then it changes nothing.
"""

from __future__ import annotations

from medusa_payments.models import WebhookEvent
from medusa_payments.operations import webhooks
from medusa_payments.operations.database import database_alias
from medusa_payments.reconciliation import sweep


def apply_event(event_id: str) -> None:
    """Apply a stored event, unless that is done or the event is quarantined."""
    rows = WebhookEvent.objects.using(database_alias())
    event = rows.filter(pk=event_id, next_attempt_at__isnull=False).first()
    if event is not None:
        webhooks.apply_event(event)


def reconcile_due() -> dict[str, int]:
    """Run the sweep for what is due; returns its figures."""
    report = sweep.reconcile_due()
    return {name: figure for name, figure in vars(report).items() if isinstance(figure, int)}
