"""What is not known of a payment: captures, refunds and cancels without an outcome."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db.models import Prefetch, QuerySet

from medusa_payments.api.shapes.schemas import AMOUNT, Schema
from medusa_payments.api.shapes.shape import Prefetches, stored
from medusa_payments.models import Payment, ProviderCall
from medusa_payments.money import to_major
from medusa_payments.statuses import UNRESOLVED_CALLS, CallKind, CallState, MovementStatus

_UNCERTAIN_KINDS = (CallKind.CAPTURE, CallKind.REFUND, CallKind.CANCEL)
_UNCERTAIN_STATUS = {
    CallState.OPEN: MovementStatus.REQUESTED,
    CallState.INDETERMINATE: MovementStatus.INDETERMINATE,
}
UNCERTAIN: dict[str, Schema] = {
    "uncertain": {
        "type": "array",
        "description": "Acts of unknown outcome. Absent while there are none.",
        "items": {
            "type": "object",
            "properties": {
                "id": {"type": "string"},
                "kind": {"type": "string", "enum": list(_UNCERTAIN_KINDS)},
                "amount": AMOUNT,
                "status": {"type": "string", "enum": list(_UNCERTAIN_STATUS.values())},
            },
            "required": ["id", "kind", "amount", "status"],
        },
    }
}


def uncertain(payment: Payment) -> dict[str, Any]:
    """Captures, refunds and cancels of unknown outcome; no key when there are none."""
    calls = [
        {
            "id": call.capture_id or call.refund_id or call.pk,
            "kind": call.kind,
            "amount": _asked_amount(call, payment),
            "status": _UNCERTAIN_STATUS[CallState(call.state)],
        }
        for call in payment.payment_session.unresolved_calls  # type: ignore[attr-defined]
    ]
    return {"uncertain": calls} if calls else {}


def _asked_amount(call: ProviderCall, payment: Payment) -> Decimal:
    amount_minor = call.arguments.get("amount_minor", payment.amount_minor)
    return to_major(amount_minor, payment.currency_code)


def unresolved_calls() -> Prefetches:
    """Found through the session: the undoing of a soft-deleted one names no payment."""
    calls: QuerySet[ProviderCall] = stored(ProviderCall)
    rows = calls.filter(kind__in=_UNCERTAIN_KINDS, state__in=UNRESOLVED_CALLS).order_by("pk")
    return (Prefetch("payment_session__provider_calls", queryset=rows, to_attr="unresolved_calls"),)
