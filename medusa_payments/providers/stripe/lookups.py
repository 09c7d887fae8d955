"""Finding a payment intent and what happened to it. Reads only, within a time limit."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any, cast

import stripe

from medusa_payments.providers.stripe.answers import AnswerHeaders
from medusa_payments.providers.stripe.errors import code_of, is_missing, safe_detail
from medusa_payments.providers.stripe.listing import (
    PAGE,
    TookTooLong,
    created_between,
    pages,
    plain,
)
from medusa_payments.providers.stripe.parameters import customer_parameter
from medusa_payments.providers.stripe.snapshots import (
    UnreadableAnswer,
    dispute_of,
    expanded,
    metadata_of,
    payment_of,
    refunds_of,
)
from medusa_payments.providers.types import (
    Found,
    Json,
    LookupRequest,
    LookupResult,
    NoAnswer,
    NotFound,
    ProviderDispute,
    ProviderPayment,
    ProviderRefund,
)
from medusa_payments.statuses import ProviderState

# Of several intents with one session id, the one that says most about money goes first.
_WEIGHTS = {
    ProviderState.CAPTURED: 0,
    ProviderState.HELD: 1,
    ProviderState.PROCESSING: 2,
    ProviderState.ACTION_REQUIRED: 3,
    ProviderState.PAYABLE: 4,
    ProviderState.CANCELED: 5,
}


class Lookup:
    """One lookup. It starts no request after ``seconds``."""

    def __init__(
        self, client: stripe.StripeClient, request: LookupRequest, *, seconds: float
    ) -> None:
        self._client = client
        self._request = request
        self._ends = time.monotonic() + seconds

    def result(self) -> LookupResult:
        if not self._request.reference and not self._request.created_from:
            return NoAnswer(
                code="nothing_to_look_for", detail="Neither a reference nor a time is known."
            )
        try:
            return self._retrieved() if self._request.reference else self._listed()
        except UnreadableAnswer as error:
            return NoAnswer(code="unreadable_answer", detail=str(error))
        except TookTooLong:
            return NoAnswer(code="took_too_long", detail="The time for a lookup is over.")
        except Exception as error:  # noqa: BLE001 - nothing was learned, whatever it is
            return NoAnswer(code=code_of(error) or "no_answer", detail=safe_detail(error))

    def _retrieved(self) -> LookupResult:
        try:
            intent = self._client.v1.payment_intents.retrieve(
                self._request.reference, params={"expand": ["latest_charge"]}
            )
        except stripe.InvalidRequestError as error:
            if is_missing(error):
                return NotFound(listed=False)
            raise
        return Found(payment=self._whole(plain(intent), observed_at=_observed_at(intent)))

    def _listed(self) -> LookupResult:
        parameters = {
            "created": created_between(self._request.created_from, self._request.created_to),
            "expand": ["data.latest_charge"],
            "limit": PAGE,
            **customer_parameter(self._request.customer),
        }
        first = self._client.v1.payment_intents.list(params=cast("Any", parameters))
        observed_at = _observed_at(first)
        ours = [
            self._whole(intent, observed_at=observed_at)
            for intent in pages(first, ends=self._ends)
            if metadata_of(intent, "session_id") == self._request.session_id
        ]
        if not ours:
            return NotFound(listed=True)
        ours.sort(key=lambda payment: _WEIGHTS[payment.state])
        return Found(payment=ours[0], others=tuple(ours[1:]))

    def _whole(self, intent: Json, *, observed_at: datetime) -> ProviderPayment:
        """The intent with its disputes and, where asked for, its refunds."""
        charge = expanded(intent.get("latest_charge"))
        return payment_of(
            intent,
            observed_at=observed_at,
            refunds=self._refunds(intent, charge) if self._request.with_refunds else None,
            disputes=self._disputes(intent, charge),
        )

    def _refunds(self, intent: Json, charge: Json | None) -> tuple[ProviderRefund, ...]:
        if not intent.get("amount_received") and intent.get("status") != "succeeded":
            return ()  # nothing was taken, so nothing can have been given back
        first = self._client.v1.refunds.list(params={"payment_intent": intent["id"], "limit": PAGE})
        return refunds_of(pages(first, ends=self._ends), charge=charge or {"captured": True})

    def _disputes(self, intent: Json, charge: Json | None) -> tuple[ProviderDispute, ...] | None:
        if charge is None:
            return () if intent.get("latest_charge") is None else None
        if not charge.get("disputed"):
            return ()
        first = self._client.v1.disputes.list(
            params={"payment_intent": intent["id"], "limit": PAGE}
        )
        return tuple(map(dispute_of, pages(first, ends=self._ends)))


def _observed_at(answer: stripe.StripeObject) -> datetime:
    response = answer.last_response
    return AnswerHeaders.read(response.headers if response else None).answered_at
