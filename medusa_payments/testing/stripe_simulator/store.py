"""Everything the simulated Stripe knows, in memory."""

import itertools
import sys
from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass, field
from typing import Any

from .errors import JsonObject, missing_resource

_NOUNS = {
    "payment_intent": "payment_intent",
    "payment_method": "PaymentMethod",
    "setup_intent": "setupintent",
}
_LINKS = {"charge": ("payment_intent",), "refund": ("charge",), "dispute": ("charge",)}


@dataclass(eq=False)
class Record:
    """One object: `data` is what Stripe shows of it, `hidden` what it keeps to itself."""

    data: JsonObject
    account: str
    sequence: int
    hidden: JsonObject = field(default_factory=dict)

    @property
    def id(self) -> str:
        return str(self.data["id"])

    def __getitem__(self, name: str) -> Any:
        return self.data[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self.data[name] = value


def age_of(record: Record) -> tuple[float, int]:
    """Lists are in this order: when it was made, and what was first within one second."""
    return float(record.data.get("created") or 0), record.sequence


class Store:
    """Records by id. An account never sees another account's."""

    def __init__(self) -> None:
        self._records: dict[str, Record] = {}
        self._by_kind: dict[str, list[Record]] = {}
        self._links: dict[tuple[str, str, str], list[Record]] = {}
        self._sequence = itertools.count(1)

    def add(self, data: JsonObject, *, account: str, hidden: JsonObject | None = None) -> Record:
        record = Record(data, account, next(self._sequence), hidden or {})
        self._records[record.id] = record
        kind = data["object"]
        insort(self._by_kind.setdefault(kind, []), record, key=age_of)
        for name in _LINKS.get(kind, ()):
            self._links.setdefault((kind, name, data[name]), []).append(record)
        return record

    def find(self, identifier: str) -> Record | None:
        return self._records.get(identifier)

    def get(
        self, kind: str, identifier: str, *, account: str, param: str = "id", status: int = 404
    ) -> Record:
        record = self._records.get(identifier)
        if record is None or record["object"] != kind or record.account != account:
            raise missing_resource(_NOUNS.get(kind, kind), identifier, param=param, status=status)
        return record

    def living_customer(
        self, identifier: str, *, account: str, param: str, status: int = 400
    ) -> Record:
        """A deleted customer can be looked at, and no more."""
        customer = self.get("customer", identifier, account=account, param=param, status=status)
        if customer.data.get("deleted"):
            raise missing_resource("customer", identifier, param=param, status=status)
        return customer

    def find_event(self, identifier: str) -> Record:
        record = self._records.get(identifier)
        if record is None or record["object"] != "event":
            raise missing_resource("event", identifier, param="id")
        return record

    def oldest_first(self, kind: str) -> list[Record]:
        return list(self._by_kind.get(kind, []))

    def made_between(self, kind: str, first: float, last: float) -> list[Record]:
        """Records of all accounts made in these seconds, both included; oldest first."""
        records = self._by_kind.get(kind, [])
        start = bisect_left(records, (first, 0), key=age_of)
        return records[start : bisect_right(records, (last, sys.maxsize), key=age_of)]

    def linked(self, kind: str, name: str, identifier: str) -> list[Record]:
        """Records whose field `name`, one that never changes, has this id; oldest first."""
        return list(self._links.get((kind, name, identifier), []))

    def clear(self) -> None:
        self._records.clear()
        self._by_kind.clear()
        self._links.clear()
