"""Which calls go wrong, and how. What a kind does to an answer is told in `faulty_answers`."""

import enum
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypedDict


class FaultKind(enum.StrEnum):
    DROP_BEFORE = "drop_before"  # connection closed; not executed, key not kept
    DROP_AFTER = "drop_after"  # executed and kept; connection closed
    HANG = "hang"  # executed and kept; no answer for `delay` seconds, then closed
    HANG_BEFORE = "hang_before"  # not executed; no answer for `delay` seconds, then closed
    EXECUTE_LATE = (
        "execute_late"  # connection closed at once; executed after `delay`, key in use until then
    )
    ERROR_500_BEFORE = "error_500_before"  # not executed; a 500 is kept under the key
    ERROR_500_AFTER = "error_500_after"  # executed, yet a 500 is kept under the key
    HTML_502_BEFORE = "html_502_before"  # a proxy's answer; not executed, nothing kept
    HTML_502_AFTER = "html_502_after"  # a proxy's answer; executed, the true answer kept
    RATE_LIMIT = "rate_limit"  # 429; not executed, nothing kept
    KEY_IN_USE = "key_in_use"  # 409; not executed, nothing kept
    TRUNCATED_JSON = "truncated_json"  # executed and kept; body cut short of its Content-Length
    TRUNCATED_JSON_CLEAN = "truncated_json_clean"  # executed and kept; valid HTTP, body cut
    SLOW = "slow"  # executed and kept at once; answered after `delay`
    SLOW_EXECUTION = (
        "slow_execution"  # executed after `delay` and then answered; key in use until then
    )
    ALTERED = "altered"  # executed and kept as it is; the answer says `changes` instead


STORES_A_500 = frozenset({FaultKind.ERROR_500_BEFORE, FaultKind.ERROR_500_AFTER})

_DEFAULT_DELAYS = {
    FaultKind.HANG: 3600.0,
    FaultKind.HANG_BEFORE: 3600.0,
    FaultKind.EXECUTE_LATE: 0.5,
    FaultKind.SLOW: 0.5,
    FaultKind.SLOW_EXECUTION: 0.5,
}


@dataclass
class Fault:
    """One rule: after `after` matching calls, the next `times` (none: all) go wrong."""

    id: int
    kind: FaultKind
    operation: str | None
    times: int | None
    delay: float
    after: int
    changes: Mapping[str, Any] = field(default_factory=dict)
    fired: int = 0

    @property
    def is_spent(self) -> bool:
        return self.times is not None and self.fired >= self.times

    def matches(self, operation: str, method: str) -> bool:
        if self.operation is None:
            return method != "GET"
        return self.operation in ("*", operation)


class FaultStatus(TypedDict):
    id: int
    kind: str
    operation: str | None
    times: int | None
    delay: float
    after: int
    fired: int
    active: bool


class FaultBoard:
    """The rules in the order they were set; the first that matches a call has it."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._ids = itertools.count(1)

    def add(
        self,
        kind: str,
        *,
        operation: str | None,
        times: int | None,
        delay: float | None,
        after: int,
        changes: Mapping[str, Any],
    ) -> int:
        known = FaultKind(kind)
        if (known is FaultKind.ALTERED) is not bool(changes):
            raise ValueError("An altered answer, and no other fault, needs `changes`.")
        chosen_delay = _DEFAULT_DELAYS.get(known, 0.0) if delay is None else delay
        fault = Fault(next(self._ids), known, operation, times, chosen_delay, after, changes)
        self._faults.append(fault)
        return fault.id

    def take(self, operation: str, method: str, *, key_is_known: bool) -> Fault | None:
        """The fault of this call, counted as fired.

        A 500 that is to be kept under the key cannot happen to a key that has its answer: the call
        replays and the fault waits for another.
        """
        for fault in self._faults:
            if fault.is_spent or not fault.matches(operation, method):
                continue
            if key_is_known and fault.kind in STORES_A_500:
                continue
            if fault.after > 0:
                fault.after -= 1
                continue
            fault.fired += 1
            return fault
        return None

    def listed(self) -> list[FaultStatus]:
        return [
            FaultStatus(
                id=fault.id,
                kind=fault.kind.value,
                operation=fault.operation,
                times=fault.times,
                delay=fault.delay,
                after=fault.after,
                fired=fault.fired,
                active=not fault.is_spent,
            )
            for fault in self._faults
        ]

    def clear(self) -> None:
        self._faults.clear()
