"""Webhooks: verified, stored and committed, then applied (law 9).

Intake makes no provider call. Applying merges what the event says of one session; an event that
names no session of ours is quarantined and reads, locks and changes nothing else.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from medusa_payments import settings
from medusa_payments.models import PaymentSession, ProviderCall, WebhookEvent
from medusa_payments.money import to_major
from medusa_payments.operations import movements
from medusa_payments.operations.actors import WEBHOOK, Actor
from medusa_payments.operations.changes import log_event_state
from medusa_payments.operations.conclusions import conclude
from medusa_payments.operations.database import database_alias, refuse_open_transaction
from medusa_payments.operations.discrepancies import close_by_evidence, open_discrepancy
from medusa_payments.operations.dispute_records import merge_dispute
from medusa_payments.operations.doubts import Doubt, report_doubt
from medusa_payments.operations.integrity import doubt_of_reference
from medusa_payments.operations.locking import LockedCollection, under_lock
from medusa_payments.operations.merging import merge_payment
from medusa_payments.operations.performing import perform_demanded
from medusa_payments.operations.recording import Recorded, finish, merge_refund_of
from medusa_payments.operations.telling import tell_shop
from medusa_payments.operations.totals import payment_totals
from medusa_payments.operations.unapplied_events import park, quarantine
from medusa_payments.providers.base import PaymentProvider
from medusa_payments.providers.registry import get_provider, provider_ids_with
from medusa_payments.providers.types import VerifiedWebhook, WebhookReport
from medusa_payments.signals import webhook_event_stored
from medusa_payments.statuses import (
    UNRESOLVED_CALLS,
    CallKind,
    DiscrepancyKind,
    EventState,
    Evidence,
    WebhookAction,
)

logger = logging.getLogger("medusa_payments")

# The sweep takes up after this time what is applied inline and died, or was handed to a worker and
# got lost.
_APPLY_GRACE = timedelta(seconds=60)


@dataclass(frozen=True)
class WebhookData:
    """Whose money a webhook tells of, and how much (major units)."""

    session_id: str
    amount: Decimal


def receive_webhook(
    provider_id: str, body: bytes, headers: Mapping[str, str]
) -> WebhookEvent | None:
    """Verify and store a delivery, commit, then send ``webhook_event_stored``.

    Returns the event, or None if it was stored before, or its provider signs nothing.

    :raises UnknownProvider: no such provider.
    :raises WebhookRejected: forged, stale, unsigned or malformed; nothing was stored.
    """
    refuse_open_transaction()
    provider = get_provider(provider_id)
    if not provider.capabilities.signs_webhooks:
        return None
    event = event_from(provider, provider.verify_webhook(body, headers))
    try:
        with transaction.atomic(using=database_alias(), durable=True):
            event.save(force_insert=True, using=database_alias())
    except IntegrityError:
        return None
    announce(event)
    return event


def webhook_action_and_data(
    provider_id: str, body: bytes, headers: Mapping[str, str]
) -> tuple[WebhookAction, WebhookData | None]:
    """What a delivery says, as Medusa's getWebhookActionAndData tells it. Stores nothing.

    :raises UnknownProvider: no such provider.
    :raises WebhookRejected: forged, stale, unsigned or malformed.
    """
    provider = get_provider(provider_id)
    if not provider.capabilities.signs_webhooks:
        return WebhookAction.NOT_SUPPORTED, None
    report = provider.read_webhook(provider.verify_webhook(body, headers).payload)
    if not report.session_id or report.payment is None or report.amount_minor is None:
        return report.action, None
    amount = to_major(report.amount_minor, report.payment.currency_code)
    return report.action, WebhookData(session_id=report.session_id, amount=amount)


def event_from(provider: PaymentProvider, webhook: VerifiedWebhook) -> WebhookEvent:
    """The row for a verified delivery, not saved yet."""
    is_left_to_sweep = settings.WEBHOOK_APPLY == "deferred" and not settings.WORKER
    now = timezone.now()
    event = WebhookEvent(
        provider_id=provider.id,
        credentials=provider.credentials,
        account=webhook.account,
        event_id=webhook.event_id,
        event_type=webhook.event_type,
        occurred_at=webhook.occurred_at,
        payload=dict(webhook.payload),
        note=webhook.quarantine or webhook.note,
        next_attempt_at=now if is_left_to_sweep else now + _APPLY_GRACE,
    )
    if webhook.quarantine:
        event.state = EventState.QUARANTINED
        event.next_attempt_at = None
    return event


def announce(event: WebhookEvent) -> None:
    """Tell that an event was stored; whatever applying it does, it stays stored."""
    log_event_state("event.stored", event)
    if event.state != EventState.RECEIVED:
        return
    results = webhook_event_stored.send_robust(sender=WebhookEvent, event=event)
    for receiver, answer in results:
        if isinstance(answer, Exception):
            logger.error("%r could not apply %s", receiver, event.pk, exc_info=answer)


def apply_stored_event(sender: type[WebhookEvent], event: WebhookEvent, **kwargs: Any) -> None:
    """Receiver of ``webhook_event_stored``: this is what triggers reconciliation."""
    if settings.WEBHOOK_APPLY == "inline":
        apply_event(event)


def apply_event(event: WebhookEvent, *, actor: Actor = WEBHOOK) -> None:
    """Apply a stored event and perform what it demands. Safe to repeat, in any order.

    An event that cannot be applied is parked; the sweep tries it again.
    """
    try:
        recorded = record_event(event, actor=actor)
    except Exception as error:
        logger.exception("Event %s could not be applied", event.pk)
        park(event, type(error).__name__)
        return
    try:
        tell_shop(recorded.carrier)
        perform_demanded(recorded.demanded, actor=actor)
    except Exception:
        logger.exception("What %s demands could not be performed; the sweep does", event.pk)


def record_event(event: WebhookEvent, *, actor: Actor) -> Recorded:
    """Write down what an event says about its session, or quarantine it."""
    report = get_provider(event.provider_id).read_webhook(event.payload)
    session = find_session(event, report)
    if session is None:
        if _may_become_known(event, report):
            park(event, "names an object that no session is known to have yet")
        else:
            quarantine(event, report)
        return Recorded(carrier=event)

    def work(locked: LockedCollection) -> Recorded:
        row = WebhookEvent.objects.using(database_alias()).get(pk=event.pk)
        current = locked.session(session.pk)
        if row.state in (EventState.APPLIED, EventState.QUARANTINED):
            return Recorded()
        named = report.reference or current.provider_reference
        if doubt := doubt_of_reference(locked, current, named, session_id=report.session_id):
            return _quarantine(locked, current, row, report, doubt)
        _merge(locked, current, report)
        locked.change(
            row,
            "event.applied",
            state=EventState.APPLIED,
            payment_session=current,
            applied_at=locked.now,
            next_attempt_at=None,
        )
        if row.tries:
            close_by_evidence(
                locked, DiscrepancyKind.UNRESOLVED, about=row.pk, reason="The event was applied."
            )
        return finish(locked, row)

    cause = f"{event.event_type}:{event.event_id}"[:255]
    return under_lock(session.payment_collection_id, work, actor=actor, cause=cause)


def find_session(event: WebhookEvent, report: WebhookReport) -> PaymentSession | None:
    """The session that an event names by our id or by its object's reference; never a guess."""
    own = PaymentSession.all_objects.using(database_alias()).filter(
        provider_id__in=_of_same_account(event)
    )
    session: PaymentSession | None = None
    if report.session_id:
        session = own.filter(pk=report.session_id).first()
    if session is None and report.reference:
        session = own.filter(provider_reference=report.reference).first()
    return session


def _of_same_account(event: WebhookEvent) -> set[str]:
    """Variants of a provider share an account and its events.

    The one that received the event is among them, also after its keys were changed.
    """
    return {event.provider_id} | provider_ids_with(event.credentials)


def _may_become_known(event: WebhookEvent, report: WebhookReport) -> bool:
    """Whether a session that was being started when the event came may turn out to be its own.

    A refund or dispute that somebody else made names the object, not the session; and the answer
    that tells whose object it is may still be on its way.
    """
    if report.session_id or not report.reference:
        return False
    rows = ProviderCall.objects.using(database_alias()).filter(
        kind=CallKind.INITIATE,
        state__in=UNRESOLVED_CALLS,
        next_attempt_at__isnull=False,
        provider_id__in=_of_same_account(event),
        created_at__lte=event.created_at,
        payment_session__provider_reference="",
    )
    return rows.exists()


def _quarantine(
    locked: LockedCollection,
    session: PaymentSession,
    row: WebhookEvent,
    report: WebhookReport,
    doubt: Doubt,
) -> Recorded:
    """What it names does not belong together, so it is evidence of nothing."""
    seen = report.payment
    taken = seen.captured_minor or seen.held_minor if seen else report.amount_minor
    doubt = replace(doubt, amount_minor=taken or None)
    report_doubt(locked, session, doubt, about=f"{session.pk}:{report.reference}")
    locked.change(
        row,
        "event.quarantined",
        state=EventState.QUARANTINED,
        note=doubt.detail[:255],
        next_attempt_at=None,
    )
    return finish(locked, row)


def _merge(locked: LockedCollection, session: PaymentSession, report: WebhookReport) -> None:
    evidence = Evidence.WEBHOOK
    if report.payment and not merge_payment(locked, session, report.payment, evidence=evidence):
        locked.look_at(session)
    if report.refund:
        merge_refund_of(locked, session, report.refund, evidence=evidence)
    if report.dispute and (payment := movements.payment_of(locked, session)):
        merge_dispute(locked, payment, report.dispute, evidence=evidence)
    if report.finding and not report.dispute:
        _report_finding(locked, session, report)
    if report.needs_look and not _is_known(locked, session, report):
        locked.look_at(session)
    conclude(locked, session, evidence=evidence, looked=False)


def _is_known(locked: LockedCollection, session: PaymentSession, report: WebhookReport) -> bool:
    """The echo of a refund that is recorded already; no need to ask."""
    seen = report.payment
    payment = movements.payment_of(locked, session)
    if seen is None or seen.refunded_minor is None or payment is None:
        return False
    return payment_totals(payment).refunded_minor == seen.refunded_minor


def _report_finding(
    locked: LockedCollection, session: PaymentSession, report: WebhookReport
) -> None:
    open_discrepancy(
        locked,
        DiscrepancyKind(report.finding),
        about=session.pk,
        detail="The provider told of a state that needs a person's decision; see the event.",
        session=session,
        amount_minor=report.amount_minor,
    )
