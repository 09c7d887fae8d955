"""What was asked of the simulator, so that a test can count calls."""

from typing import TypedDict

from .clock import Clock
from .errors import JsonObject


class LoggedRequest(TypedDict):
    id: str
    time: float
    method: str
    path: str
    operation: str | None
    params: JsonObject
    account: str | None
    idempotency_key: str | None
    stripe_version: str | None
    executed: bool  # the operation ran now; not so for a replay
    replayed: bool
    status: int | None  # none where no answer was sent
    fault: str | None


class RequestLog:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.entries: list[LoggedRequest] = []

    def open_entry(
        self, request_id: str, *, method: str, path: str, key: str | None, version: str | None
    ) -> LoggedRequest:
        entry = LoggedRequest(
            id=request_id,
            time=self._clock.now(),
            method=method,
            path=path,
            operation=None,
            params={},
            account=None,
            idempotency_key=key,
            stripe_version=version,
            executed=False,
            replayed=False,
            status=None,
            fault=None,
        )
        self.entries.append(entry)
        return entry

    def clear(self) -> None:
        self.entries.clear()
