"""Stripe as a payment provider. Every method asks once; repeating is the caller's business."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, cast

import stripe

from medusa_payments.providers.batches import BatchAnswer, LookupBatch
from medusa_payments.providers.ledger_types import LedgerPage, LedgerQuery
from medusa_payments.providers.stripe import webhooks
from medusa_payments.providers.stripe.amounts import to_stripe
from medusa_payments.providers.stripe.answers import AnswerHeaders
from medusa_payments.providers.stripe.batches import BatchLookup
from medusa_payments.providers.stripe.client import StripeClients
from medusa_payments.providers.stripe.ledger import ledger_page
from medusa_payments.providers.stripe.lookups import Lookup
from medusa_payments.providers.stripe.options import StripeOptions
from medusa_payments.providers.stripe.parameters import OVERRIDES, check_data, initiate_parameters
from medusa_payments.providers.stripe.saved_methods import PaymentMethodMethods
from medusa_payments.providers.stripe.sending import asked, named
from medusa_payments.providers.stripe.snapshots import payment_of, refund_of
from medusa_payments.providers.types import (
    CancelRequest,
    Capabilities,
    CaptureRequest,
    InitiateRequest,
    LookupRequest,
    LookupResult,
    NoAnswer,
    Outcome,
    RefundRequest,
    Succeeded,
    UpdateRequest,
    VerifiedWebhook,
    WebhookReport,
)

_KEY_RETENTION = 24 * 60 * 60  # seconds that Stripe remembers an idempotency key
_MAX_ATTEMPTS = 3
_BATCH_BUDGETS = 2  # a batch may read as long as so many calls
_REFUND_REASONS = ("duplicate", "fraudulent", "requested_by_customer")


class StripeProvider(PaymentMethodMethods):
    identifier: ClassVar[str] = "stripe"

    def __init__(self, provider_id: str, options: Mapping[str, Any]) -> None:
        super().__init__(provider_id, options)
        self._options = StripeOptions.read(options)
        self._clients = StripeClients(self._options)

    @classmethod
    def validate_options(cls, options: Mapping[str, Any]) -> None:
        StripeOptions.read(options)

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            captures_per_authorization=1,
            repeats_with_key=True,
            key_retention_seconds=_KEY_RETENTION,
            can_look_up=True,
            signs_webhooks=True,
            total_budget_seconds=self._options.total_budget,
            attempt_seconds=self._options.connect_timeout + self._options.read_timeout,
            max_attempts=_MAX_ATTEMPTS,
        )

    @property
    def credentials(self) -> str:
        return self._options.credentials

    @property
    def accepts_webhooks(self) -> bool:
        return bool(self._options.webhook_secrets)

    @property
    def publishable_key(self) -> str:
        return self._options.publishable_key

    @property
    def store_data_keys(self) -> tuple[str, ...]:
        return self._options.store_data_keys

    @property
    def trusted_data_keys(self) -> tuple[str, ...]:
        return tuple(OVERRIDES)

    def check_amount(self, amount_minor: int, currency_code: str) -> None:
        to_stripe(amount_minor, currency_code)

    def check_data(self, data: Mapping[str, Any]) -> None:
        check_data(data)

    def takes_money_at_once(self, data: Mapping[str, Any]) -> bool:
        return bool(data.get("confirm"))

    def captures_by_itself(self, data: Mapping[str, Any]) -> bool:
        method = data.get("capture_method")
        if method is None:  # an empty one is sent on, and may mean anything to Stripe
            method = self._initiate_defaults().get("capture_method", self._options.capture)
        return bool(method != "manual")

    def initiate_payment(self, request: InitiateRequest) -> Outcome:
        return self._asked(
            lambda intents: intents.create(
                params=cast(
                    "Any", initiate_parameters(request, self._options, self._initiate_defaults())
                ),
                options={"idempotency_key": request.idempotency_key},
            )
        )

    def update_payment(self, request: UpdateRequest) -> Outcome:
        return self._asked(
            lambda intents: intents.update(
                named(request.reference),
                params={
                    "amount": to_stripe(request.amount_minor, request.currency_code),
                    "currency": request.currency_code.lower(),
                },
                options={"idempotency_key": request.idempotency_key},
            )
        )

    def capture_payment(self, request: CaptureRequest) -> Outcome:
        return self._asked(
            lambda intents: intents.capture(
                named(request.reference),
                params={
                    "amount_to_capture": to_stripe(request.amount_minor, request.currency_code)
                },
                options={"idempotency_key": request.idempotency_key},
            )
        )

    def cancel_payment(self, request: CancelRequest) -> Outcome:
        return self._asked(
            lambda intents: intents.cancel(
                named(request.reference), options={"idempotency_key": request.idempotency_key}
            )
        )

    def refund_payment(self, request: RefundRequest) -> Outcome:
        return asked(
            lambda: self._clients.writing.v1.refunds.create(
                params=cast("Any", _refund_parameters(request)),
                options={"idempotency_key": request.idempotency_key},
            ),
            read=_refund_answer,
        )

    def authorize_payment(self, request: LookupRequest) -> LookupResult:
        return self.lookup(request)

    def lookup(self, request: LookupRequest) -> LookupResult:
        return Lookup(self._clients.reading, request, seconds=self._options.total_budget).result()

    def lookup_many(self, batch: LookupBatch) -> BatchAnswer:
        seconds = _BATCH_BUDGETS * self._options.total_budget
        return BatchLookup(self._clients.reading, batch, seconds=seconds).answer()

    def list_ledger(self, query: LedgerQuery) -> LedgerPage | NoAnswer:
        return ledger_page(self._clients.reading, query)

    def verify_webhook(self, body: bytes, headers: Mapping[str, str]) -> VerifiedWebhook:
        return webhooks.verified(body, headers, self._options)

    def accept_verified(self, event: Mapping[str, Any]) -> VerifiedWebhook:
        """An event whose signature somebody else has checked, such as dj-stripe.

        :raises WebhookRejected: it is no event of Stripe.
        """
        return webhooks.accepted(event, self._options)

    def read_webhook(self, payload: Mapping[str, Any]) -> WebhookReport:
        return webhooks.report_of(payload)

    def _initiate_defaults(self) -> Mapping[str, Any]:
        """What this variant sends unless the session's data says otherwise."""
        return {}

    def _asked(
        self, send: Callable[[stripe.PaymentIntentService], stripe.PaymentIntent]
    ) -> Outcome:
        return asked(lambda: send(self._clients.writing.v1.payment_intents), read=_intent_answer)


def _intent_answer(intent: dict[str, Any], headers: AnswerHeaders) -> Succeeded:
    payment = payment_of(intent, observed_at=headers.observed_at(intent))
    return Succeeded(
        request_id=headers.request_id, replayed=headers.replayed, payment=payment, data=payment.data
    )


def _refund_answer(refund: dict[str, Any], headers: AnswerHeaders) -> Succeeded:
    return Succeeded(
        request_id=headers.request_id, replayed=headers.replayed, refund=refund_of(refund)
    )


def _refund_parameters(request: RefundRequest) -> dict[str, Any]:
    parameters: dict[str, Any] = {
        "payment_intent": named(request.reference),
        "amount": to_stripe(request.amount_minor, request.currency_code),
        "metadata": {"session_id": request.session_id, "refund_id": request.refund_id},
    }
    if request.reason in _REFUND_REASONS:
        parameters["reason"] = request.reason
    return parameters
