"""A provider call as the request that its provider understands.

Requests are built from what the call's row holds, so that a retry, in whatever process, sends
what was sent before.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from medusa_payments.models import ProviderCall
from medusa_payments.providers.base import PaymentProvider
from medusa_payments.providers.types import (
    CancelRequest,
    CaptureRequest,
    InitiateRequest,
    Outcome,
    RefundRequest,
    UpdateRequest,
)
from medusa_payments.statuses import CallKind


def send(call: ProviderCall, provider: PaymentProvider, data: dict[str, Any]) -> Outcome:
    """Make one attempt. ``data`` is the caller's for an initiate, else the session's."""
    return _SENDERS[CallKind(call.kind)](call, provider, data)


def method_of(call: ProviderCall) -> str:
    """The provider's method that an attempt calls."""
    if call.kind == CallKind.CANCEL:
        return "delete_payment" if call.is_undoing else "cancel_payment"
    return f"{call.kind}_payment"


def _initiate(call: ProviderCall, provider: PaymentProvider, data: dict[str, Any]) -> Outcome:
    return provider.initiate_payment(
        InitiateRequest(
            idempotency_key=call.idempotency_key,
            session_id=call.payment_session_id,
            data=data,
            amount_minor=call.arguments["amount_minor"],
            currency_code=call.arguments["currency_code"],
            customer=call.arguments.get("customer", {}),
        )
    )


def _update(call: ProviderCall, provider: PaymentProvider, data: dict[str, Any]) -> Outcome:
    return provider.update_payment(
        UpdateRequest(
            idempotency_key=call.idempotency_key,
            session_id=call.payment_session_id,
            data=data,
            reference=call.arguments["reference"],
            amount_minor=call.arguments["amount_minor"],
            currency_code=call.arguments["currency_code"],
        )
    )


def _capture(call: ProviderCall, provider: PaymentProvider, data: dict[str, Any]) -> Outcome:
    return provider.capture_payment(
        CaptureRequest(
            idempotency_key=call.idempotency_key,
            session_id=call.payment_session_id,
            data=data,
            reference=call.arguments["reference"],
            amount_minor=call.arguments["amount_minor"],
            currency_code=call.arguments["currency_code"],
            capture_id=call.capture_id or "",
        )
    )


def _refund(call: ProviderCall, provider: PaymentProvider, data: dict[str, Any]) -> Outcome:
    return provider.refund_payment(
        RefundRequest(
            idempotency_key=call.idempotency_key,
            session_id=call.payment_session_id,
            data=data,
            reference=call.arguments["reference"],
            amount_minor=call.arguments["amount_minor"],
            currency_code=call.arguments["currency_code"],
            refund_id=call.refund_id or "",
        )
    )


def _cancel(call: ProviderCall, provider: PaymentProvider, data: dict[str, Any]) -> Outcome:
    request = CancelRequest(
        idempotency_key=call.idempotency_key,
        session_id=call.payment_session_id,
        data=data,
        reference=call.arguments["reference"],
    )
    return provider.delete_payment(request) if call.is_undoing else provider.cancel_payment(request)


_SENDERS: dict[CallKind, Callable[[ProviderCall, PaymentProvider, dict[str, Any]], Outcome]] = {
    CallKind.INITIATE: _initiate,
    CallKind.UPDATE: _update,
    CallKind.CAPTURE: _capture,
    CallKind.REFUND: _refund,
    CallKind.CANCEL: _cancel,
}
