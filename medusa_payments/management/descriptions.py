"""Records as ``show_payment_collection`` prints them: INTERFACE.md names every key."""

from __future__ import annotations

from medusa_payments.management.decisions import describe_discrepancy, describe_proposal
from medusa_payments.management.printing import Described
from medusa_payments.management.trails import breaks_in
from medusa_payments.models import (
    ApiKey,
    AuditEntry,
    Capture,
    Discrepancy,
    Payment,
    PaymentCollection,
    PaymentSession,
    Proposal,
    ProviderCall,
    Refund,
    WebhookEvent,
)
from medusa_payments.money import to_major
from medusa_payments.operations import totals
from medusa_payments.operations.database import database_alias


def describe(collection: PaymentCollection) -> Described:
    """A collection with everything below it, soft-deleted rows included."""
    alias = database_alias()
    own = {"payment_collection": collection}
    sessions = PaymentSession.all_objects.using(alias).filter(**own).select_related("payment")
    payments = Payment.objects.using(alias).filter(**own)
    calls = ProviderCall.objects.using(alias).filter(**own)
    events = WebhookEvent.objects.using(alias).filter(payment_session__in=sessions)
    proposals = Proposal.objects.using(alias).filter(**own)
    discrepancies = Discrepancy.objects.using(alias).filter(**own)
    return {
        "collection": describe_collection(collection),
        "sessions": [describe_session(each) for each in sessions.order_by("pk")],
        "payments": [describe_payment(each) for each in payments.order_by("pk")],
        "calls": [describe_call(each) for each in calls.order_by("pk")],
        "events": [_event(each) for each in events.order_by("occurred_at", "pk")],
        "proposals": [describe_proposal(each) for each in proposals.order_by("pk")],
        "discrepancies": [describe_discrepancy(each) for each in discrepancies.order_by("pk")],
        "audit": _audit(collection),
    }


def describe_collection(collection: PaymentCollection) -> Described:
    set_aside = totals.set_aside(collection)
    code = collection.currency_code
    return {
        "id": collection.pk,
        "status": collection.status,
        "currency_code": code,
        "amount": collection.amount,
        "authorized_amount": collection.authorized_amount,
        "captured_amount": collection.captured_amount,
        "refunded_amount": collection.refunded_amount,
        "set_aside": {
            "authorized": to_major(set_aside.authorized_minor, code),
            "captured": to_major(set_aside.captured_minor, code),
            "refunded": to_major(set_aside.refunded_minor, code),
        },
        "cart_reference": collection.cart_reference,
        "order_reference": collection.order_reference,
        "deleted_at": collection.deleted,
    }


def describe_session(session: PaymentSession) -> Described:
    payment = getattr(session, "payment", None)
    return {
        "id": session.pk,
        "status": session.status,
        "provider_id": session.provider_id,
        "provider_reference": session.provider_reference,
        "deleted_at": session.deleted,
        "deleted_reason": session.deleted_reason,
        "indeterminate": session.indeterminate,
        "resolution": session.resolution,
        "payment_id": payment.pk if payment else None,
        "amount": session.amount,
    }


def describe_payment(payment: Payment) -> Described:
    alias = database_alias()
    captures = Capture.objects.using(alias).filter(payment=payment).select_related("payment")
    refunds = Refund.objects.using(alias).filter(payment=payment).select_related("payment")
    return {
        "id": payment.pk,
        "session_id": payment.payment_session_id,
        "amount": payment.amount,
        "captured_at": payment.captured_at,
        "canceled_at": payment.canceled_at,
        "captures": [describe_capture(each) for each in captures.order_by("pk")],
        "refunds": [describe_refund(each) for each in refunds.order_by("pk")],
    }


def describe_capture(capture: Capture) -> Described:
    return {"id": capture.pk, "amount": capture.amount, "status": capture.status}


def describe_refund(refund: Refund) -> Described:
    return {
        "id": refund.pk,
        "amount": refund.amount,
        "status": refund.status,
        "provider_reference": refund.provider_reference,
    }


def describe_call(call: ProviderCall) -> Described:
    return {
        "id": call.pk,
        "kind": call.kind,
        "state": call.state,
        "generation": call.generation,
        "idempotency_key": call.idempotency_key,
        "attempts": call.attempts,
        "session_id": call.payment_session_id,
        "evidence": call.evidence,
        "next_attempt_at": call.next_attempt_at,
    }


def describe_api_key(key: ApiKey) -> Described:
    return {
        "id": key.pk,
        "type": key.type,
        "title": key.title,
        "redacted": key.redacted,
        "revoked_at": key.revoked_at,
        "revoked_by": key.revoked_by,
    }


def _event(event: WebhookEvent) -> Described:
    return {
        "id": event.pk,
        "event_id": event.event_id,
        "event_type": event.event_type,
        "state": event.state,
        "note": event.note,
        "session_id": event.payment_session_id,
        "occurred_at": event.occurred_at,
    }


def _audit(collection: PaymentCollection) -> Described:
    entries = AuditEntry.objects.using(database_alias()).filter(payment_collection=collection)
    return {"entries": entries.count(), "valid": not breaks_in(collection)}
