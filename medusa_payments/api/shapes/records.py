"""Our own records, which Medusa has not: everything that is kept, soft-deleted rows too."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from medusa_payments.api.shapes import schemas
from medusa_payments.api.shapes.columns import (
    KEPT,
    SOFT_DELETABLE,
    amounts,
    plain,
    raw,
    redacted,
    stated,
    times,
)
from medusa_payments.api.shapes.shape import Column, Relation, Shape, stored
from medusa_payments.models import (
    AuditEntry,
    Capture,
    Discrepancy,
    Payment,
    PaymentCollection,
    PaymentSession,
    ProviderCall,
    Refund,
)
from medusa_payments.money import to_major


def _major(name: str) -> Column:
    """Smallest units as an amount; null where nothing is known."""

    def read(row: Any) -> Decimal | None:
        amount_minor = getattr(row, name)
        known = amount_minor is not None and row.currency_code
        return to_major(amount_minor, row.currency_code) if known else None

    return Column(read, schemas.always(schemas.nullable(schemas.AMOUNT)))


def _state(name: str) -> Column:
    return Column(lambda entry: json.loads(getattr(entry, name)), schemas.always(schemas.OBJECT))


_COLLECTION = Relation(
    to="payment_collection",
    lookup="payment_collection",
    rows=lambda: stored(PaymentCollection, "all_objects"),
)
_SESSION = Relation(
    to="recorded_session",
    lookup="payment_session",
    rows=lambda: stored(PaymentSession, "all_objects"),
)
_PAYMENT = Relation(to="payment", lookup="payment", rows=lambda: stored(Payment))
_CALLS = Relation(
    to="provider_call",
    lookup="provider_calls",
    rows=lambda: stored(ProviderCall).order_by("pk"),
    is_list=True,
)
_DISCREPANCIES = Relation(
    to="discrepancy",
    lookup="discrepancies",
    rows=lambda: stored(Discrepancy).order_by("pk"),
    is_list=True,
)

RECORD_SHAPES: dict[str, Shape] = {
    "recorded_session": Shape(
        model=PaymentSession,
        columns=SOFT_DELETABLE
        | amounts("amount")
        | plain(
            "payment_collection_id",
            "currency_code",
            "provider_id",
            "context",
            "status",
            "metadata",
            "indeterminate",
            "declined",
        )
        | stated(
            "deleted_reason",
            "resolution",
            "provider_state",
            "provider_reference",
            "failure_code",
            "evidence",
        )
        | times("authorized_at", "resolved_at", "observed_at")
        | redacted("data")
        | {
            "provider_amount": _major("provider_amount_minor"),
            "held_amount": _major("held_minor"),
            "captured_amount": _major("captured_minor"),
        },
        relations={
            "payment": _PAYMENT,
            "payment_collection": _COLLECTION,
            "provider_calls": _CALLS,
            "discrepancies": _DISCREPANCIES,
        },
    ),
    "provider_call": Shape(
        model=ProviderCall,
        columns=KEPT
        | plain(
            "kind",
            "state",
            "generation",
            "idempotency_key",
            "payment_collection_id",
            "payment_session_id",
            "payment_id",
            "capture_id",
            "refund_id",
            "provider_id",
            "is_undoing",
            "is_provisional",
            "key_is_spent",
            "looks",
        )
        | stated(
            "evidence",
            "evidence_reference",
            "provider_reference",
            "request_id",
            "failure_kind",
            "failure_code",
        )
        | times("first_sent_at", "last_sent_at", "leased_until", "next_attempt_at")
        | redacted("arguments", "attempts"),
        relations={
            "payment_collection": _COLLECTION,
            "payment_session": _SESSION,
            "payment": _PAYMENT,
            "capture": Relation(to="capture", lookup="capture", rows=lambda: stored(Capture)),
            "refund": Relation(to="refund", lookup="refund", rows=lambda: stored(Refund)),
            "discrepancies": _DISCREPANCIES,
        },
    ),
    "discrepancy": Shape(
        model=Discrepancy,
        columns=KEPT
        | plain(
            "kind",
            "state",
            "payment_collection_id",
            "payment_session_id",
            "provider_call_id",
            "webhook_event_id",
        )
        | stated(
            "provider_id",
            "provider_reference",
            "currency_code",
            "closed_by",
            "closing_reason",
        )
        | times("closed_at")
        | redacted("detail")
        | {"amount": _major("amount_minor"), "raw_amount": raw(_major("amount_minor"))},
        relations={
            "payment_collection": _COLLECTION,
            "payment_session": _SESSION,
            "provider_call": Relation(
                to="provider_call", lookup="provider_call", rows=lambda: stored(ProviderCall)
            ),
        },
    ),
    "audit_entry": Shape(
        model=AuditEntry,
        columns=plain(
            "id",
            "payment_collection_id",
            "number",
            "action",
            "subject_type",
            "subject_id",
            "actor",
            "door",
            "previous_hash",
            "hash",
        )
        | stated("cause")
        | times("created_at")
        | {"before": _state("before"), "after": _state("after")},
        relations={"payment_collection": _COLLECTION},
    ),
}
