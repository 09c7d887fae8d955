"""Saved payment methods: listed and detached for a customer, saved by a SetupIntent."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, cast

import stripe

from medusa_payments.errors import InvalidData
from medusa_payments.providers.stripe.answers import AnswerHeaders
from medusa_payments.providers.stripe.customers import CustomerMethods, looked_up
from medusa_payments.providers.stripe.errors import is_missing
from medusa_payments.providers.stripe.listing import PAGE, created_between, pages, plain
from medusa_payments.providers.stripe.parameters import OVERRIDES
from medusa_payments.providers.stripe.sending import asked, named
from medusa_payments.providers.stripe.snapshots import UnreadableAnswer, id_of, metadata_of
from medusa_payments.providers.types import (
    Json,
    KeptFound,
    KeptLookupResult,
    KeptObject,
    NotFound,
    Outcome,
    PaymentMethodLookup,
    PaymentMethodRequest,
    Succeeded,
)

# Keys that the data of a SetupIntent may hold. No card data: that goes from the browser to Stripe.
_SETUP_KEYS = (
    "automatic_payment_methods",
    "confirm",
    "metadata",
    "payment_method",
    "payment_method_configuration",
    "payment_method_types",
    "return_url",
)
_SETUP_DATA = (
    "id",
    "client_secret",
    "status",
    "customer",
    "payment_method",
    "payment_method_types",
    "usage",
    "created",
    "livemode",
    "metadata",
)
_METHOD_DATA = ("id", "type", "customer", "created", "livemode", "metadata", "allow_redisplay")
_CARD_DATA = ("brand", "last4", "exp_month", "exp_year", "funding", "country", "display_brand")


class PaymentMethodMethods(CustomerMethods):
    """The methods about saved payment methods; ``StripeProvider`` adds the rest."""

    def check_payment_method_data(self, data: Mapping[str, Any]) -> None:
        if unknown := sorted(set(data) - set(_SETUP_KEYS)):
            raise InvalidData(f"A payment method cannot be saved with {', '.join(unknown)}.")
        for key, value in data.items():
            if value is not None and not OVERRIDES[key](value):
                raise InvalidData(f"The value of {key} is not of the kind that Stripe takes.")

    def list_payment_methods(self, account_holder: str) -> list[Json]:
        page = self._clients.reading.v1.customers.payment_methods.list(
            named(account_holder), params={"limit": PAGE}
        )
        return [_method_data(plain(method)) for method in page.data]

    def save_payment_method(self, request: PaymentMethodRequest) -> Outcome:
        return asked(
            lambda: self._clients.writing.v1.setup_intents.create(
                params=cast("Any", _setup_parameters(request)),
                options={"idempotency_key": request.idempotency_key},
            ),
            read=_setup_answer,
        )

    def delete_payment_method(self, request: PaymentMethodRequest) -> Outcome:
        return asked(
            lambda: self._clients.writing.v1.payment_methods.detach(
                named(request.reference), options={"idempotency_key": request.idempotency_key}
            ),
            read=_detached_answer,
        )

    def lookup_payment_method(self, request: PaymentMethodLookup) -> KeptLookupResult:
        return looked_up(
            lambda: self._read_method(request) if request.reference else self._find_setup(request)
        )

    def _read_method(self, request: PaymentMethodLookup) -> KeptLookupResult:
        try:
            method = plain(self._clients.reading.v1.payment_methods.retrieve(request.reference))
        except stripe.InvalidRequestError as error:
            if is_missing(error):
                return NotFound(listed=False)
            raise
        if id_of(method.get("customer")) != request.account_holder:
            return NotFound(listed=False)
        return KeptFound(
            objects=(KeptObject(reference=request.reference, data=_method_data(method)),)
        )

    def _find_setup(self, request: PaymentMethodLookup) -> KeptLookupResult:
        first = self._clients.reading.v1.setup_intents.list(
            params=cast(
                "Any",
                {
                    "customer": named(request.account_holder),
                    "created": created_between(request.created_from, request.created_to),
                    "limit": PAGE,
                },
            )
        )
        ours = [
            KeptObject(reference=str(setup["id"]), data=_setup_data(setup))
            for setup in pages(first, ends=time.monotonic() + self._options.total_budget)
            if metadata_of(setup, "call_id") == request.call_id
        ]
        return KeptFound(objects=tuple(reversed(ours))) if ours else NotFound(listed=True)


def _setup_parameters(request: PaymentMethodRequest) -> dict[str, Any]:
    given = {key: value for key, value in request.data.items() if value is not None}
    return {
        **given,
        "customer": named(request.account_holder),
        "usage": "off_session",
        "metadata": {
            **given.get("metadata", {}),
            "account_holder_id": request.account_holder_id,
            "call_id": request.call_id,
        },
    }


def _setup_answer(setup: dict[str, Any], headers: AnswerHeaders) -> Succeeded:
    if setup.get("object") != "setup_intent" or not setup.get("id"):
        raise UnreadableAnswer("not a setup_intent")
    return Succeeded(
        request_id=headers.request_id, replayed=headers.replayed, data=_setup_data(setup)
    )


def _detached_answer(method: dict[str, Any], headers: AnswerHeaders) -> Succeeded:
    if method.get("object") != "payment_method":
        raise UnreadableAnswer("not a payment_method")
    return Succeeded(request_id=headers.request_id, replayed=headers.replayed)


def _setup_data(setup: Json) -> dict[str, Any]:
    return {key: setup[key] for key in _SETUP_DATA if key in setup}


def _method_data(method: Json) -> dict[str, Any]:
    data = {key: method[key] for key in _METHOD_DATA if key in method}
    card = method.get("card")
    if isinstance(card, Mapping):
        data["card"] = {key: card[key] for key in _CARD_DATA if key in card}
    return data
