"""What the contracts of payment providers share: ready-made requests, and hooks for the outside."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from medusa_payments.ids import new_id
from medusa_payments.providers.base import PaymentProvider
from medusa_payments.providers.types import (
    AccountHolderLookup,
    AccountHolderRequest,
    Answer,
    CancelRequest,
    CaptureRequest,
    Found,
    InitiateRequest,
    Json,
    LookupRequest,
    Outcome,
    PaymentMethodLookup,
    PaymentMethodRequest,
    ProviderPayment,
    RefundRequest,
    Succeeded,
    WebhookReport,
)


class ProviderSteps:
    """A provider, what happens outside of it, and ready-made requests. All in smallest units."""

    amount_minor = 10_50
    currency_code = "eur"

    @pytest.fixture
    def provider(self) -> PaymentProvider:
        raise NotImplementedError("Override the fixture `provider`.")

    # Hooks

    def hold(self, payment: ProviderPayment) -> None:
        """The buyer pays, and the money is held."""

    def lose_next_answer(self, provider: PaymentProvider, method: str) -> None:
        """The next call of a method is executed, and its answer never arrives."""
        pytest.skip("lose_next_answer is not overridden")

    def drop_next_request(self, provider: PaymentProvider, method: str) -> None:
        """The next call of a method gets lost on its way, after it was sent."""
        pytest.skip("drop_next_request is not overridden")

    def make_unreachable(self, provider: PaymentProvider) -> None:
        """From now on no connection can be made."""
        pytest.skip("make_unreachable is not overridden")

    def delivery(
        self, provider: PaymentProvider, payment: ProviderPayment
    ) -> tuple[bytes, dict[str, str]]:
        """A signed event of the provider about this payment: body and headers."""
        pytest.skip("delivery is not overridden")

    # Steps

    def needs(self, ability: bool, name: str) -> None:
        if not ability:
            pytest.skip(f"the provider has no {name}")

    def initiated(self, provider: PaymentProvider) -> ProviderPayment:
        payment = succeeded(provider.initiate_payment(self.initiate_request())).payment
        assert payment is not None
        return payment

    def held(self, provider: PaymentProvider) -> ProviderPayment:
        payment = self.initiated(provider)
        self.hold(payment)
        return payment

    def captured(self, provider: PaymentProvider) -> ProviderPayment:
        payment = self.held(provider)
        succeeded(provider.capture_payment(self.capture_request(payment)))
        return payment

    def prepared(self, provider: PaymentProvider, method: str) -> Callable[[], Outcome]:
        """A call of this method that would succeed, ready to be made, always with one key."""
        steps: dict[str, Callable[[], tuple[Callable[[Any], Outcome], Any]]] = {
            "initiate_payment": lambda: (provider.initiate_payment, self.initiate_request()),
            "capture_payment": lambda: (
                provider.capture_payment,
                self.capture_request(self.held(provider)),
            ),
            "refund_payment": lambda: (
                provider.refund_payment,
                self.refund_request(self.captured(provider)),
            ),
            "cancel_payment": lambda: (
                provider.cancel_payment,
                self.cancel_request(self.held(provider)),
            ),
        }
        ask, request = steps[method]()
        return lambda: ask(request)

    def seen(self, provider: PaymentProvider, payment: ProviderPayment) -> ProviderPayment:
        found = provider.lookup(self.lookup_request(payment, with_refunds=True))
        assert isinstance(found, Found)
        return found.payment

    def refunds(self, provider: PaymentProvider, payment: ProviderPayment) -> tuple[Any, ...]:
        refunds = self.seen(provider, payment).refunds
        assert refunds is not None, "a lookup with refunds tells all of them"
        return refunds

    def report_of_stored(self, provider: PaymentProvider, payload: Json) -> WebhookReport:
        """Read an event as it comes back from the database."""
        return provider.read_webhook(json.loads(json.dumps(dict(payload))))

    # Requests

    def initiate_request(self, **changes: Any) -> InitiateRequest:
        values: dict[str, Any] = {
            "idempotency_key": new_id("call"),
            "session_id": new_id("payses"),
            "amount_minor": self.amount_minor,
            "currency_code": self.currency_code,
        }
        return InitiateRequest(**values | changes)

    def capture_request(
        self, payment: ProviderPayment, amount_minor: int | None = None
    ) -> CaptureRequest:
        return CaptureRequest(
            idempotency_key=new_id("call"),
            session_id=payment.session_id,
            data=payment.data,
            reference=payment.reference,
            amount_minor=self.amount_minor if amount_minor is None else amount_minor,
            currency_code=payment.currency_code,
            capture_id=new_id("capt"),
        )

    def refund_request(
        self, payment: ProviderPayment, amount_minor: int | None = None, *, reason: str = ""
    ) -> RefundRequest:
        return RefundRequest(
            idempotency_key=new_id("call"),
            session_id=payment.session_id,
            data=payment.data,
            reference=payment.reference,
            amount_minor=self.amount_minor if amount_minor is None else amount_minor,
            currency_code=payment.currency_code,
            refund_id=new_id("ref"),
            reason=reason,
        )

    def cancel_request(self, payment: ProviderPayment) -> CancelRequest:
        return CancelRequest(
            idempotency_key=new_id("call"),
            session_id=payment.session_id,
            data=payment.data,
            reference=payment.reference,
        )

    def lookup_request(
        self, payment: ProviderPayment, *, with_refunds: bool = False
    ) -> LookupRequest:
        return LookupRequest(
            session_id=payment.session_id,
            reference=payment.reference,
            with_refunds=with_refunds,
            data=payment.data,
            amount_minor=payment.amount_minor,
            currency_code=payment.currency_code,
        )

    def window(self, session_id: str) -> LookupRequest:
        """The last ten minutes, without a reference."""
        now = datetime.now(UTC)
        return LookupRequest(
            session_id=session_id,
            created_from=now - timedelta(minutes=10),
            created_to=now + timedelta(minutes=10),
        )

    # Account holders

    customer: Json = {
        "id": "customer_of_the_contract",
        "email": "anna@example.com",
        "first_name": "Anna",
        "last_name": "Karlsson",
    }

    def holder_request(self, reference: str = "", **changes: Any) -> AccountHolderRequest:
        values: dict[str, Any] = {
            "idempotency_key": new_id("ahcall"),
            "account_holder_id": new_id("acchld"),
            "reference": reference,
            "customer": self.customer,
        }
        return AccountHolderRequest(**values | changes)

    def holder_lookup(self, account_holder_id: str, **changes: Any) -> AccountHolderLookup:
        """Of the last ten minutes."""
        now = datetime.now(UTC)
        values: dict[str, Any] = {
            "account_holder_id": account_holder_id,
            "customer": self.customer,
            "created_from": now - timedelta(minutes=10),
            "created_to": now + timedelta(minutes=10),
        }
        return AccountHolderLookup(**values | changes)

    def holder(self, provider: PaymentProvider) -> str:
        """The provider's id of a holder that it has just made."""
        return str(succeeded(provider.create_account_holder(self.holder_request())).data["id"])

    def method_request(self, holder: str, reference: str = "") -> PaymentMethodRequest:
        return PaymentMethodRequest(
            idempotency_key=new_id("ahcall"),
            account_holder=holder,
            account_holder_id=new_id("acchld"),
            call_id=new_id("ahcall"),
            reference=reference,
        )

    def method_lookup(self, request: PaymentMethodRequest) -> PaymentMethodLookup:
        now = datetime.now(UTC)
        return PaymentMethodLookup(
            account_holder=request.account_holder,
            call_id=request.call_id,
            reference=request.reference,
            created_from=now - timedelta(minutes=10),
            created_to=now + timedelta(minutes=10),
        )


def succeeded(answer: Outcome) -> Succeeded:
    assert isinstance(answer, Answer)
    assert isinstance(answer, Succeeded), answer
    return answer
