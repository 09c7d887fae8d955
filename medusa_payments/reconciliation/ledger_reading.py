"""Reading a provider's ledger: no faster than its budget, and again when no answer came."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Protocol, TypeVar

from medusa_payments import settings
from medusa_payments.errors import PaymentProviderUnavailable
from medusa_payments.providers.base import PaymentProvider
from medusa_payments.providers.ledger_types import LedgerEntry, LedgerPage, LedgerQuery
from medusa_payments.providers.types import Found, LookupRequest, LookupResult, NoAnswer, NotFound
from medusa_payments.reconciliation.gates import Gate
from medusa_payments.statuses import LedgerKind

_PAUSES = (0.5, 2.0, 5.0, 15.0)  # seconds before a read is tried again
_MINUTE = 60.0
_AT_ONCE = 20  # reads taken from the shared budget together
_NAP = 0.5

Read = TypeVar("Read")


class Pace(Protocol):
    def wait(self) -> None:
        """Return when one more read may be asked."""


class OwnPace:
    """Half of the budget of reads, counted by this process alone: the sweeps have the rest."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._reads = 0

    def wait(self) -> None:
        while self._reads >= max(1, int(settings.READS_PER_MINUTE) // 2):
            left = self._began + _MINUTE - time.monotonic()
            if left <= 0:
                self._began, self._reads = time.monotonic(), 0
            else:
                time.sleep(min(left, _NAP))
        self._reads += 1


class SharedPace(OwnPace):
    """That, and what the account's gate grants to all workers together."""

    def __init__(self, provider: PaymentProvider) -> None:
        super().__init__()
        self._gate = Gate(provider)
        self._granted = 0

    def wait(self) -> None:
        super().wait()
        while not self._granted:
            self._granted = self._gate.grant(_AT_ONCE)
            if not self._granted:
                time.sleep(_NAP)
        self._granted -= 1


class LedgerReads:
    """Counts its requests."""

    def __init__(self, provider: PaymentProvider, pace: Pace) -> None:
        self.count = 0
        self._provider = provider
        self._pace = pace

    def pages(
        self, kind: LedgerKind, first: datetime, last: datetime
    ) -> Iterator[tuple[LedgerEntry, ...]]:
        """Everything of one kind that was made from ``first`` until just before ``last``.

        :raises PaymentProviderUnavailable: no answer came, however often it was asked.
        """
        cursor = ""
        while True:
            page = self._page(
                LedgerQuery(kind=kind, created_from=first, created_until=last, cursor=cursor)
            )
            yield page.entries
            cursor = page.next_cursor
            if not cursor:
                return

    def _page(self, query: LedgerQuery) -> LedgerPage:
        answer: object = self._patiently(lambda: self._provider.list_ledger(query))
        if not isinstance(answer, LedgerPage):
            raise self._unavailable(answer)
        return answer

    def payment(self, reference: str, *, session_id: str) -> LookupResult:
        """One payment with its refunds, as it is at this moment.

        :raises PaymentProviderUnavailable: as ``pages``.
        """
        request = LookupRequest(session_id=session_id, reference=reference, with_refunds=True)
        answer: object = self._patiently(lambda: self._provider.lookup(request))
        if isinstance(answer, NoAnswer) and answer.is_outage:
            raise self._unavailable(answer)
        if isinstance(answer, Found | NotFound | NoAnswer):
            return answer
        return NoAnswer(code="no_result")

    def _patiently(self, ask: Callable[[], Read]) -> Read | NoAnswer:
        for pause in (*_PAUSES, None):
            self._pace.wait()
            self.count += 1
            answer = _safely(ask)
            if not isinstance(answer, NoAnswer) or pause is None:
                return answer
            time.sleep(pause)
        raise AssertionError("the last try returns")

    def _unavailable(self, answer: object) -> PaymentProviderUnavailable:
        why = answer.code if isinstance(answer, NoAnswer) else "no_result"
        return PaymentProviderUnavailable(
            f"Provider {self._provider.id} does not list its ledger ({why}). Run the same command"
            " again: it goes on where this one came to."
        )


def _safely(ask: Callable[[], Read]) -> Read | NoAnswer:
    try:
        return ask()
    except Exception as error:  # noqa: BLE001 - whatever escapes a provider proves nothing
        return NoAnswer(code="exception", detail=type(error).__name__)
