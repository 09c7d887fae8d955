"""Scanning a provider's ledger: is every object there recorded here, and the reverse?

By itself a scan moves no money and changes no record of it. It opens discrepancies and closes
them; one that imports records what it found too, and one that only observes writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from medusa_payments import settings
from medusa_payments.errors import NotAllowed
from medusa_payments.models import LedgerFinding, LedgerScan
from medusa_payments.operations import caps
from medusa_payments.operations.database import database_alias
from medusa_payments.providers.base import PaymentProvider
from medusa_payments.providers.registry import get_provider, provider_ids_with
from medusa_payments.reconciliation import ledger_discrepancies
from medusa_payments.reconciliation.ledger_findings import Figures
from medusa_payments.reconciliation.ledger_imports import import_findings
from medusa_payments.reconciliation.ledger_reading import LedgerReads, OwnPace, SharedPace
from medusa_payments.reconciliation.ledger_report import LedgerReport, ledger_report
from medusa_payments.reconciliation.ledger_scans import bounds, finding_row, held_scan
from medusa_payments.reconciliation.ledger_walk import LedgerRange, LedgerWalk, WindowResult


@dataclass(frozen=True)
class ScanProgress:
    since: datetime
    until: datetime
    watermark: datetime


OnProgress = Callable[[ScanProgress], None]


def scan_ledger(
    provider_id: str,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    restart: bool = False,
    imports: bool = False,
    on_progress: OnProgress = lambda progress: None,
) -> LedgerReport:
    """Scan what the provider's account holds that was made from ``since`` until just before
    ``until``; a scan of the same time that was cut short goes on where it came to.

    ``imports``: what stands otherwise there is recorded as it is, and what that demands is done.

    :raises NotAllowed: the provider does not list what it holds.
    :raises InvalidData: there is no time to scan.
    :raises Conflict: another process is at it.
    :raises PaymentProviderUnavailable: no answer came; what was read so far is kept.
    """
    provider = _listing_provider(provider_id)
    with held_scan(provider, since=since, until=until, restart=restart) as held:
        scan = held.row
        scope = _range(provider, scan.since, scan.until, as_of=scan.created_at)
        reads = LedgerReads(provider, SharedPace(provider))
        walk = LedgerWalk(reads, scope, on_page=held.keep)
        on_progress(ScanProgress(scan.since, scan.until, scan.watermark or scan.since))
        for result in walk.windows(scan.watermark):
            # Before the window is saved: a scan that dies between reads the window again.
            recorded = _imported(result, provider, scan) if imports else {}
            held.save(result, is_last=result.watermark >= scan.until)
            ledger_discrepancies.close(recorded)
            on_progress(ScanProgress(scan.since, scan.until, result.watermark))
    return report_of(scan)


def _imported(result: WindowResult, provider: PaymentProvider, scan: LedgerScan) -> dict[str, str]:
    """What is undone on the way counts for the caps of this scan as for those of one sweep."""
    with caps.run(scan.pk):
        return import_findings(result.findings, provider=provider)


def observe_ledger(
    provider_id: str,
    *,
    since: datetime,
    until: datetime | None = None,
    on_progress: OnProgress = lambda progress: None,
) -> LedgerReport:
    """The report of a scan that writes nothing into the database, not even how far it came.

    :raises NotAllowed, InvalidData, PaymentProviderUnavailable: as ``scan_ledger``.
    """
    provider = _listing_provider(provider_id)
    first, last = bounds(provider, since=since, until=until)
    scope = _range(provider, first, last, as_of=timezone.now())
    walk = LedgerWalk(LedgerReads(provider, OwnPace()), scope, on_page=lambda: None)
    figures = Figures()
    findings: list[LedgerFinding] = []
    on_progress(ScanProgress(first, last, first))
    for result in walk.windows(None):
        figures.add(result.figures)
        findings += [finding_row(each) for each in result.findings]
        on_progress(ScanProgress(first, last, result.watermark))
    return ledger_report(provider.id, first, last, figures=figures, findings=findings)


def report_of(scan: LedgerScan) -> LedgerReport:
    """The report of a scan, as far as it has come."""
    row: LedgerScan = LedgerScan.objects.using(database_alias()).get(pk=scan.pk)
    findings = LedgerFinding.objects.using(database_alias()).filter(scan=row)
    return ledger_report(
        row.provider_id,
        row.since,
        row.until,
        figures=Figures.read(row.figures),
        findings=findings.iterator(),
    )


def _listing_provider(provider_id: str) -> PaymentProvider:
    provider = get_provider(provider_id)
    if not provider.supports("list_ledger"):
        raise NotAllowed(f"Payment provider {provider.id} does not list what it holds.")
    return provider


def _range(
    provider: PaymentProvider, since: datetime, until: datetime, *, as_of: datetime
) -> LedgerRange:
    return LedgerRange(
        since=since,
        until=until,
        young_from=as_of - timedelta(seconds=float(settings.NOT_FOUND_HORIZON)),
        provider_ids=provider_ids_with(provider.credentials) | {provider.id},
    )
