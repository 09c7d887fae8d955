"""Events that change nothing (yet): parked ones are tried again, quarantined ones only shown."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from medusa_payments.models import Discrepancy, WebhookEvent
from medusa_payments.operations.actors import SYSTEM
from medusa_payments.operations.changes import log_event_state
from medusa_payments.operations.database import database_alias, patiently
from medusa_payments.operations.discrepancies import NOT_KNOWN, SEVERITY
from medusa_payments.operations.schedule import is_exhausted, next_look
from medusa_payments.providers.types import WebhookReport
from medusa_payments.statuses import DiscrepancyKind, DiscrepancyState, EventState


def quarantine(event: WebhookEvent, report: WebhookReport) -> None:
    """Show an event that names no session of ours, and leave everything else alone.

    One that carries our marker all the same opens a discrepancy: a person must know.
    """
    note = "names no session of ours"
    if report.session_id:
        note = f"names session {report.session_id}, which we do not know"

    def transact() -> None:
        with transaction.atomic(using=database_alias(), durable=True):
            told = _told(event, _open_ghost(event, report)) if report.session_id else {}
            if event.tries:
                _close_unresolved(event)
            _write(
                event, state=EventState.QUARANTINED, note=note[:255], next_attempt_at=None, **told
            )

    patiently(transact)
    log_event_state("event.quarantined", event)


def park(event: WebhookEvent, why: str) -> None:
    """Try an event again later, for ever; loudly once the schedule is over (law 12)."""
    tries = event.tries + 1

    def transact() -> None:
        with transaction.atomic(using=database_alias(), durable=True):
            told = _told(event, _open_unresolved(event, why)) if is_exhausted(tries) else {}
            _write(
                event,
                state=EventState.PARKED,
                note=why[:255],
                tries=tries,
                next_attempt_at=next_look(tries - 1, now=timezone.now()),
                **told,
            )

    patiently(transact)
    log_event_state("event.parked", event)


def _write(event: WebhookEvent, **values: Any) -> None:
    """Unless somebody else has applied it meanwhile, and owes the shop what that told."""
    for name, value in values.items():
        setattr(event, name, value)
    rows = WebhookEvent.objects.using(database_alias()).filter(pk=event.pk)
    rows.exclude(state=EventState.APPLIED).update(**values)


def _told(event: WebhookEvent, opened: Discrepancy | None) -> dict[str, Any]:
    if opened is None:
        return {}
    signals = [["discrepancy_opened", f"discrepancy={opened.pk}"]]
    return {"signals": signals, "follow_up_at": timezone.now()}


def _open_ghost(event: WebhookEvent, report: WebhookReport) -> Discrepancy | None:
    return _open_once(
        event,
        DiscrepancyKind.GHOST,
        report.session_id,
        provider_reference=report.reference[:255],
        amount_minor=report.amount_minor,
        currency_code=report.payment.currency_code if report.payment else "",
        detail=f"The provider holds {report.reference} for session {report.session_id},"
        " of which there is no record here.",
    )


def _open_unresolved(event: WebhookEvent, why: str) -> Discrepancy | None:
    return _open_once(
        event,
        DiscrepancyKind.UNRESOLVED,
        event.pk,
        detail=f"Event {event.event_id} ({event.event_type}) cannot be applied: {why}. Trying"
        " goes on.",
    )


def _close_unresolved(event: WebhookEvent) -> None:
    now = timezone.now()
    rows = Discrepancy.objects.using(database_alias())
    rows.filter(open_key=f"{DiscrepancyKind.UNRESOLVED}:{event.pk}").update(
        state=DiscrepancyState.CLOSED,
        open_key=None,
        closed_at=now,
        updated_at=now,
        closed_by=SYSTEM.id,
        closing_reason="The event names no session of ours.",
    )


def _open_once(
    event: WebhookEvent, kind: DiscrepancyKind, about: str, **facts: Any
) -> Discrepancy | None:
    """None: one is open about the same thing already."""
    rows = Discrepancy.objects.using(database_alias())
    open_key = f"{kind}:{about}"[:255]
    if rows.filter(open_key=open_key).exists():
        return None
    opened: Discrepancy = rows.create(
        kind=kind,
        severity=SEVERITY[kind],
        not_known=NOT_KNOWN[kind],
        open_key=open_key,
        webhook_event=event,
        provider_id=event.provider_id,
        **facts,
    )
    return opened
