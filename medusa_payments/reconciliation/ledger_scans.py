"""The record of a scan: begun or continued, leased to one process, saved window by window."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any, Self

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from medusa_payments import settings
from medusa_payments.errors import Conflict, InvalidData
from medusa_payments.models import Discrepancy, LedgerFinding, LedgerScan
from medusa_payments.operations.database import (
    DatabaseNow,
    database_alias,
    patiently,
    refuse_open_transaction,
)
from medusa_payments.operations.lookups import CLOCK_SKEW
from medusa_payments.providers.base import PaymentProvider
from medusa_payments.reconciliation import ledger_discrepancies
from medusa_payments.reconciliation.ledger_findings import Figures, Finding
from medusa_payments.reconciliation.ledger_walk import WindowResult
from medusa_payments.statuses import LedgerScanState

_LEASE_SECONDS = 60.0
_NAP = 0.2
_HELD = "Another process is at this scan. Wait for it, or until its lease is over if it is dead."


class HeldScan:
    """A scan that this process has the lease of. Leave it by ``with``: then it can be continued
    at once."""

    def __init__(self, row: LedgerScan) -> None:
        self.row = row
        self._figures = Figures.read(row.figures)
        self._renewed = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        mine = _rows().filter(pk=self.row.pk, lease_token=self.row.lease_token)
        patiently(lambda: mine.update(leased_until=None))

    def keep(self) -> None:
        """Keep the lease while the provider is read.

        :raises Conflict: another process took it over.
        """
        if time.monotonic() - self._renewed < _lease().total_seconds() / 3:
            return
        self._write(leased_until=DatabaseNow() + _lease())

    def save(self, result: WindowResult, *, is_last: bool) -> None:
        """Discrepancies first: should the process die before the window is saved, it is read
        again, and finds them open."""
        ledger_discrepancies.close(result.keys_to_close)
        rows = self._rows_of(result)
        self._figures.add(result.figures)

        def transact() -> None:
            with transaction.atomic(using=database_alias(), durable=True):
                self._write(**self._progress(result, is_last=is_last))
                LedgerFinding.objects.using(database_alias()).bulk_create(rows, batch_size=200)

        patiently(transact)

    def _progress(self, result: WindowResult, *, is_last: bool) -> dict[str, Any]:
        values: dict[str, Any] = {
            "watermark": result.watermark,
            "figures": self._figures.rows(),
            "updated_at": DatabaseNow(),
        }
        if is_last:
            return values | {"state": LedgerScanState.FINISHED, "finished_at": DatabaseNow()}
        return values | {"leased_until": DatabaseNow() + _lease()}

    def _write(self, **values: Any) -> None:
        mine = _rows().filter(
            pk=self.row.pk, lease_token=self.row.lease_token, state=LedgerScanState.RUNNING
        )
        if not patiently(lambda: mine.update(**values)):
            raise Conflict("Another process has taken this scan over.")
        self._renewed = time.monotonic()

    def _rows_of(self, result: WindowResult) -> list[LedgerFinding]:
        """Several objects of one thing, as a charge and its payment, share its discrepancy."""
        opened: dict[tuple[str, str], Discrepancy | None] = {}
        rows = []
        for finding in result.findings:
            thing = (str(finding.ledger_class), finding.about)
            if finding.needs_person and thing not in opened:
                opened[thing] = ledger_discrepancies.report(
                    finding, scan_began_at=self.row.created_at
                )
            discrepancy = opened.get(thing) if finding.needs_person else None
            rows.append(finding_row(finding, scan=self.row, discrepancy=discrepancy))
        return rows


def finding_row(
    finding: Finding, *, scan: LedgerScan | None = None, discrepancy: Discrepancy | None = None
) -> LedgerFinding:
    """The row of a finding, not saved."""
    is_one_currency = finding.here_currency in ("", finding.currency_code)
    return LedgerFinding(
        scan=scan,
        kind=finding.kind,
        ledger_class=finding.ledger_class,
        provider_reference=finding.reference[:255],
        payment_reference=finding.payment_reference[:255],
        session_mark=finding.session_mark[:255],
        record_id=finding.record_id,
        payment_session_id=finding.session_id or None,
        currency_code=finding.currency_code[:8],
        there_minor=finding.there_minor,
        here_minor=finding.here_minor if is_one_currency else None,
        detail=finding.detail,
        discrepancy=discrepancy,
    )


def held_scan(
    provider: PaymentProvider, *, since: datetime | None, until: datetime | None, restart: bool
) -> HeldScan:
    """Continue the account's scan of this time that was not finished, or begin one.

    Without ``since`` it begins where the last finished one ended, less the time in which things
    were too young then.

    :raises InvalidData: there is no time to scan, or nobody said from when on.
    :raises Conflict: another process is at it.
    """
    refuse_open_transaction()
    running = _running(provider, since, until)
    if running is not None:
        held = _claimed(running)
        if not restart:
            return held
        held._write(state=LedgerScanState.ABANDONED, leased_until=None)
    first, last = bounds(provider, since=since, until=until)
    row = LedgerScan(
        credentials=provider.credentials, provider_id=provider.id, since=first, until=last
    )
    row.save(force_insert=True, using=database_alias())
    return _claimed(row)


def bounds(
    provider: PaymentProvider, *, since: datetime | None, until: datetime | None
) -> tuple[datetime, datetime]:
    """Whole seconds. Reads only."""
    now = timezone.now()
    last = _whole(until or now)
    first = _whole(since) if since else _after_last_scan(provider)
    if first is None:
        raise InvalidData("Say since when: this account was not scanned to the end before.")
    if last > now:
        raise InvalidData("The time to scan ends in the future.")
    if first >= last:
        raise InvalidData("The time to scan begins after its end.")
    return first, last


def _after_last_scan(provider: PaymentProvider) -> datetime | None:
    finished = _rows().filter(credentials=provider.credentials, state=LedgerScanState.FINISHED)
    last = finished.order_by("-until").first()
    if last is None:
        return None
    return last.until - timedelta(seconds=float(settings.NOT_FOUND_HORIZON)) - CLOCK_SKEW


def _running(
    provider: PaymentProvider, since: datetime | None, until: datetime | None
) -> LedgerScan | None:
    rows = _rows().filter(credentials=provider.credentials, state=LedgerScanState.RUNNING)
    if since:
        rows = rows.filter(since=_whole(since))
    if until:
        rows = rows.filter(until=_whole(until))
    return rows.order_by("-pk").first()


def _claimed(row: LedgerScan) -> HeldScan:
    """Take the lease; of a process that was killed it is over soon."""
    free = _rows().filter(
        Q(leased_until__isnull=True) | Q(leased_until__lt=DatabaseNow()), pk=row.pk
    )
    ends = time.monotonic() + _lease().total_seconds() + 1
    while not patiently(
        lambda: free.update(lease_token=F("lease_token") + 1, leased_until=DatabaseNow() + _lease())
    ):
        if time.monotonic() > ends:
            raise Conflict(_HELD)
        time.sleep(_NAP)
    return HeldScan(_rows().get(pk=row.pk))


def _lease() -> timedelta:
    return timedelta(seconds=float(settings.LEASE_SECONDS) or _LEASE_SECONDS)


def _whole(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


def _rows() -> QuerySet[LedgerScan]:
    rows: QuerySet[LedgerScan] = LedgerScan.objects.using(database_alias())
    return rows
