"""Reading intents with what happened to them: requests are counted, and end with the time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any, cast

import stripe

from medusa_payments.providers.stripe.answers import AnswerHeaders
from medusa_payments.providers.stripe.errors import is_missing
from medusa_payments.providers.stripe.listing import PAGE, TookTooLong, plain
from medusa_payments.providers.stripe.snapshots import (
    UnreadableAnswer,
    dispute_of,
    expanded,
    payment_of,
    refunds_of,
)
from medusa_payments.providers.types import (
    Json,
    ProviderDispute,
    ProviderPayment,
    ProviderRefund,
)

# A charge's refunds come with its intent: the newest ten, which is nearly always all of them.
_WITH_CHARGE = "latest_charge.refunds"


class OutOfReads(Exception):
    """No further request is allowed."""


class Reader:
    """Reads for one lookup. It starts no request after ``seconds`` or beyond ``max_reads``.

    Its methods raise whatever the SDK raises, ``TookTooLong``, ``OutOfReads``, and
    ``UnreadableAnswer`` for what is no object of Stripe.
    """

    def __init__(
        self, client: stripe.StripeClient, *, seconds: float, max_reads: int | None = None
    ) -> None:
        self.reads = 0
        self._client = client
        self._ends = time.monotonic() + seconds
        self._max_reads = max_reads

    @property
    def reads_left(self) -> int | None:
        return None if self._max_reads is None else self._max_reads - self.reads

    def intent(self, reference: str) -> tuple[Json, datetime] | None:
        """An intent and Stripe's time. None: Stripe says that there is none of that id."""
        self._count()
        try:
            answer = self._client.v1.payment_intents.retrieve(
                reference, params={"expand": [_WITH_CHARGE]}
            )
        except stripe.InvalidRequestError as error:
            if is_missing(error):
                return None
            raise
        return plain(answer), _observed_at(answer)

    def intents(self, **parameters: Any) -> Iterator[tuple[list[Json], datetime]]:
        """Pages of intents, newest first, each with Stripe's time."""
        parameters |= {"expand": [f"data.{_WITH_CHARGE}"], "limit": PAGE}
        yield from self._pages(self._client.v1.payment_intents, parameters)

    def whole(self, intent: Json, *, observed_at: datetime, with_refunds: bool) -> ProviderPayment:
        """The intent with its disputes and, where asked for, its refunds."""
        charge = expanded(intent.get("latest_charge"))
        return payment_of(
            intent,
            observed_at=observed_at,
            refunds=self._refunds(intent, charge) if with_refunds else None,
            disputes=self._disputes(intent, charge),
        )

    def _refunds(self, intent: Json, charge: Json | None) -> tuple[ProviderRefund, ...]:
        if not intent.get("amount_received") and intent.get("status") != "succeeded":
            return ()  # nothing was taken, so nothing can have been given back
        listed = expanded(charge.get("refunds")) if charge else None
        if charge and listed and not listed.get("has_more"):
            return refunds_of(listed.get("data") or (), charge=charge)
        pages = self._pages(self._client.v1.refunds, {"payment_intent": intent["id"]})
        every = [refund for page, _ in pages for refund in page]
        return refunds_of(every, charge=charge or {"captured": True})

    def _disputes(self, intent: Json, charge: Json | None) -> tuple[ProviderDispute, ...] | None:
        if charge is None:
            return () if intent.get("latest_charge") is None else None
        if not charge.get("disputed"):
            return ()
        pages = self._pages(self._client.v1.disputes, {"payment_intent": intent["id"]})
        return tuple(dispute_of(dispute) for page, _ in pages for dispute in page)

    def _pages(
        self, resource: Any, parameters: dict[str, Any]
    ) -> Iterator[tuple[list[Json], datetime]]:
        self._count()
        page = resource.list(params=cast("Any", {"limit": PAGE, **parameters}))
        while True:
            if not isinstance(page, stripe.ListObject):
                raise UnreadableAnswer("not a list")
            yield [plain(each) for each in page.data], _observed_at(page)
            if not page.has_more:
                return
            self._count()
            page = page.next_page()

    def _count(self) -> None:
        if self._max_reads is not None and self.reads >= self._max_reads:
            raise OutOfReads
        if self.reads and time.monotonic() > self._ends:
            raise TookTooLong
        self.reads += 1


def _observed_at(answer: stripe.StripeObject) -> datetime:
    response = answer.last_response
    return AnswerHeaders.read(response.headers if response else None).answered_at
