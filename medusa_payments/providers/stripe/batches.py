"""Finding many intents at once: a page of Stripe's list answers up to a hundred lookups.

Three steps, each for what the one before left open. *Near*: list around the moments when the
requests were on their way. *One by one*: read what has a reference. *Far*: list the whole windows
in which an object could have been made; only that shows that there is none.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import stripe

from medusa_payments.providers.batches import BatchAnswer, LookupBatch, Reading
from medusa_payments.providers.stripe.listing import TookTooLong, created_between
from medusa_payments.providers.stripe.lookups import found, no_answer, retrieved
from medusa_payments.providers.stripe.parameters import customer_parameter
from medusa_payments.providers.stripe.reading import OutOfReads, Reader
from medusa_payments.providers.stripe.snapshots import metadata_of
from medusa_payments.providers.types import LookupRequest, NotFound, ProviderPayment

_AROUND = timedelta(seconds=5)  # whole seconds, and a request's way to Stripe
_GAP = timedelta(seconds=60)  # between requests that one listing may answer
_SKEW = timedelta(seconds=5)  # from which on the two clocks differ
_FEW = 3  # fewer are read one by one; so many pages may find nothing
_REMEMBERED = 20_000  # sessions of one run's listings
_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)
_FAR_AHEAD = datetime(2100, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class _Listing:
    """Every intent with our mark that was created in a window, as it was read at one time."""

    created_from: datetime
    created_to: datetime
    read_at: datetime  # by our clock
    asked_at: float  # by the monotonic clock
    payments: dict[str, list[ProviderPayment]] = field(repr=False)

    def covers(self, request: LookupRequest) -> bool:
        return self.created_from <= _from(request) and self.created_to >= _to(request)

    def answers(self, request: LookupRequest) -> bool:
        """Whether it shows what became of the request's session, also that nothing did."""
        return (
            self.covers(request)
            and self.read_at >= (request.fresh_after or _NO_TIME)
            and self.read_at >= (request.conclusive_from or _NO_TIME)
        )


class BatchLookup:
    """One batch. It starts no request after ``seconds``."""

    def __init__(self, client: stripe.StripeClient, batch: LookupBatch, *, seconds: float) -> None:
        self._batch = batch
        self._reader = Reader(client, seconds=seconds, max_reads=batch.max_reads)
        self._readings: dict[str, Reading] = {}
        self._skew = timedelta()

    def answer(self) -> BatchAnswer:
        try:
            self._recall()
            self._list_near()
            self._read_one_by_one()
            self._list_far()
        except OutOfReads:
            pass  # what is left is asked another time
        except Exception as error:  # noqa: BLE001 - nothing was learned of the rest
            if not (isinstance(error, TookTooLong) and self._readings):
                reading = Reading(no_answer(error))
                self._readings |= {each.session_id: reading for each in self._open()}
        return BatchAnswer(readings=self._readings, reads=self._reader.reads)

    def _open(self) -> list[LookupRequest]:
        return [each for each in self._batch.requests if each.session_id not in self._readings]

    def _recall(self) -> None:
        """What an earlier batch of this run has listed."""
        for request in self._open():
            for listing in self._listings():
                if listing.answers(request):
                    self._conclude(request, listing)
                    break

    def _listings(self) -> list[_Listing]:
        kept: list[_Listing] = self._batch.memory.setdefault("listings", [])
        return kept

    def _conclude(self, request: LookupRequest, listing: _Listing) -> None:
        """A reference that a whole listing does not show is read by itself."""
        result = found(listing.payments.get(request.session_id, ()))
        if not (isinstance(result, NotFound) and request.reference):
            self._readings[request.session_id] = Reading(result, listing.asked_at)

    def _list_near(self) -> None:
        self._list_around(self._open(), shift=timedelta())
        if abs(self._skew) > _SKEW:
            self._list_around(self._open(), shift=self._skew)

    def _list_around(self, requests: Iterable[LookupRequest], *, shift: timedelta) -> None:
        for group in _groups([each for each in requests if each.asked_from and each.asked_to]):
            if len(group) >= _FEW or not all(each.reference for each in group):
                self._list_group(group, shift=shift)

    def _list_group(self, group: Sequence[LookupRequest], *, shift: timedelta) -> None:
        wanted = {each.session_id: each for each in group}
        first = min(each.asked_from for each in group if each.asked_from) + shift - _AROUND
        last = max(each.asked_to for each in group if each.asked_to) + shift + _AROUND
        asked_at = time.monotonic()
        seen: dict[str, list[ProviderPayment]] = {}
        near = self._pages_between(first, last, set(wanted), **_customer_of(group))
        for number, shown in enumerate(near, start=1):
            for session_id, payments in shown.items():
                seen.setdefault(session_id, []).extend(payments)
                if _is_what_is_meant(wanted[session_id], seen[session_id]):
                    self._readings[session_id] = Reading(found(seen[session_id]), asked_at)
            found_here = sum(session_id in self._readings for session_id in wanted)
            if found_here == len(wanted) or number > _FEW + found_here:
                return

    def _pages_between(
        self, first: datetime, last: datetime, session_ids: set[str] | None, **of: Any
    ) -> Iterator[dict[str, list[ProviderPayment]]]:
        """Each page's intents of these sessions (none: of all that carry our mark)."""
        for page, observed_at in self._reader.intents(created=created_between(first, last), **of):
            self._skew = observed_at - datetime.now(UTC)
            shown: dict[str, list[ProviderPayment]] = {}
            for intent in page:
                session_id = metadata_of(intent, "session_id")
                if session_id and (session_ids is None or session_id in session_ids):
                    payment = self._reader.whole(intent, observed_at=observed_at, with_refunds=True)
                    shown.setdefault(session_id, []).append(payment)
            yield shown

    def _read_one_by_one(self) -> None:
        for request in self._open():
            if request.reference:
                asked_at = time.monotonic()
                result = retrieved(self._reader, request)
                self._readings[request.session_id] = Reading(result, asked_at)

    def _list_far(self) -> None:
        """Before the horizon is over not finding it would prove nothing, so nothing is listed."""
        asked = datetime.now(UTC)
        late: list[LookupRequest] = []
        for request in self._open():
            if (request.conclusive_from or _NO_TIME) > asked:
                self._readings[request.session_id] = Reading(NotFound(listed=True))
            elif request.created_from:
                late.append(request)
        while late:
            listing = self._listed(late)
            self._remember(listing)
            covered = [each for each in late if listing.covers(each)]
            for request in covered:
                self._conclude(request, listing)
            late = [each for each in late if each not in covered]

    def _listed(self, requests: Sequence[LookupRequest]) -> _Listing:
        """The earliest window, widened by those that overlap it."""
        by_time = sorted(requests, key=_from)
        first, last = _from(by_time[0]), _to(by_time[0])
        for request in by_time:
            if _from(request) <= last:
                last = max(last, _to(request))
        read_at, asked_at = datetime.now(UTC), time.monotonic()
        payments: dict[str, list[ProviderPayment]] = {}
        for shown in self._pages_between(first, last, None):
            for session_id, more in shown.items():
                payments.setdefault(session_id, []).extend(more)
        return _Listing(first, last, read_at, asked_at, payments)

    def _remember(self, listing: _Listing) -> None:
        kept = self._listings()
        if sum(len(each.payments) for each in kept) + len(listing.payments) <= _REMEMBERED:
            kept.append(listing)


def _customer_of(requests: Sequence[LookupRequest]) -> dict[str, Any]:
    """Stripe's filter for a customer, where all the requests named the same one."""
    named = [customer_parameter(each.customer) for each in requests]
    return named[0] if all(each == named[0] for each in named) else {}


def _groups(requests: list[LookupRequest]) -> Iterator[list[LookupRequest]]:
    """Requests that were on their way at about the same time."""
    group: list[LookupRequest] = []
    for request in sorted(requests, key=lambda each: each.asked_from or _NO_TIME):
        if group and (request.asked_from or _NO_TIME) > (group[-1].asked_to or _NO_TIME) + _GAP:
            yield group
            group = []
        group.append(request)
    if group:
        yield group


def _is_what_is_meant(request: LookupRequest, shown: Sequence[ProviderPayment]) -> bool:
    """Another object of the session says nothing about the one whose reference is known."""
    return not request.reference or any(each.reference == request.reference for each in shown)


def _from(request: LookupRequest) -> datetime:
    return request.created_from or _NO_TIME


def _to(request: LookupRequest) -> datetime:
    return request.created_to or _FAR_AHEAD
