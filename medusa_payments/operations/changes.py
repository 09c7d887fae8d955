"""What was written, as structured log events. Called after the commit, so that no event tells of
what was rolled back."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from medusa_payments.log_events import log_event
from medusa_payments.models import AuditEntry, WebhookEvent


def log_changes(entries: Iterable[AuditEntry]) -> None:
    """An audit entry is an event of its action's name."""
    for each in entries:
        log_event(
            each.action,
            subject_type=each.subject_type,
            subject_id=each.subject_id,
            collection_id=each.payment_collection_id,
            account_holder_id=each.account_holder_id,
            entry=each.number,
            actor=each.actor,
            door=each.door,
            cause=each.cause,
            changed=_changed(each),
        )


def _changed(entry: AuditEntry) -> dict[str, Any]:
    """The part of the money state that is another than before; of a row just made, what is set."""
    before, after = json.loads(entry.before), json.loads(entry.after)
    return {
        name: value
        for name, value in after.items()
        if before.get(name) != value and (before or value not in (None, "", False, 0))
    }


def log_event_state(action: str, event: WebhookEvent) -> None:
    """Of a provider's event: what became of it."""
    log_event(
        action,
        webhook_event_id=event.pk,
        provider_id=event.provider_id,
        provider_event_id=event.event_id,
        event_type=event.event_type,
        session_id=event.payment_session_id,
        tries=event.tries,
        note=event.note,
    )
