"""What became of one object of the ledger, or of one record of ours, in a scan."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from medusa_payments.statuses import LedgerClass, LedgerKind

# Neither of them is something to look into one by one.
_ONLY_COUNTED = (LedgerClass.MATCHED, LedgerClass.FOREIGN)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing and its class. Amounts in the smallest unit; None: that side has none.

    ``about`` names the thing for a discrepancy; ``risk_minor`` is the money at risk. Both are
    empty for what nobody has to decide.
    """

    kind: LedgerKind
    ledger_class: LedgerClass
    reference: str = ""
    payment_reference: str = ""
    session_mark: str = ""
    record_id: str = ""
    session_id: str = ""  # of the session here that it belongs to
    there_minor: int | None = None
    there_currency: str = ""
    here_minor: int | None = None
    here_currency: str = ""
    detail: str = ""
    about: str = ""
    risk_minor: int | None = None
    is_moved_money: bool = False  # the two sides differ in money that was taken or given back
    is_harmless: bool = False  # there is nothing to pay, nothing held and nothing kept

    @property
    def is_listed(self) -> bool:
        """Whether a report names it; the others are counted."""
        return self.ledger_class not in _ONLY_COUNTED

    @property
    def needs_person(self) -> bool:
        is_wrong = self.is_listed and self.ledger_class != LedgerClass.NOT_COMPARABLE
        return is_wrong and bool(self.about) and not self.is_harmless

    @property
    def currency_code(self) -> str:
        return self.there_currency or self.here_currency


_Key = tuple[str, str, str]  # kind, currency, class


@dataclass
class Figures:
    """Sums of both sides, by kind, currency and class."""

    sums: dict[_Key, list[int]] = field(default_factory=dict)

    @classmethod
    def read(cls, rows: Iterable[list[Any]]) -> Figures:
        return cls({(kind, code, name): sums for kind, code, name, *sums in rows})

    def rows(self) -> list[list[Any]]:
        """[kind, currency, class, objects, amount there, amount here], always in one order."""
        return [[*key, *sums] for key, sums in sorted(self.sums.items())]

    def add(self, other: Figures) -> None:
        for key, sums in other.sums.items():
            known = self.sums.setdefault(key, [0, 0, 0])
            self.sums[key] = [mine + more for mine, more in zip(known, sums, strict=True)]

    def count(self, finding: Finding) -> None:
        """The amount here is counted in its own currency, should the two differ."""
        code = finding.currency_code
        self._count(finding, code, objects=1, there=finding.there_minor or 0)
        self._count(finding, finding.here_currency or code, here=finding.here_minor or 0)

    def _count(
        self, finding: Finding, code: str, *, objects: int = 0, there: int = 0, here: int = 0
    ) -> None:
        if not (objects or there or here):
            return
        key = (str(finding.kind), code, str(finding.ledger_class))
        sums = self.sums.setdefault(key, [0, 0, 0])
        for index, more in enumerate((objects, there, here)):
            sums[index] += more
