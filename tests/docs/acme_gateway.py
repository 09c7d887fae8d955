"""Acme Pay itself: a small HTTP server with a ledger, which can lose requests and answers.

It knows nothing of the provider, so what it says about money is evidence of its own.
"""

from __future__ import annotations

import hmac
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

API_KEY = "acme_key_of_the_tests"
WEBHOOK_SECRET = "acme_secret_of_the_tests"
DECLINED_TOKEN = "card_declined"
PAGE = 2  # payments of a listing; small, so that tests have several pages

Json = dict[str, Any]
Answered = tuple[int, Json]


@dataclass(kw_only=True)
class Entry:
    """One payment of the ledger, in major units."""

    amount: Decimal
    currency: str
    merchant_reference: str
    id: str = field(default_factory=lambda: f"acme_{uuid4().hex}")
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    status: str = "open"
    held: Decimal = Decimal(0)
    taken: Decimal = Decimal(0)
    refunds: list[Json] = field(default_factory=list)

    @property
    def refunded(self) -> Decimal:
        return sum((Decimal(each["amount"]) for each in self.refunds), Decimal(0))

    @property
    def kept(self) -> Decimal:
        return self.held + self.taken - self.refunded

    def shown(self) -> Json:
        return {
            "id": self.id,
            "status": self.status,
            "amount": str(self.amount),
            "currency": self.currency,
            "held": str(self.held),
            "taken": str(self.taken),
            "refunds": list(self.refunds),
            "merchant_reference": self.merchant_reference,
            "checkout_url": f"https://checkout.acme-pay.example/{self.id}",
            "as_of": datetime.now(UTC).isoformat(),
        }


@dataclass
class Fault:
    """What happens to one request: it is lost on its way, or its answer is, or is another one."""

    executes: bool
    answer: tuple[int, bytes] | None = None  # None: the connection is closed without one


class AcmeGateway:
    """Runs on a thread, on a free port. ``url`` is the provider's ``API_BASE``."""

    def __init__(self) -> None:
        self.ledger: dict[str, Entry] = {}
        self.keys: list[str] = []  # of the requests that change something, in their order
        self._answers: dict[str, tuple[str, Answered]] = {}  # by key: the request, its answer
        self._faults: dict[str, list[Fault | None]] = {}
        self._broken: dict[str, Fault] = {}
        self._lock = Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """No connection can be made from now on."""
        self._server.shutdown()
        self._server.server_close()

    # What a test does to it

    def fail_next(self, operation: str, fault: Fault, *, after: int = 0) -> None:
        """``operation``: create, capture, void, refund, read or list; ``after`` so many pass."""
        self._faults.setdefault(operation, []).extend([*[None] * after, fault])

    def fail_always(self, operation: str, fault: Fault) -> None:
        self._broken[operation] = fault

    def heal(self) -> None:
        self._faults.clear()
        self._broken.clear()

    def pay(self, payment_id: str) -> None:
        """The buyer pays at the checkout page: the money is held."""
        entry = self.ledger[payment_id]
        entry.status, entry.held = "authorized", entry.amount

    def capture_in_dashboard(self, payment_id: str) -> None:
        entry = self.ledger[payment_id]
        entry.status, entry.held, entry.taken = "captured", Decimal(0), entry.amount

    def payment_of(self, merchant_reference: str) -> Entry:
        """The only payment of this reference."""
        (found,) = (
            each for each in self.ledger.values() if each.merchant_reference == merchant_reference
        )
        return found

    def delivery(
        self, payment_id: str, *, secret: str = WEBHOOK_SECRET, sent_at: float | None = None
    ) -> tuple[bytes, dict[str, str]]:
        """Body and headers of a signed event that tells how the payment stands."""
        shown = self.ledger[payment_id].shown()
        event = {"id": f"evt_{uuid4().hex}", "type": f"payment.{shown['status']}", "payment": shown}
        if shown["refunds"]:
            event |= {"type": "refund.done", "refund": shown["refunds"][-1]}
        body = json.dumps(event).encode()
        stamp = str(int(time.time() if sent_at is None else sent_at))
        signature = hmac.new(secret.encode(), stamp.encode() + b"." + body, "sha256").hexdigest()
        return body, {"Acme-Signature": f"{stamp}.{signature}"}

    # What it does itself

    def answer(
        self, method: str, url: str, body: bytes, headers: dict[str, str]
    ) -> tuple[int, bytes] | None:
        """Status and body; None: close the connection."""
        path = urlsplit(url).path.removeprefix("/v1")
        operation, payment_id = _operation(method, path)
        fault = self._next_fault(operation)
        if fault is None or fault.executes:
            status, answered = self._execute(operation, payment_id, url, body, headers)
            if fault is None:
                return status, json.dumps(answered).encode()
        return fault.answer

    def _next_fault(self, operation: str) -> Fault | None:
        waiting = self._faults.get(operation)
        return waiting.pop(0) if waiting else self._broken.get(operation)

    def _execute(
        self, operation: str, payment_id: str, url: str, body: bytes, headers: dict[str, str]
    ) -> Answered:
        if headers.get("authorization") != f"Bearer {API_KEY}":
            return 401, {"error": "unauthorized"}
        with self._lock:
            if operation == "list":
                return self._list(dict(parse_qsl(urlsplit(url).query)))
            if operation != "create" and payment_id not in self.ledger:
                return 404, {"error": "no_such_payment"}
            if operation == "read":
                return 200, {"payment": self.ledger[payment_id].shown()}
            request = f"{url} {body.decode()}"
            return self._once(
                headers.get("idempotency-key", ""),
                request,
                lambda: _ACTS[operation](self, payment_id, json.loads(body)),
            )

    def _once(self, key: str, request: str, act: Callable[[], Answered]) -> Answered:
        """One key acts once. A refusal is not kept: nothing was executed."""
        if not key:
            return 400, {"error": "invalid_request"}
        self.keys.append(key)
        if key in self._answers:
            first, answered = self._answers[key]
            return answered if first == request else (422, {"error": "key_of_another_request"})
        answered = act()
        if answered[0] < 300:
            self._answers[key] = (request, answered)
        return answered

    def _list(self, query: dict[str, str]) -> Answered:
        bounds = (query.get("created_from", ""), query.get("created_to", "9999"))
        found = [
            entry
            for entry in self.ledger.values()
            if bounds[0] <= entry.created_at.isoformat() <= bounds[1]
        ]
        start = int(query.get("after", 0))
        page = found[start : start + PAGE]
        after = str(start + PAGE) if start + PAGE < len(found) else None
        return 200, {"payments": [entry.shown() for entry in page], "next": after}

    def create(self, payment_id: str, asked: Json) -> Answered:
        if asked["token"] == DECLINED_TOKEN:
            return 402, {"error": "declined"}
        entry = Entry(
            amount=Decimal(asked["amount"]),
            currency=asked["currency"],
            merchant_reference=asked["merchant_reference"],
        )
        self.ledger[entry.id] = entry
        if asked["token"]:
            self.pay(entry.id)
        return 201, {"payment": entry.shown()}

    def capture(self, payment_id: str, asked: Json) -> Answered:
        entry = self.ledger[payment_id]
        if entry.status != "authorized":
            return _wrong_state(entry)
        if Decimal(asked["amount"]) > entry.held:
            return 400, {"error": "amount_too_large"}
        entry.status, entry.held, entry.taken = "captured", Decimal(0), Decimal(asked["amount"])
        return 200, {"payment": entry.shown()}

    def void(self, payment_id: str, asked: Json) -> Answered:
        entry = self.ledger[payment_id]
        if entry.status not in ("open", "authorized"):
            return _wrong_state(entry)
        entry.status, entry.held = "voided", Decimal(0)
        return 200, {"payment": entry.shown()}

    def refund(self, payment_id: str, asked: Json) -> Answered:
        entry = self.ledger[payment_id]
        if Decimal(asked["amount"]) > entry.taken - entry.refunded:
            return 400, {"error": "amount_too_large"}
        entry.refunds.append({**asked, "id": f"acme_ref_{uuid4().hex}", "status": "done"})
        return 201, {"payment": entry.shown(), "refund": entry.refunds[-1]}


_ACTS: dict[str, Callable[[AcmeGateway, str, Json], Answered]] = {
    "create": AcmeGateway.create,
    "capture": AcmeGateway.capture,
    "void": AcmeGateway.void,
    "refund": AcmeGateway.refund,
}
_ROUTES = {
    ("POST", r"/payments"): "create",
    ("GET", r"/payments"): "list",
    ("GET", r"/payments/(\w+)"): "read",
    ("POST", r"/payments/(\w+)/capture"): "capture",
    ("POST", r"/payments/(\w+)/void"): "void",
    ("POST", r"/payments/(\w+)/refunds"): "refund",
}


def _operation(method: str, path: str) -> tuple[str, str]:
    for (wanted, pattern), operation in _ROUTES.items():
        if wanted == method and (match := re.fullmatch(pattern, path)):
            return operation, "".join(match.groups())
    raise LookupError(f"{method} {path}")


def _wrong_state(entry: Entry) -> Answered:
    return 409, {"error": "wrong_state", "payment": entry.shown()}


def _handler_of(gateway: AcmeGateway) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = gateway.answer(self.command, self.path, body, headers)
            if answer is None:
                self.close_connection = True
                return
            status, content = answer
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: Any, **kwargs: Any) -> None:
            pass

    return Handler
