"""Carries out the acts of `SimulatorControls`, whichever way they came."""

import copy
import inspect
import time
from collections.abc import Collection, Sequence
from typing import Any

from . import buyer
from .accepted import ACCEPTED
from .controls import ControlError
from .errors import ApiError, JsonObject
from .faults import FaultStatus
from .ledger import Ledger, ledger_of
from .request_log import LoggedRequest
from .seeding import SeededIntent, SeedOfIntent, plant
from .webhooks import Delivery, Endpoint, payload_of, signature_header
from .world import World


class ControlDesk:
    """Its public methods are the acts, by name; those not here are in `buyer`."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def perform(self, act: str, arguments: JsonObject) -> Any:
        try:
            outcome = self._start(act, arguments)
            return copy.deepcopy(await outcome if inspect.isawaitable(outcome) else outcome)
        except ApiError as error:
            raise ControlError(str(error)) from error
        except (KeyError, TypeError, ValueError) as error:
            raise ControlError(f"{act}: {error!r}") from error

    def _start(self, act: str, arguments: JsonObject) -> Any:
        if act in buyer.ACTS:
            return buyer.ACTS[act](self._world, **arguments)
        if act.startswith("_") or act == "perform" or not hasattr(self, act):
            raise ControlError(f"Unknown act: {act}")
        return getattr(self, act)(**arguments)

    def reset(self) -> None:
        self._world.reset()

    def ledger(self) -> Ledger:
        return ledger_of(self._world)

    def requests(self, operation: str | None = None) -> list[LoggedRequest]:
        entries = self._world.requests.entries
        return [entry for entry in entries if operation in (None, entry["operation"])]

    def object(self, identifier: str) -> JsonObject:
        record = self._world.store.find(identifier)
        if record is None:
            raise ControlError(f"No such object: {identifier}")
        return record.data

    def seed(self, intents: Sequence[SeedOfIntent]) -> list[SeededIntent]:
        return [plant(self._world, each) for each in intents]

    def now(self) -> float:
        return self._world.clock.now()

    def advance(self, seconds: float) -> float:
        self._world.clock.advance(seconds)
        return self._world.clock.now()

    def configure(
        self, allow_cancel_processing: bool | None = None, release_as_refund: bool | None = None
    ) -> None:
        options = self._world.options
        if allow_cancel_processing is not None:
            options.allow_cancel_processing = allow_cancel_processing
        if release_as_refund is not None:
            options.release_as_refund = release_as_refund

    def refuse_key(self, api_key: str) -> None:
        self._world.options.refused_keys.add(api_key)

    def accept_key(self, api_key: str) -> None:
        self._world.options.refused_keys.discard(api_key)

    def assign_key(self, api_key: str, account: str) -> None:
        self._world.options.accounts_of_keys[api_key] = account

    def fault(
        self,
        kind: str,
        operation: str | None = None,
        times: int | None = 1,
        delay: float | None = None,
        after: int = 0,
        changes: JsonObject | None = None,
    ) -> int:
        if operation not in (None, "*") and operation not in ACCEPTED:
            raise ControlError(f"Unknown operation: {operation}")
        return self._world.faults.add(
            kind,
            operation=operation,
            times=times,
            delay=delay,
            after=after,
            changes=changes or {},
        )

    def faults(self) -> list[FaultStatus]:
        return self._world.faults.listed()

    def clear_faults(self) -> None:
        self._world.faults.clear()

    def set_webhook(self, url: str | None, secret: str) -> None:
        self._world.webhooks.endpoints = [Endpoint(url, secret)] if url else []

    def add_webhook(self, url: str, secret: str) -> None:
        self._world.webhooks.endpoints.append(Endpoint(url, secret))

    def hold(self) -> None:
        self._world.webhooks.is_holding = True

    def deliver(self) -> None:
        self._world.webhooks.is_holding = False

    def held(self, types: Collection[str] | None = None) -> list[JsonObject]:
        events = self._world.webhooks.held
        return [event.data for event in events if types is None or event["type"] in types]

    async def release(
        self,
        order: str | Sequence[str] = "in_order",
        times: int = 1,
        types: Collection[str] | None = None,
        seed: int = 0,
    ) -> list[Delivery]:
        return await self._world.webhooks.release(order, times=times, types=types, seed=seed)

    def drop_held(self, types: Collection[str] | None = None) -> list[str]:
        return self._world.webhooks.drop_held(types)

    def events(self, types: Collection[str] | None = None) -> list[JsonObject]:
        events = self._world.store.oldest_first("event")
        return [event.data for event in events if types is None or event["type"] in types]

    async def redeliver(self, event_id: str, times: int = 1) -> list[Delivery]:
        event = self._world.store.find_event(event_id)
        webhooks = self._world.webhooks
        return [delivery for _ in range(times) for delivery in await webhooks.post(event)]

    def deliveries(self) -> list[Delivery]:
        return self._world.webhooks.deliveries

    async def wait_for_deliveries(self, timeout: float = 10) -> bool:
        return await self._world.webhooks.wait_until_delivered(timeout)

    def signed(
        self, event_id: str, secret: str | None = None, timestamp: int | None = None
    ) -> JsonObject:
        payload = payload_of(self._world.store.find_event(event_id))
        endpoints = self._world.webhooks.endpoints
        if secret is None and not endpoints:
            raise ControlError("There is no endpoint whose secret could sign; pass `secret`.")
        signature = signature_header(
            payload,
            endpoints[0].secret if secret is None else secret,
            int(time.time()) if timestamp is None else timestamp,
        )
        headers = {"Content-Type": "application/json; charset=utf-8", "Stripe-Signature": signature}
        return {"body": payload.decode(), "headers": headers}
