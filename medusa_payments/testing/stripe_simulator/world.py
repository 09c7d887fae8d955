"""The simulator's whole state, and the facts of the call that is being executed."""

import asyncio
from dataclasses import dataclass, field

from .background import Background
from .clock import Clock
from .errors import JsonObject
from .events import EventLog
from .faults import FaultBoard
from .idempotency import KeyRing
from .params import Params
from .request_log import RequestLog
from .store import Record, Store
from .webhooks import WebhookSender

API_VERSION = "2026-08-26.dahlia"
DEFAULT_ACCOUNT = "acct_simulator"


@dataclass
class Options:
    """Behaviour that real accounts differ in, or that Stripe shows rarely."""

    allow_cancel_processing: bool = False
    release_as_refund: bool = True  # releasing held money shows as a Refund, as Stripe does it
    next_refund_statuses: list[str] = field(default_factory=list)
    refused_keys: set[str] = field(default_factory=set)
    accounts_of_keys: dict[str, str] = field(default_factory=dict)


@dataclass
class Call:
    """One API request, or an act of Stripe, the buyer or the dashboard (no request id)."""

    params: Params
    account: str = DEFAULT_ACCOUNT
    request_id: str | None = None
    idempotency_key: str | None = None
    is_publishable: bool = False
    base_url: str = ""
    path: dict[str, str] = field(default_factory=dict)


class World:
    def __init__(self) -> None:
        self.clock = Clock()
        self.store = Store()
        self.webhooks = WebhookSender()
        self.events = EventLog(self.clock, self.store, self.webhooks.offer)
        self.faults = FaultBoard()
        self.keys = KeyRing(self.clock)
        self.requests = RequestLog(self.clock)
        self.options = Options()
        self.background = Background()
        self.stopping = (
            asyncio.Event()
        )  # set while the server goes down, so that hanging answers end

    def reset(self) -> None:
        """Forget everything but where webhooks go."""
        self.background.cancel()
        self.clock.reset()
        self.store.clear()
        self.webhooks.reset()
        self.faults.clear()
        self.keys.clear()
        self.requests.clear()
        self.options = Options()

    def emit(
        self, event_type: str, record: Record, call: Call, previous: JsonObject | None = None
    ) -> None:
        self.events.emit(
            event_type,
            record,
            previous=previous,
            api_version=API_VERSION,
            request={"id": call.request_id, "idempotency_key": call.idempotency_key},
            is_connected=record.account not in self._own_accounts(),
        )

    def _own_accounts(self) -> set[str]:
        """Accounts that keys belong to; others were reached with `Stripe-Account`."""
        return {DEFAULT_ACCOUNT, *self.options.accounts_of_keys.values()}
