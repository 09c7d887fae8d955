"""Medusa's own shapes (CONTRACT section 3)."""

from __future__ import annotations

from dataclasses import replace

from medusa_payments.api.shapes import schemas
from medusa_payments.api.shapes.columns import (
    RECORD,
    SOFT_DELETABLE,
    amounts,
    plain,
    redacted,
    stated_as,
    times,
)
from medusa_payments.api.shapes.shape import Column, Relation, Shape, stored
from medusa_payments.api.shapes.uncertain import UNCERTAIN, uncertain, unresolved_calls
from medusa_payments.models import (
    Capture,
    Payment,
    PaymentCollection,
    PaymentProvider,
    PaymentSession,
    Refund,
    RefundReason,
)
from medusa_payments.statuses import MovementStatus

# Relations. ``captures`` and ``refunds`` are those that have happened.

_PAYMENT = Relation(to="payment", lookup="payment", rows=lambda: stored(Payment))
_COLLECTION = Relation(
    to="payment_collection",
    lookup="payment_collection",
    rows=lambda: stored(PaymentCollection, "all_objects"),
)

PAYMENT_SHAPES: dict[str, Shape] = {
    "refund_reason": Shape(
        model=RefundReason,
        columns=SOFT_DELETABLE | plain("label", "code", "description", "metadata"),
    ),
    "capture": Shape(
        model=Capture,
        columns=RECORD
        | amounts("amount")
        | plain("payment_id", "created_by", "metadata", "status"),
        relations={"payment": _PAYMENT},
    ),
    "refund": Shape(
        model=Refund,
        columns=RECORD
        | amounts("amount")
        | plain("payment_id", "refund_reason_id", "note", "created_by", "metadata", "status"),
        relations={
            "payment": _PAYMENT,
            "refund_reason": Relation(
                to="refund_reason",
                lookup="refund_reason",
                rows=lambda: stored(RefundReason),
            ),
        },
        starred=("refund_reason",),
    ),
    "payment": Shape(
        model=Payment,
        columns=RECORD
        | amounts("amount")
        | plain(
            "currency_code",
            "provider_id",
            "metadata",
            "payment_collection_id",
            "payment_session_id",
        )
        | times("captured_at", "canceled_at")
        | redacted("data"),
        relations={
            "captures": Relation(
                to="capture",
                lookup="captures",
                rows=lambda: stored(Capture).filter(status=MovementStatus.SUCCEEDED).order_by("pk"),
                is_list=True,
            ),
            "refunds": Relation(
                to="refund",
                lookup="refunds",
                rows=lambda: (
                    stored(Refund)
                    .filter(status__in=(MovementStatus.SUCCEEDED, MovementStatus.PENDING))
                    .order_by("pk")
                ),
                is_list=True,
            ),
            # Soft-deleted ones too: their payments are ordinary rows.
            "payment_session": Relation(
                to="payment_session",
                lookup="payment_session",
                rows=lambda: stored(PaymentSession, "all_objects"),
            ),
            "payment_collection": _COLLECTION,
        },
        starred=("payment_session",),
        always=("payment_session",),
        more=unresolved_calls,
        extras=uncertain,
        extras_schema=UNCERTAIN,
    ),
    "payment_session": Shape(
        model=PaymentSession,
        columns=SOFT_DELETABLE
        | amounts("amount")
        | plain(
            "currency_code", "provider_id", "context", "status", "payment_collection_id", "metadata"
        )
        | times("authorized_at")
        | redacted("data"),
        relations={
            "payment": replace(_PAYMENT, can_be=lambda session: session.authorized_at is not None),
            "payment_collection": _COLLECTION,
        },
        starred=("payment",),
        is_hidden=lambda session: not session.is_live,
    ),
    "payment_collection": Shape(
        model=PaymentCollection,
        columns=SOFT_DELETABLE
        | amounts("amount", "authorized_amount", "captured_amount", "refunded_amount")
        | plain("currency_code", "status", "metadata")
        | times("completed_at")
        # No flow of Medusa fills it.
        | {
            "payment_providers": Column(
                lambda collection: [], schemas.always(schemas.NOTHING_LISTED)
            )
        },
        on_request={
            "cart_id": stated_as("cart_reference"),
            "order_id": stated_as("order_reference"),
        },
        relations={
            "payment_sessions": Relation(
                to="payment_session",
                lookup="payment_sessions",
                rows=lambda: stored(PaymentSession).order_by("pk"),
                is_list=True,
            ),
            "payments": Relation(
                to="payment",
                lookup="payments",
                rows=lambda: stored(Payment).order_by("pk"),
                is_list=True,
            ),
        },
    ),
    "payment_provider": Shape(model=PaymentProvider, columns=plain("id", "is_enabled")),
}
