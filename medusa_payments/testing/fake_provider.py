"""A provider that lives in memory and answers as a test tells it to."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar

from medusa_payments.errors import WebhookRejected
from medusa_payments.ids import new_id
from medusa_payments.providers.ledger_types import LedgerPage, LedgerQuery
from medusa_payments.providers.types import (
    CancelRequest,
    Capabilities,
    CaptureRequest,
    Failed,
    FailureKind,
    Found,
    InitiateRequest,
    LookupRequest,
    LookupResult,
    NoAnswer,
    NotFound,
    Outcome,
    ProviderPayment,
    ProviderRefund,
    RefundRequest,
    Succeeded,
    UpdateRequest,
    VerifiedWebhook,
    WebhookReport,
)
from medusa_payments.statuses import MovementStatus, ProviderState, WebhookAction
from medusa_payments.testing.fake_account_holders import FakeAccountHolders
from medusa_payments.testing.fake_ledger import FakePayment, page_of

SIGNATURE = "X-Fake-Signature"
_SECRET = b"whsec_fake"

_ACTIONS = {
    ProviderState.PAYABLE: WebhookAction.PENDING,
    ProviderState.ACTION_REQUIRED: WebhookAction.REQUIRES_MORE,
    ProviderState.PROCESSING: WebhookAction.PENDING,
    ProviderState.HELD: WebhookAction.AUTHORIZED,
    ProviderState.CAPTURED: WebhookAction.CAPTURED,
    ProviderState.CANCELED: WebhookAction.CANCELED,
}


class FakeProvider(FakeAccountHolders):
    """Keeps a ledger, remembers keys for ever and says no only where a real provider would.

    ``script`` makes its next answers others. Options: ``CAPTURES_PER_AUTHORIZATION``,
    ``MAX_ATTEMPTS``, ``CAN_LOOK_UP``.
    """

    identifier: ClassVar[str] = "fake"

    def __init__(
        self, provider_id: str = "pp_fake_default", options: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(provider_id, options)
        self.payments: dict[str, FakePayment] = {}
        self.refund_status = MovementStatus.SUCCEEDED  # what the next refunds are born with

    # What a test does to it

    def pay(self, reference: str, *, capture: bool = False) -> None:
        """The buyer pays: the money is held, or taken."""
        payment = self.payments[reference]
        payment.state = ProviderState.CAPTURED if capture else ProviderState.HELD
        payment.held_minor = 0 if capture else payment.amount_minor
        payment.captured_minor = payment.amount_minor if capture else 0

    def payment_of(self, session_id: str) -> FakePayment:
        """The only object of a session."""
        (found,) = (each for each in self.payments.values() if each.session_id == session_id)
        return found

    def delivery(self, reference: str) -> tuple[bytes, dict[str, str]]:
        """Body and headers of a signed event that tells how the object stands."""
        payment = self.payments[reference]
        event = {
            "id": new_id("evt"),
            "created": datetime.now(UTC).isoformat(),
            "reference": reference,
            "session_id": payment.session_id,
            "state": payment.state.value,
            "amount_minor": payment.amount_minor,
            "held_minor": payment.held_minor,
            "captured_minor": payment.captured_minor,
            "currency_code": payment.currency_code,
        }
        body = json.dumps(event).encode()
        return body, {SIGNATURE: _signature(body)}

    # What the package asks of it

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            captures_per_authorization=self.options.get("CAPTURES_PER_AUTHORIZATION"),
            repeats_with_key=True,
            key_retention_seconds=24 * 60 * 60,
            can_look_up=self.options.get("CAN_LOOK_UP", True),
            signs_webhooks=True,
            max_attempts=self.options.get("MAX_ATTEMPTS", 1),
            attempt_seconds=1,
        )

    @property
    def store_data_keys(self) -> None:
        return None

    def takes_money_at_once(self, data: Mapping[str, Any]) -> bool:
        return bool(data.get("confirm"))

    def initiate_payment(self, request: InitiateRequest) -> Outcome:
        return self._answer("initiate_payment", request, self._initiate)

    def update_payment(self, request: UpdateRequest) -> Outcome:
        return self._answer("update_payment", request, self._update)

    def capture_payment(self, request: CaptureRequest) -> Outcome:
        return self._answer("capture_payment", request, self._capture)

    def refund_payment(self, request: RefundRequest) -> Outcome:
        return self._answer("refund_payment", request, self._refund)

    def cancel_payment(self, request: CancelRequest) -> Outcome:
        return self._answer("cancel_payment", request, self._cancel)

    def authorize_payment(self, request: LookupRequest) -> LookupResult:
        result: LookupResult = self._look_up("authorize_payment", request, self._find)
        return result

    def lookup(self, request: LookupRequest) -> LookupResult:
        result: LookupResult = self._look_up("lookup", request, self._find)
        return result

    def list_ledger(self, query: LedgerQuery) -> LedgerPage | NoAnswer:
        result: LedgerPage | NoAnswer = self._look_up("list_ledger", query, self._list)
        return result

    def verify_webhook(self, body: bytes, headers: Mapping[str, str]) -> VerifiedWebhook:
        if not hmac.compare_digest(headers.get(SIGNATURE, ""), _signature(body)):
            raise WebhookRejected("The signature is not the fake's.")
        event = json.loads(body)
        return VerifiedWebhook(
            event_id=event["id"],
            event_type=f"payment.{event['state']}",
            payload=event,
            occurred_at=datetime.fromisoformat(event["created"]),
        )

    def read_webhook(self, payload: Mapping[str, Any]) -> WebhookReport:
        state = ProviderState(payload["state"])
        return WebhookReport(
            action=_ACTIONS[state],
            session_id=payload["session_id"],
            reference=payload["reference"],
            amount_minor=payload["amount_minor"],
            payment=ProviderPayment(
                reference=payload["reference"],
                session_id=payload["session_id"],
                state=state,
                amount_minor=payload["amount_minor"],
                currency_code=payload["currency_code"],
                held_minor=payload["held_minor"],
                captured_minor=payload["captured_minor"],
                observed_at=datetime.fromisoformat(payload["created"]),
            ),
        )

    # How it does it

    def _find(self, request: LookupRequest) -> LookupResult:
        if request.reference:
            found = self.payments.get(request.reference)
            return Found(payment=found.snapshot()) if found else NotFound(listed=False)
        ours = [each for each in self.payments.values() if each.session_id == request.session_id]
        if not ours:
            return NotFound(listed=True)
        return Found(payment=ours[0].snapshot(), others=tuple(each.snapshot() for each in ours[1:]))

    def _list(self, query: LedgerQuery) -> LedgerPage:
        return page_of(self.payments.values(), query)

    def _initiate(self, request: InitiateRequest) -> Outcome:
        payment = FakePayment(
            session_id=request.session_id,
            amount_minor=request.amount_minor,
            currency_code=request.currency_code,
        )
        self.payments[payment.reference] = payment
        if self.takes_money_at_once(request.data):
            self.pay(payment.reference)
        return _succeeded(payment)

    def _update(self, request: UpdateRequest) -> Outcome:
        payment = self.payments[request.reference]
        if payment.state != ProviderState.PAYABLE:
            return _wrong_state(payment)
        payment.amount_minor = request.amount_minor
        return _succeeded(payment)

    def _capture(self, request: CaptureRequest) -> Outcome:
        payment = self.payments[request.reference]
        if payment.state != ProviderState.HELD:
            return _wrong_state(payment)
        if request.amount_minor > payment.held_minor:
            return Failed(kind=FailureKind.REFUSED, code="amount_too_large")
        is_last = self.capabilities.captures_per_authorization == 1
        payment.captured_minor += request.amount_minor
        payment.held_minor = 0 if is_last else payment.held_minor - request.amount_minor
        payment.state = ProviderState.HELD if payment.held_minor else ProviderState.CAPTURED
        return _succeeded(payment)

    def _refund(self, request: RefundRequest) -> Outcome:
        payment = self.payments[request.reference]
        if request.amount_minor > payment.captured_minor - payment.refunded_minor:
            return Failed(kind=FailureKind.REFUSED, code="amount_too_large")
        refund = ProviderRefund(
            reference=new_id("fakere"),
            amount_minor=request.amount_minor,
            status=self.refund_status,
            refund_id=request.refund_id,
            payment_reference=request.reference,
        )
        payment.refunds.append(refund)
        return Succeeded(refund=refund)

    def _cancel(self, request: CancelRequest) -> Outcome:
        payment = self.payments[request.reference]
        if payment.state in (ProviderState.CAPTURED, ProviderState.CANCELED):
            return _wrong_state(payment)
        payment.held_minor = 0
        payment.state = ProviderState.CAPTURED if payment.captured_minor else ProviderState.CANCELED
        return _succeeded(payment)


def _succeeded(payment: FakePayment) -> Succeeded:
    """An answer to a call tells nothing of refunds, as a real provider's does not."""
    shown = replace(payment.snapshot(), refunds=None, disputes=None)
    return Succeeded(payment=shown, data=shown.data)


def _wrong_state(payment: FakePayment) -> Failed:
    shown = replace(payment.snapshot(), refunds=None, disputes=None)
    return Failed(kind=FailureKind.WRONG_STATE, code=payment.state.value, payment=shown)


def _signature(body: bytes) -> str:
    return hmac.new(_SECRET, body, hashlib.sha256).hexdigest()
