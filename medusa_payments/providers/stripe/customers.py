"""Account holders: Stripe's customers, which carry our id in their metadata."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, cast

import stripe

from medusa_payments.providers.base import PaymentProvider
from medusa_payments.providers.stripe.answers import AnswerHeaders
from medusa_payments.providers.stripe.client import StripeClients
from medusa_payments.providers.stripe.errors import code_of, is_missing, safe_detail
from medusa_payments.providers.stripe.listing import PAGE, created_between, pages, plain
from medusa_payments.providers.stripe.options import StripeOptions
from medusa_payments.providers.stripe.sending import asked, named
from medusa_payments.providers.stripe.snapshots import UnreadableAnswer, metadata_of
from medusa_payments.providers.types import (
    AccountHolderLookup,
    AccountHolderRequest,
    Json,
    KeptFound,
    KeptLookupResult,
    KeptObject,
    NoAnswer,
    NotFound,
    Outcome,
    Succeeded,
)

_MARKER = "account_holder_id"
_ADDRESS = {
    "line1": "address_1",
    "line2": "address_2",
    "city": "city",
    "country": "country_code",
    "state": "province",
    "postal_code": "postal_code",
}
# What is kept of a customer beside the shop's own record.
_DATA_KEYS = ("id", "email", "name", "phone", "address", "metadata", "created", "livemode")


class CustomerMethods(PaymentProvider):
    """The methods about account holders; ``StripeProvider`` adds the rest."""

    _options: StripeOptions
    _clients: StripeClients

    def create_account_holder(self, request: AccountHolderRequest) -> Outcome:
        return asked(
            lambda: self._clients.writing.v1.customers.create(
                params=cast("Any", _parameters(request)),
                options={"idempotency_key": request.idempotency_key},
            ),
            read=_customer_answer,
        )

    def update_account_holder(self, request: AccountHolderRequest) -> Outcome:
        return asked(
            lambda: self._clients.writing.v1.customers.update(
                named(request.reference),
                params=cast("Any", _parameters(request)),
                options={"idempotency_key": request.idempotency_key},
            ),
            read=_customer_answer,
        )

    def delete_account_holder(self, request: AccountHolderRequest) -> Outcome:
        """A customer that is gone already is what was asked for."""

        def send() -> stripe.StripeObject:
            try:
                return self._clients.writing.v1.customers.delete(
                    named(request.reference), options={"idempotency_key": request.idempotency_key}
                )
            except stripe.InvalidRequestError as error:
                if is_missing(error):
                    return stripe.Customer(request.reference)
                raise

        return asked(send, read=_deletion_answer)

    def retrieve_account_holder(self, reference: str) -> Json | None:
        customer = self._customer(reference)
        return customer and data_of(customer)

    def lookup_account_holder(self, request: AccountHolderLookup) -> KeptLookupResult:
        return looked_up(
            lambda: (
                self._read_customer(request) if request.reference else self._find_customer(request)
            )
        )

    def _read_customer(self, request: AccountHolderLookup) -> KeptLookupResult:
        customer = self._customer(request.reference)
        if customer is None:
            return NotFound(listed=False)
        wanted = _details(request.customer)
        return KeptFound(
            objects=(
                KeptObject(
                    reference=request.reference,
                    is_as_asked=all(_holds(customer.get(key), wanted[key]) for key in wanted),
                    data=data_of(customer),
                ),
            )
        )

    def _find_customer(self, request: AccountHolderLookup) -> KeptLookupResult:
        parameters: dict[str, Any] = {
            "created": created_between(request.created_from, request.created_to),
            "limit": PAGE,
        }
        if email := request.customer.get("email"):
            parameters["email"] = email
        first = self._clients.reading.v1.customers.list(params=cast("Any", parameters))
        ours = [
            KeptObject(reference=str(customer["id"]), data=data_of(customer))
            for customer in pages(first, ends=time.monotonic() + self._options.total_budget)
            if metadata_of(customer, _MARKER) == request.account_holder_id
        ]
        return KeptFound(objects=tuple(reversed(ours))) if ours else NotFound(listed=True)

    def _customer(self, reference: str) -> dict[str, Any] | None:
        """None: there is none of that id (any more)."""
        try:
            customer = plain(self._clients.reading.v1.customers.retrieve(reference))
        except stripe.InvalidRequestError as error:
            if is_missing(error):
                return None
            raise
        return None if customer.get("deleted") else customer


def looked_up(ask: Callable[[], KeptLookupResult]) -> KeptLookupResult:
    try:
        return ask()
    except Exception as error:  # noqa: BLE001 - nothing was learned, whatever it is
        return NoAnswer(code=code_of(error) or "no_answer", detail=safe_detail(error))


def data_of(customer: Json) -> dict[str, Any]:
    return {key: customer[key] for key in _DATA_KEYS if key in customer}


def _parameters(request: AccountHolderRequest) -> dict[str, Any]:
    return {**_details(request.customer), "metadata": {_MARKER: request.account_holder_id}}


def _details(customer: Json) -> dict[str, Any]:
    """As Medusa sends them: what is not known is not sent."""
    full_name = " ".join(
        part for part in (customer.get("first_name"), customer.get("last_name")) if part
    )
    address = dict(customer.get("billing_address") or {})
    address["country_code"] = str(address.get("country_code", "")).upper()  # ISO 3166, as Stripe
    details = {
        "email": customer.get("email"),
        "name": customer.get("company_name") or full_name,
        "phone": customer.get("phone"),
        "address": {ours: address[key] for ours, key in _ADDRESS.items() if address.get(key)},
    }
    return {key: value for key, value in details.items() if value}


def _holds(kept: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict):
        return isinstance(kept, dict) and all(kept.get(key) == wanted[key] for key in wanted)
    return bool(kept == wanted)


def _customer_answer(customer: dict[str, Any], headers: AnswerHeaders) -> Succeeded:
    if customer.get("object") != "customer" or not customer.get("id"):
        raise UnreadableAnswer("not a customer")
    return Succeeded(
        request_id=headers.request_id, replayed=headers.replayed, data=data_of(customer)
    )


def _deletion_answer(customer: dict[str, Any], headers: AnswerHeaders) -> Succeeded:
    return Succeeded(request_id=headers.request_id, replayed=headers.replayed)
