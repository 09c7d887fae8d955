"""Signing events as Stripe does and posting them over HTTP, at once or when told to."""

import asyncio
import hashlib
import hmac
import json
import random
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TypedDict

import aiohttp

from .background import Background
from .store import Record

RETRY_DELAYS = (0.1, 0.3, 1.0)
_POST_TIMEOUT = aiohttp.ClientTimeout(total=30)


_ORDERS: dict[str, Callable[[list[Record], int], list[Record]]] = {
    "in_order": lambda held, seed: held,
    "reversed": lambda held, seed: held[::-1],
    "random": lambda held, seed: random.Random(seed).sample(held, len(held)),
}


class Delivery(TypedDict):
    """One POST of one event; `status` is none where no answer came."""

    event: str
    type: str
    url: str
    status: int | None


@dataclass(frozen=True)
class Endpoint:
    url: str
    secret: str


def payload_of(event: Record) -> bytes:
    """The body as posted: the same at every attempt, whoever has taken it already."""
    return json.dumps(event.data | {"pending_webhooks": 1}, indent=2).encode()


def signature_header(payload: bytes, secret: str, timestamp: int) -> str:
    signed = f"{timestamp}.".encode() + payload
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"


class WebhookSender:
    """Delivers each event to every endpoint; held, they wait in the order they happened.

    Signatures bear the true time, not the simulator's: the receiver judges them by its own clock.
    """

    def __init__(self) -> None:
        self.endpoints: list[Endpoint] = []
        self.is_holding = False
        self.held: list[Record] = []
        self.deliveries: list[Delivery] = []
        self._background = Background()
        self._session: aiohttp.ClientSession | None = None

    def offer(self, event: Record) -> None:
        if self.is_holding:
            self.held.append(event)
            return
        for endpoint in self.endpoints:
            self._background.start(self._deliver(event, endpoint))

    async def release(
        self, order: str | Sequence[str], *, times: int, types: Collection[str] | None, seed: int
    ) -> list[Delivery]:
        """Post held events one after another and forget them, whatever the endpoint answers."""
        chosen = self._chosen(order, types=types, seed=seed)
        self.held = [event for event in self.held if event not in chosen]
        return [
            delivery
            for event in chosen
            for _ in range(times)
            for delivery in await self.post(event)
        ]

    def drop_held(self, types: Collection[str] | None) -> list[str]:
        dropped = [event for event in self.held if types is None or event["type"] in types]
        self.held = [event for event in self.held if event not in dropped]
        return [event.id for event in dropped]

    async def post(self, event: Record) -> list[Delivery]:
        return [await self._post_to(endpoint, event) for endpoint in self.endpoints]

    async def wait_until_delivered(self, timeout: float) -> bool:
        """Whether all background deliveries, with their retries, ended in time."""
        return await self._background.wait(timeout)

    def reset(self) -> None:
        self._background.cancel()
        self.is_holding = False
        self.held = []
        self.deliveries = []

    async def close(self) -> None:
        await self._background.close()
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _chosen(
        self, order: str | Sequence[str], *, types: Collection[str] | None, seed: int
    ) -> list[Record]:
        held = [event for event in self.held if types is None or event["type"] in types]
        if isinstance(order, str):
            return _ORDERS[order](held, seed)
        by_id = {event.id: event for event in held}
        return [by_id[identifier] for identifier in order]

    async def _deliver(self, event: Record, endpoint: Endpoint) -> None:
        for delay in (0.0, *RETRY_DELAYS):
            await asyncio.sleep(delay)
            delivery = await self._post_to(endpoint, event)
            if delivery["status"] is not None and 200 <= delivery["status"] < 300:
                return

    async def _post_to(self, endpoint: Endpoint, event: Record) -> Delivery:
        status = await self._status_of_post(endpoint, payload_of(event))
        if status is not None and 200 <= status < 300:
            event["pending_webhooks"] = 0
        delivery = Delivery(event=event.id, type=event["type"], url=endpoint.url, status=status)
        self.deliveries.append(delivery)
        return delivery

    async def _status_of_post(self, endpoint: Endpoint, payload: bytes) -> int | None:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=_POST_TIMEOUT)
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            "Stripe-Signature": signature_header(payload, endpoint.secret, int(time.time())),
        }
        try:
            async with self._session.post(endpoint.url, data=payload, headers=headers) as response:
                await response.read()
                return response.status
        except (aiohttp.ClientError, TimeoutError):
            return None
