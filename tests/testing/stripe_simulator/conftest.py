from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import stripe

from medusa_payments.testing.stripe_simulator import StripeSimulator

SECRET = "whsec_tests"

Connect = Callable[..., stripe.StripeClient]


def error_of(raised: Any) -> Any:
    """The SDK's error object, whose type is too wide to read fields from."""
    return raised.value.error


def headers_of(raised: Any) -> Any:
    return raised.value.headers


@pytest.fixture
def simulator() -> Iterator[StripeSimulator]:
    with StripeSimulator(port=0) as running:
        yield running


@pytest.fixture
def connect(simulator: StripeSimulator) -> Connect:
    """Make a client of the real SDK that never retries by itself."""

    def make(
        api_key: str = "sk_test_tests", timeout: float = 5, **options: Any
    ) -> stripe.StripeClient:
        return stripe.StripeClient(
            api_key,
            base_addresses={"api": simulator.url},
            max_network_retries=0,
            http_client=stripe.RequestsClient(timeout=timeout),
            **options,
        )

    return make


@pytest.fixture
def client(connect: Connect) -> Any:
    """The SDK's `v1` services."""
    return connect().v1


@dataclass
class Receiver:
    """A webhook endpoint; `statuses` are answered in turn, then 200."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    received: list[stripe.Event] = field(default_factory=list)
    forged: int = 0

    @property
    def types(self) -> list[str]:
        return [event.type for event in self.received]

    def take(self, body: bytes, signature: str) -> int:
        try:
            self.received.append(stripe.Webhook.construct_event(body, signature, SECRET))
        except stripe.SignatureVerificationError:
            self.forged += 1
            return 400
        return self.statuses.pop(0) if self.statuses else 200


@pytest.fixture
def receiver(simulator: StripeSimulator) -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(receiver.take(body, self.headers["Stripe-Signature"]))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
    )
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
    simulator.set_webhook(receiver.url, SECRET)
    yield receiver
    simulator.set_webhook(None, SECRET)
    server.shutdown()
    server.server_close()


@pytest.fixture
def make_intent(client: Any) -> Callable[..., Any]:
    def make(amount: int = 1000, currency: str = "eur", **given: Any) -> Any:
        values = {"payment_method_types": ["card"], "metadata": {"session_id": "payses_1"}} | given
        return client.payment_intents.create({"amount": amount, "currency": currency, **values})

    return make


@pytest.fixture
def make_paid(make_intent: Callable[..., Any]) -> Callable[..., Any]:
    """A captured intent."""

    def make(amount: int = 1000, **given: Any) -> Any:
        values = {"payment_method": "pm_card_visa", "confirm": True} | given
        return make_intent(amount, **values)

    return make


@pytest.fixture
def make_held(make_paid: Callable[..., Any]) -> Callable[..., Any]:
    """An authorized intent, not yet captured."""

    def make(amount: int = 1000, **given: Any) -> Any:
        return make_paid(amount, capture_method="manual", **given)

    return make
