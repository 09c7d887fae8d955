"""Everything a test can do to the simulator. One surface, reached in process or over HTTP."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from .errors import JsonObject
from .faults import FaultStatus
from .ledger import Ledger
from .request_log import LoggedRequest
from .seeding import SeededIntent, SeedOfIntent
from .webhooks import Delivery


class ControlError(Exception):
    """A control was asked for what cannot be: an unknown id, or a state that does not allow it."""


class SimulatorControls(ABC):
    """The acts of Stripe, the buyer, a human in the dashboard and the network."""

    @abstractmethod
    def _ask(self, act: str, **arguments: Any) -> Any:
        """Have the simulator perform one act."""

    # The simulator itself

    def reset(self) -> None:
        """Forget everything but where webhooks go."""
        self._ask("reset")

    def ledger(self) -> Ledger:
        ledger: Ledger = self._ask("ledger")
        return ledger

    def requests(self, operation: str | None = None) -> list[LoggedRequest]:
        """API requests so far, oldest first; of one operation, or all."""
        entries: list[LoggedRequest] = self._ask("requests", operation=operation)
        return entries

    def object(self, identifier: str) -> JsonObject:
        """Any object as it is, without an API request."""
        found: JsonObject = self._ask("object", identifier=identifier)
        return found

    def seed(self, intents: Sequence[SeedOfIntent]) -> list[SeededIntent]:
        """Make a past of many intents at once, with their charges and refunds; no event tells."""
        seeded: list[SeededIntent] = self._ask("seed", intents=list(intents))
        return seeded

    def now(self) -> float:
        return float(self._ask("now"))

    def advance(self, seconds: float) -> float:
        """Let time pass: later stamps, forgotten idempotency keys. Returns the new time."""
        return float(self._ask("advance", seconds=seconds))

    def configure(
        self, *, allow_cancel_processing: bool | None = None, release_as_refund: bool | None = None
    ) -> None:
        self._ask(
            "configure",
            allow_cancel_processing=allow_cancel_processing,
            release_as_refund=release_as_refund,
        )

    def refuse_key(self, api_key: str) -> None:
        """Answer 401 to this key from now on."""
        self._ask("refuse_key", api_key=api_key)

    def accept_key(self, api_key: str) -> None:
        self._ask("accept_key", api_key=api_key)

    def assign_key(self, api_key: str, account: str) -> None:
        """Make a key belong to another account, with objects and idempotency keys of its own."""
        self._ask("assign_key", api_key=api_key, account=account)

    # Faults

    def fault(
        self,
        kind: str,
        operation: str | None = None,
        times: int | None = 1,
        delay: float | None = None,
        after: int = 0,
        changes: Mapping[str, Any] | None = None,
    ) -> int:
        """Make calls go wrong; returns the fault's id.

        `operation` is such as "refunds.create", "*" for every call, none for every call that is not
        a GET. The first `after` matching calls pass, the next `times` (none: all) go wrong.
        `changes` is what an "altered" answer says instead: paths such as "amount",
        "metadata.session_id", "data.0.currency" (without the number: of each) or
        "headers.Stripe-Account", and their values.
        """
        arguments = {
            "operation": operation,
            "times": times,
            "delay": delay,
            "after": after,
            "changes": dict(changes or {}),
        }
        return int(self._ask("fault", kind=str(kind), **arguments))

    def faults(self) -> list[FaultStatus]:
        listed: list[FaultStatus] = self._ask("faults")
        return listed

    def clear_faults(self) -> None:
        self._ask("clear_faults")

    # Webhooks

    def set_webhook(self, url: str | None, secret: str) -> None:
        """Make this the only endpoint; none: no endpoint."""
        self._ask("set_webhook", url=url, secret=secret)

    def add_webhook(self, url: str, secret: str) -> None:
        self._ask("add_webhook", url=url, secret=secret)

    def hold(self) -> None:
        """Queue events from now on."""
        self._ask("hold")

    def deliver(self) -> None:
        """Post events at once, from now on; what is held stays held until released."""
        self._ask("deliver")

    def held(self, types: Sequence[str] | None = None) -> list[JsonObject]:
        events: list[JsonObject] = self._ask("held", types=_plain(types))
        return events

    def release(
        self,
        order: str | Sequence[str] = "in_order",
        *,
        times: int = 1,
        types: Sequence[str] | None = None,
        seed: int = 0,
    ) -> list[Delivery]:
        """Post held events now, each `times` times, and tell the HTTP statuses.

        `order` is "in_order", "reversed", "random" (by `seed`) or a list of event ids.
        """
        chosen = order if isinstance(order, str) else list(order)
        deliveries: list[Delivery] = self._ask(
            "release", order=chosen, times=times, types=_plain(types), seed=seed
        )
        return deliveries

    def drop_held(self, types: Sequence[str] | None = None) -> list[str]:
        """Lose held events for ever; returns their ids."""
        dropped: list[str] = self._ask("drop_held", types=_plain(types))
        return dropped

    def events(self, types: Sequence[str] | None = None) -> list[JsonObject]:
        """All events so far, oldest first, delivered or not."""
        found: list[JsonObject] = self._ask("events", types=_plain(types))
        return found

    def redeliver(self, event_id: str, times: int = 1) -> list[Delivery]:
        deliveries: list[Delivery] = self._ask("redeliver", event_id=event_id, times=times)
        return deliveries

    def deliveries(self) -> list[Delivery]:
        """Every POST made so far."""
        made: list[Delivery] = self._ask("deliveries")
        return made

    def wait_for_deliveries(self, timeout: float = 10) -> bool:
        """Wait for background deliveries with their retries; whether they ended in time."""
        return bool(self._ask("wait_for_deliveries", timeout=timeout))

    def signed(
        self, event_id: str, *, secret: str | None = None, timestamp: int | None = None
    ) -> tuple[bytes, dict[str, str]]:
        """Body and headers of an event's POST, to send oneself; forged or stale if so asked."""
        parts = self._ask("signed", event_id=event_id, secret=secret, timestamp=timestamp)
        return parts["body"].encode(), parts["headers"]

    # Stripe, the buyer and the bank

    def pay(self, intent_id: str, payment_method: str = "pm_card_visa") -> JsonObject:
        """What the buyer's Stripe.js does; the intent tells how it went."""
        intent: JsonObject = self._ask("pay", intent_id=intent_id, payment_method=payment_method)
        return intent

    def complete_action(self, intent_id: str, succeed: bool = True) -> JsonObject:
        """The buyer authenticates, or fails to; of a payment or setup intent."""
        intent: JsonObject = self._ask("complete_action", intent_id=intent_id, succeed=succeed)
        return intent

    def finish_processing(self, intent_id: str, succeed: bool = True) -> JsonObject:
        intent: JsonObject = self._ask("finish_processing", intent_id=intent_id, succeed=succeed)
        return intent

    def partially_fund(self, intent_id: str, amount: int) -> JsonObject:
        """The buyer's bank transfers have brought so much, less than the intent's amount."""
        intent: JsonObject = self._ask("partially_fund", intent_id=intent_id, amount=amount)
        return intent

    def expire_authorization(self, intent_id: str) -> JsonObject:
        intent: JsonObject = self._ask("expire_authorization", intent_id=intent_id)
        return intent

    def next_refund_status(self, status: str, times: int = 1) -> None:
        """Born so: pending, requires_action, failed, canceled or succeeded."""
        self._ask("next_refund_status", status=status, times=times)

    def succeed_refund(self, refund_id: str) -> JsonObject:
        refund: JsonObject = self._ask("succeed_refund", refund_id=refund_id)
        return refund

    def fail_refund(self, refund_id: str) -> JsonObject:
        """Also of one that succeeded: the bank sent the money back."""
        refund: JsonObject = self._ask("fail_refund", refund_id=refund_id)
        return refund

    def dispute(
        self, intent_id: str, amount: int | None = None, *, is_inquiry: bool = False
    ) -> JsonObject:
        """The bank takes money back, or (an inquiry) only asks about it."""
        dispute: JsonObject = self._ask(
            "dispute", intent_id=intent_id, amount=amount, is_inquiry=is_inquiry
        )
        return dispute

    def escalate_dispute(self, dispute_id: str) -> JsonObject:
        """The bank takes back what it had only asked about."""
        dispute: JsonObject = self._ask("escalate_dispute", dispute_id=dispute_id)
        return dispute

    def close_dispute(self, dispute_id: str, won: bool) -> JsonObject:
        """Also of one that is closed: the bank thinks again. An inquiry ends in nothing."""
        dispute: JsonObject = self._ask("close_dispute", dispute_id=dispute_id, won=won)
        return dispute

    # A human in Stripe's dashboard: no idempotency key, no metadata of ours

    def dashboard_refund(self, intent_id: str, amount: int | None = None) -> JsonObject:
        refund: JsonObject = self._ask("dashboard_refund", intent_id=intent_id, amount=amount)
        return refund

    def dashboard_capture(self, intent_id: str, amount: int | None = None) -> JsonObject:
        intent: JsonObject = self._ask("dashboard_capture", intent_id=intent_id, amount=amount)
        return intent

    def dashboard_cancel(self, intent_id: str) -> JsonObject:
        intent: JsonObject = self._ask("dashboard_cancel", intent_id=intent_id)
        return intent

    def foreign_intent(
        self,
        amount: int = 1000,
        currency: str = "eur",
        *,
        payment_method: str | None = "pm_card_visa",
        capture_method: str = "automatic",
        metadata: Mapping[str, str] | None = None,
        account: str | None = None,
    ) -> JsonObject:
        """Another system's intent in the same account, paid unless `payment_method` is none."""
        intent: JsonObject = self._ask(
            "foreign_intent",
            amount=amount,
            currency=currency,
            payment_method=payment_method,
            capture_method=capture_method,
            metadata=dict(metadata or {}),
            account=account,
        )
        return intent


def _plain(types: Sequence[str] | None) -> list[str] | None:
    return None if types is None else list(types)
