"""Events: one for every change, with the object as it was then."""

import copy
from collections.abc import Callable

from .clock import Clock
from .errors import JsonObject
from .identifiers import new_id
from .store import Record, Store


class EventLog:
    def __init__(self, clock: Clock, store: Store, offer: Callable[[Record], None]) -> None:
        self._clock = clock
        self._store = store
        self._offer = offer

    def emit(
        self,
        event_type: str,
        record: Record,
        *,
        previous: JsonObject | None,
        api_version: str,
        request: JsonObject,
        is_connected: bool,
    ) -> None:
        data: JsonObject = {"object": copy.deepcopy(record.data)}
        if previous is not None:
            data["previous_attributes"] = previous
        body: JsonObject = {
            "id": new_id("evt"),
            "object": "event",
            "api_version": api_version,
            "created": self._clock.seconds(),
            "data": data,
            "livemode": False,
            "pending_webhooks": 1,
            "request": request,
            "type": event_type,
        }
        if is_connected:
            body["account"] = record.account
        self._offer(self._store.add(body, account=record.account))
