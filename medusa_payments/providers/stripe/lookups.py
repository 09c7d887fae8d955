"""Finding a payment intent and what happened to it. Reads only, within a time limit."""

from __future__ import annotations

from collections.abc import Iterable

import stripe

from medusa_payments.providers.stripe.errors import code_of, is_outage, safe_detail
from medusa_payments.providers.stripe.listing import TookTooLong, created_between
from medusa_payments.providers.stripe.parameters import customer_parameter
from medusa_payments.providers.stripe.reading import Reader
from medusa_payments.providers.stripe.snapshots import UnreadableAnswer, metadata_of
from medusa_payments.providers.types import (
    Found,
    LookupRequest,
    LookupResult,
    NoAnswer,
    NotFound,
    ProviderPayment,
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
        self._reader = Reader(client, seconds=seconds)
        self._request = request

    def result(self) -> LookupResult:
        if not self._request.reference and not self._request.created_from:
            return NoAnswer(
                code="nothing_to_look_for", detail="Neither a reference nor a time is known."
            )
        try:
            return self._retrieved() if self._request.reference else self._listed()
        except Exception as error:  # noqa: BLE001 - nothing was learned, whatever it is
            return no_answer(error)

    def _retrieved(self) -> LookupResult:
        return retrieved(self._reader, self._request)

    def _listed(self) -> LookupResult:
        pages = self._reader.intents(
            created=created_between(self._request.created_from, self._request.created_to),
            **customer_parameter(self._request.customer),
        )
        return found(
            self._reader.whole(
                intent, observed_at=observed_at, with_refunds=self._request.with_refunds
            )
            for page, observed_at in pages
            for intent in page
            if metadata_of(intent, "session_id") == self._request.session_id
        )


def retrieved(reader: Reader, request: LookupRequest) -> LookupResult:
    """The object of the request's reference."""
    answer = reader.intent(request.reference)
    if answer is None:
        return NotFound(listed=False)
    intent, observed_at = answer
    return Found(
        payment=reader.whole(intent, observed_at=observed_at, with_refunds=request.with_refunds)
    )


def found(ours: Iterable[ProviderPayment]) -> LookupResult:
    """What a listing showed of one session."""
    payments = sorted(ours, key=lambda payment: _WEIGHTS[payment.state])
    if not payments:
        return NotFound(listed=True)
    return Found(payment=payments[0], others=tuple(payments[1:]))


def no_answer(error: Exception) -> NoAnswer:
    """Why a lookup taught nothing."""
    if isinstance(error, UnreadableAnswer):
        return NoAnswer(code="unreadable_answer", detail=str(error))
    if isinstance(error, TookTooLong):
        return NoAnswer(code="took_too_long", detail="The time for a lookup is over.")
    return NoAnswer(
        code=code_of(error) or "no_answer", detail=safe_detail(error), is_outage=is_outage(error)
    )
