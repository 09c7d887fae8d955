from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from medusa_payments.providers.stripe import StripeProvider
from medusa_payments.testing.stripe_simulator import StripeSimulator

PAYLOADS = Path(__file__).parent / "payloads"
WEBHOOK_SECRET = "whsec_of_the_tests"

MakeProvider = Callable[..., StripeProvider]


def payload(name: str) -> Any:
    """A stored event as the database gives it back."""
    return json.loads((PAYLOADS / f"{name}.json").read_text())


@pytest.fixture
def make_provider(simulator: StripeSimulator) -> MakeProvider:
    def make(**options: Any) -> StripeProvider:
        defaults = {
            "API_KEY": "sk_test_of_the_tests",
            "API_BASE": simulator.url,
            "WEBHOOK_SECRETS": (WEBHOOK_SECRET,),
            "READ_TIMEOUT": 10.0,
        }
        return StripeProvider("pp_stripe_stripe", defaults | options)

    return make


@pytest.fixture
def provider(make_provider: MakeProvider) -> StripeProvider:
    return make_provider()


class CannedServer:
    """Answers every connection with the same bytes, none: with silence, and counts them."""

    def __init__(self) -> None:
        self.answer: bytes | None = b""
        self.requests: list[bytes] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._open: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.requests.append(connection.recv(65536))
            if self.answer is None:
                self._open.append(connection)
                continue
            connection.sendall(self.answer)
            connection.close()

    def close(self) -> None:
        self._socket.close()
        for connection in self._open:
            connection.close()


@pytest.fixture
def canned() -> Iterator[CannedServer]:
    server = CannedServer()
    yield server
    server.close()


def response(
    status: int, body: Any, *, content_type: str = "application/json", **headers: str
) -> bytes:
    """HTTP as it goes over the wire; a body that is no bytes is sent as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [
        f"HTTP/1.1 {status} Status",
        f"Content-Type: {content_type}",
        f"Content-Length: {len(content)}",
        "Connection: close",
        "Request-Id: req_canned",
        *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + content
