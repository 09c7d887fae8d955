"""Stripe's words for states, and ours."""

from __future__ import annotations

from medusa_payments.statuses import DisputeStatus, MovementStatus, ProviderState

_INTENT_STATES = {
    "requires_payment_method": ProviderState.PAYABLE,
    "requires_confirmation": ProviderState.PAYABLE,
    "requires_action": ProviderState.ACTION_REQUIRED,
    "processing": ProviderState.PROCESSING,
    "requires_capture": ProviderState.HELD,
    "succeeded": ProviderState.CAPTURED,
    "canceled": ProviderState.CANCELED,
}

_REFUND_STATUSES = {
    "pending": MovementStatus.PENDING,
    "requires_action": MovementStatus.PENDING,
    "succeeded": MovementStatus.SUCCEEDED,
    "failed": MovementStatus.FAILED,
    "canceled": MovementStatus.FAILED,
}

_DISPUTE_STATUSES = {
    "warning_needs_response": DisputeStatus.INQUIRY,
    "warning_under_review": DisputeStatus.INQUIRY,
    "warning_closed": DisputeStatus.WON,
    "won": DisputeStatus.WON,
    "lost": DisputeStatus.LOST,
}


def provider_state(intent_status: str) -> ProviderState:
    """A status that we do not know counts as processing: nothing is handed out, concluded or
    undone on it, and it is looked at again."""
    return _INTENT_STATES.get(intent_status, ProviderState.PROCESSING)


def refund_status(status: str | None) -> MovementStatus:
    """A status that we do not know counts as pending: the amount stays reserved."""
    return _REFUND_STATUSES.get(status or "", MovementStatus.PENDING)


def dispute_status(status: str) -> DisputeStatus:
    """A status that we do not know counts as open: the amount is not refunded on top."""
    return _DISPUTE_STATUSES.get(status, DisputeStatus.OPEN)
