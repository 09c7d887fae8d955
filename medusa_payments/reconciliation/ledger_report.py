"""What a scan tells: both sides, by class and currency. The same input gives the same report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from medusa_payments.errors import UnsupportedCurrency
from medusa_payments.models import LedgerFinding
from medusa_payments.money import to_major
from medusa_payments.reconciliation.ledger_findings import Figures

# Which amounts a kind's sums are.
_MEANINGS = {"payment": "asked for", "charge": "taken", "refund": "given back"}


@dataclass(frozen=True)
class LedgerReport:
    """Amounts in major units; of a currency that we do not know they are left out."""

    provider_id: str
    since: datetime
    until: datetime
    totals: list[dict[str, Any]]
    findings: list[dict[str, Any]]

    @property
    def is_clean(self) -> bool:
        """Whether everything was matched, or is another system's."""
        return not self.findings

    def as_dict(self) -> dict[str, Any]:
        return {
            "provider": self.provider_id,
            "since": self.since.isoformat(),
            "until": self.until.isoformat(),
            "totals": self.totals,
            "findings": self.findings,
        }

    def rows(self) -> Iterator[dict[str, Any]]:
        """Totals and findings as rows of one shape."""
        yield from ({"row": "total", **_EMPTY, **each} for each in self.totals)
        yield from ({"row": "finding", **_EMPTY, **each} for each in self.findings)


COLUMNS = (
    "object",
    "class",
    "currency",
    "amounts",
    "objects",
    "there",
    "here",
    "reference",
    "payment",
    "session",
    "record",
    "detail",
)
_EMPTY = dict.fromkeys(COLUMNS)


def ledger_report(
    provider_id: str,
    since: datetime,
    until: datetime,
    *,
    figures: Figures,
    findings: Iterable[LedgerFinding],
) -> LedgerReport:
    """Sorted by what is in it, not by when it was found."""
    listed = [_finding(each) for each in findings]
    return LedgerReport(
        provider_id,
        since,
        until,
        totals=[_total(row) for row in figures.rows()],
        findings=sorted(listed, key=_order),
    )


def _order(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(row[name]) for name in ("object", "class", "reference", "record", "detail"))


def _total(row: list[Any]) -> dict[str, Any]:
    kind, code, name, objects, there, here = row
    return {
        "object": kind,
        "class": name,
        "currency": code,
        "amounts": _MEANINGS[kind],
        "objects": objects,
        "there": _major(there, code),
        "here": _major(here, code),
    }


def _finding(finding: LedgerFinding) -> dict[str, Any]:
    code = finding.currency_code
    return {
        "object": str(finding.kind),
        "class": str(finding.ledger_class),
        "reference": finding.provider_reference,
        "payment": finding.payment_reference,
        "session": finding.session_mark,
        "record": finding.record_id,
        "currency": code,
        "there": _major(finding.there_minor, code),
        "here": _major(finding.here_minor, code),
        "detail": finding.detail,
    }


def _major(amount_minor: int | None, code: str) -> Decimal | None:
    if amount_minor is None:
        return None
    try:
        return to_major(amount_minor, code)
    except UnsupportedCurrency:
        return None
