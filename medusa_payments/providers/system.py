"""A provider without an outside world: the shop takes the money itself, as cash on delivery."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import ClassVar

from medusa_payments.providers.base import PaymentProvider
from medusa_payments.providers.types import (
    AccountHolderRequest,
    CancelRequest,
    Capabilities,
    CaptureRequest,
    Found,
    InitiateRequest,
    Json,
    LookupRequest,
    LookupResult,
    NoAnswer,
    Outcome,
    ProviderPayment,
    RefundRequest,
    Succeeded,
    UpdateRequest,
)
from medusa_payments.statuses import ProviderState


class SystemProvider(PaymentProvider):
    """Says yes to everything, and nothing can get lost.

    Only an initiate answers with a payment: what happened afterwards is known from our own rows.
    """

    identifier: ClassVar[str] = "system"

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities()

    @property
    def store_data_keys(self) -> None:
        return None

    def initiate_payment(self, request: InitiateRequest) -> Outcome:
        return Succeeded(
            payment=ProviderPayment(
                reference=request.session_id,
                session_id=request.session_id,
                state=ProviderState.PAYABLE,
                amount_minor=request.amount_minor,
                currency_code=request.currency_code,
                observed_at=_now(),
            )
        )

    def authorize_payment(self, request: LookupRequest) -> LookupResult:
        if request.amount_minor is None:
            return NoAnswer(
                code="amount_missing", detail="Only the caller knows the session's amount."
            )
        return Found(
            payment=ProviderPayment(
                reference=request.reference or request.session_id,
                session_id=request.session_id,
                state=ProviderState.HELD,
                amount_minor=request.amount_minor,
                held_minor=request.amount_minor,
                currency_code=request.currency_code,
                observed_at=_now(),
            )
        )

    def capture_payment(self, request: CaptureRequest) -> Outcome:
        return Succeeded()

    def refund_payment(self, request: RefundRequest) -> Outcome:
        return Succeeded()

    def cancel_payment(self, request: CancelRequest) -> Outcome:
        return Succeeded()

    def create_account_holder(self, request: AccountHolderRequest) -> Outcome:
        return Succeeded(data={"id": request.customer["id"]})

    def update_account_holder(self, request: AccountHolderRequest) -> Outcome:
        return Succeeded()

    def delete_account_holder(self, request: AccountHolderRequest) -> Outcome:
        return Succeeded()

    def retrieve_account_holder(self, reference: str) -> Json | None:
        return {"id": reference}

    def update_payment(self, request: UpdateRequest) -> Outcome:
        return Succeeded()


def _now() -> datetime:
    return datetime.now(UTC)
