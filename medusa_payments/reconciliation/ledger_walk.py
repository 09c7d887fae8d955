"""Walking through a provider's ledger in windows of time, each a few pages long.

An object is counted in the window in which it was made. What both sides made near a window's
edge, by clocks that differ, is remembered over the edge: a record is called missing only after
everything made within ``OVERLAP`` of it was read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import TypeVar

from medusa_payments.operations.lookups import CLOCK_SKEW as OVERLAP
from medusa_payments.providers.ledger_types import LedgerEntry
from medusa_payments.reconciliation.ledger_comparison import compare
from medusa_payments.reconciliation.ledger_confirmation import Confirmation
from medusa_payments.reconciliation.ledger_discrepancies import open_keys
from medusa_payments.reconciliation.ledger_findings import Figures, Finding
from medusa_payments.reconciliation.ledger_reading import LedgerReads
from medusa_payments.reconciliation.ledger_records import (
    LedgerRecords,
    refunds_made,
    sessions_made,
    work_on,
)
from medusa_payments.statuses import LedgerKind

_FIRST_LENGTH = timedelta(days=1)
_LONGEST = timedelta(days=32)
_SHORTEST = timedelta(seconds=1)
_MOST_PAGES = 5  # of one kind in one window
_FEW_PAGES = 2
_RECORDS_AT_ONCE = 200

_Row = TypeVar("_Row")


@dataclass(frozen=True, kw_only=True)
class LedgerRange:
    """What a scan is over: everything made from ``since`` until just before ``until``, whole
    seconds, in an account. What was made from ``young_from`` on may still be on its way."""

    since: datetime
    until: datetime
    young_from: datetime
    provider_ids: Collection[str]


@dataclass
class WindowResult:
    """What a window showed, to be saved together with ``watermark``."""

    watermark: datetime
    figures: Figures = field(default_factory=Figures)
    findings: list[Finding] = field(default_factory=list)
    keys_to_close: dict[str, str] = field(default_factory=dict)

    def add(self, finding: Finding) -> None:
        self.figures.count(finding)
        if finding.is_listed:
            self.findings.append(finding)


class _TooFull(Exception):
    """The window holds more than a few pages."""


class LedgerWalk:
    """``on_page`` is told of every page that was read, so that a lease can be kept."""

    def __init__(
        self, reads: LedgerReads, scope: LedgerRange, *, on_page: Callable[[], None]
    ) -> None:
        self._reads = reads
        self._scope = scope
        self._on_page = on_page
        self._length = _FIRST_LENGTH
        self._seen: dict[str, datetime] = {}  # references and marks of what was listed lately

    def windows(self, watermark: datetime | None) -> Iterator[WindowResult]:
        """Window by window; from the watermark on, where there is one.

        The caller saves each before it asks for the next. The last has the end as its watermark.
        """
        since, until = self._scope.since, self._scope.until
        start = watermark or since
        judged = max(since, start - OVERLAP)
        self._remember(judged - OVERLAP, start)
        while start < until:
            result = self._window(start)
            judged = self._judge(result, judged, result.watermark - OVERLAP)
            start = result.watermark
            if start < until:
                yield result
                self._forget_before(judged - OVERLAP)
            else:
                yield self._last(result, judged)
                return
        yield self._last(WindowResult(until), judged)

    def _last(self, result: WindowResult, judged: datetime) -> WindowResult:
        """With the records whose objects may have been made after the end."""
        until = self._scope.until
        self._remember(until, until + OVERLAP)
        self._judge(result, judged, until)
        return result

    def _window(self, start: datetime) -> WindowResult:
        """The longest window from here that is a few pages; read anew when it was too long."""
        while True:
            end = min(start + self._length, self._scope.until)
            try:
                result, pages = self._read(start, end)
            except _TooFull:
                self._length = max(_SHORTEST, _whole_seconds((end - start) / 8))
                continue
            if pages <= _FEW_PAGES:
                self._length = min(_LONGEST, self._length * 2)
            return result

    def _read(self, start: datetime, end: datetime) -> tuple[WindowResult, int]:
        result = WindowResult(end)
        confirmation = self._confirmation()
        most = 0
        for kind in LedgerKind:
            pages = 0
            for entries in self._pages(kind, start, end):
                pages += 1
                if pages > _MOST_PAGES and end - start > _SHORTEST:
                    raise _TooFull
                self._class_page(entries, result, confirmation)
            most = max(most, pages)
        return result, most

    def _class_page(
        self, entries: tuple[LedgerEntry, ...], result: WindowResult, confirmation: Confirmation
    ) -> None:
        records = LedgerRecords(entries, provider_ids=self._scope.provider_ids)
        findings = []
        for entry in entries:
            first = compare(entry, records, young_from=self._scope.young_from)
            findings.append(confirmation.of(entry, first))
        for finding in findings:
            result.add(finding)
        result.keys_to_close |= open_keys(findings)

    def _judge(self, result: WindowResult, first: datetime, last: datetime) -> datetime:
        """The records of a time around which everything was read. Returns until when."""
        if last <= first:
            return first
        own = self._scope.provider_ids
        confirmation = self._confirmation()
        unlisted = (
            session
            for session in sessions_made(first, last, provider_ids=own)
            if not self._was_seen(session.provider_reference, session.pk)
        )
        for sessions in _batched(unlisted):
            unresolved, _ = work_on(session.pk for session in sessions)
            for session in sessions:
                is_unresolved = session.pk in unresolved
                _add(result, confirmation.of_unlisted_session(session, is_unresolved=is_unresolved))
        unlisted_refunds = (
            refund
            for refund in refunds_made(first, last, provider_ids=own)
            if not self._was_seen(refund.provider_reference, refund.pk)
        )
        for refunds in _batched(unlisted_refunds):
            unresolved, _ = work_on(refund.payment.payment_session_id for refund in refunds)
            for refund in refunds:
                is_unresolved = refund.payment.payment_session_id in unresolved
                _add(result, confirmation.of_unlisted_refund(refund, is_unresolved=is_unresolved))
        return last

    def _remember(self, first: datetime, last: datetime) -> None:
        """What was made beside the range or before the watermark, without counting it."""
        if first >= last:
            return
        for kind in (LedgerKind.PAYMENT, LedgerKind.REFUND):
            for _ in self._pages(kind, first, last):
                pass

    def _pages(
        self, kind: LedgerKind, first: datetime, last: datetime
    ) -> Iterator[tuple[LedgerEntry, ...]]:
        for entries in self._reads.pages(kind, first, last):
            self._on_page()
            for entry in entries:
                self._see(entry)
            yield entries

    def _see(self, entry: LedgerEntry) -> None:
        mark = entry.session_id if entry.kind is LedgerKind.PAYMENT else entry.refund_id
        for name in (entry.reference, mark):
            if name:
                self._seen[name] = max(entry.created_at, self._seen.get(name, entry.created_at))

    def _was_seen(self, reference: str, mark: str) -> bool:
        """A record with a reference is there only when that object is."""
        return (reference or mark) in self._seen

    def _forget_before(self, moment: datetime) -> None:
        self._seen = {name: made for name, made in self._seen.items() if made >= moment}

    def _confirmation(self) -> Confirmation:
        return Confirmation(
            self._reads,
            provider_ids=self._scope.provider_ids,
            young_from=self._scope.young_from,
        )


def _add(result: WindowResult, finding: Finding | None) -> None:
    if finding is not None:
        result.add(finding)


def _whole_seconds(length: timedelta) -> timedelta:
    return timedelta(seconds=int(length.total_seconds()))


def _batched(rows: Iterable[_Row]) -> Iterator[list[_Row]]:
    remaining = iter(rows)
    while batch := list(islice(remaining, _RECORDS_AT_ONCE)):
        yield batch
