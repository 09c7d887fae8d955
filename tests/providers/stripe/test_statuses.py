from __future__ import annotations

import pytest

from medusa_payments.providers.stripe.statuses import (
    dispute_status,
    provider_state,
    refund_status,
)
from medusa_payments.statuses import DisputeStatus, MovementStatus, ProviderState


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("requires_payment_method", ProviderState.PAYABLE),
        ("requires_confirmation", ProviderState.PAYABLE),
        ("requires_action", ProviderState.ACTION_REQUIRED),
        ("processing", ProviderState.PROCESSING),
        ("requires_capture", ProviderState.HELD),
        ("succeeded", ProviderState.CAPTURED),
        ("canceled", ProviderState.CANCELED),
        ("something_new", ProviderState.PROCESSING),
    ],
)
def test_the_status_of_an_intent(status: str, state: ProviderState) -> None:
    assert provider_state(status) is state


@pytest.mark.parametrize(
    ("status", "ours"),
    [
        ("pending", MovementStatus.PENDING),
        ("requires_action", MovementStatus.PENDING),
        ("succeeded", MovementStatus.SUCCEEDED),
        ("failed", MovementStatus.FAILED),
        ("canceled", MovementStatus.FAILED),
        ("something_new", MovementStatus.PENDING),
        (None, MovementStatus.PENDING),
    ],
)
def test_the_status_of_a_refund(status: str | None, ours: MovementStatus) -> None:
    assert refund_status(status) is ours


@pytest.mark.parametrize(
    ("status", "ours"),
    [
        ("won", DisputeStatus.WON),
        ("warning_closed", DisputeStatus.WON),
        ("lost", DisputeStatus.LOST),
        ("needs_response", DisputeStatus.OPEN),
        ("under_review", DisputeStatus.OPEN),
        ("warning_needs_response", DisputeStatus.INQUIRY),
        ("warning_under_review", DisputeStatus.INQUIRY),
        ("prevented", DisputeStatus.OPEN),
        ("something_new", DisputeStatus.OPEN),
    ],
)
def test_the_status_of_a_dispute(status: str, ours: DisputeStatus) -> None:
    assert dispute_status(status) is ours
