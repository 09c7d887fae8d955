"""How a scan of the ledger is shown: its report in three formats, its progress on a terminal."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, cast

from django.core.management.base import OutputWrapper
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from medusa_payments.management.printing import as_json, print_rows
from medusa_payments.reconciliation.ledger_report import COLUMNS, LedgerReport
from medusa_payments.reconciliation.ledger_scan import OnProgress, ScanProgress

FORMATS = ("table", "csv", "json")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def print_report(stdout: OutputWrapper, report: LedgerReport, *, shape: str) -> None:
    if shape == "json":
        stdout.write(as_json(report.as_dict()))
    elif shape == "csv":
        _print_csv(stdout, report)
    else:
        print_rows(stdout, "Both sides", report.totals)
        print_rows(stdout, "Findings", report.findings)
        stdout.write(
            f"{report.provider_id}, from {report.since.isoformat()} until"
            f" {report.until.isoformat()}: {len(report.findings)} findings."
        )


def _print_csv(stdout: OutputWrapper, report: LedgerReport) -> None:
    writer = csv.DictWriter(cast("IO[str]", stdout), ("row", *COLUMNS))
    writer.writeheader()
    for row in report.rows():
        writer.writerow({name: _cell(value) for name, value in row.items()})


def _cell(value: Any) -> Any:
    """What others wrote into an object must be no formula in a spreadsheet."""
    is_formula = isinstance(value, str) and value.startswith(_FORMULA)
    return f"'{value}" if is_formula else value


@contextmanager
def progress_bar(stderr: OutputWrapper) -> Iterator[OnProgress]:
    """By time scanned; nothing where nobody looks."""
    if not stderr.isatty():
        yield lambda progress: None
        return
    console = Console(stderr=True)  # Django's wrapper ends every write with a new line
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("Scanning")

        def show(progress: ScanProgress) -> None:
            whole = (progress.until - progress.since).total_seconds()
            done = (progress.watermark - progress.since).total_seconds()
            text = f"Scanned until {progress.watermark:%Y-%m-%d %H:%M}"
            bar.update(task, total=whole, completed=done, description=text)

        yield show
