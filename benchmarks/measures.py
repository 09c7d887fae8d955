"""What is compared with what."""

from __future__ import annotations

import hmac
import itertools
import json
import time
import urllib.request
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.load import Post, Timing, send
from benchmarks.servers import WEBHOOK_SECRET
from medusa_payments.testing.stripe_simulator.client import SimulatorClient

_JSON = {"Content-Type": "application/json"}
_STORE = {**_JSON, "x-publishable-api-key": "pk_benchmark"}
_ADMIN = {**_JSON, "Authorization": f"Basic {b64encode(b'sk_benchmark:').decode()}"}
_PROVIDER = "pp_stripe_stripe"

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Measure:
    """``ours`` and ``bare`` make one request each; what they need first is not timed."""

    name: str
    url: str
    parallel: int
    limit: float  # most that ours may take, in times of the bare view
    ours: Callable[[], Post]
    bare: Callable[[], Post]

    def run(self, make: Callable[[], Post], count: int) -> Timing:
        posts = [make() for _ in range(count)]
        return send(self.url, posts, parallel=self.parallel)


def creation(url: str, parallel: int) -> Measure:
    """The first session of a collection, as a buyer's page asks for it."""

    def ours() -> Post:
        body = {"order_id": f"order_{next(_numbers)}", "amount": 100.5, "currency_code": "eur"}
        made = _post(f"{url}/api/admin/payment-collections", body, _ADMIN)
        collection_id = made["payment_collection"]["id"]
        path = f"/api/store/payment-collections/{collection_id}/payment-sessions"
        return Post(path, json.dumps({"provider_id": _PROVIDER}).encode(), _STORE)

    def bare() -> Post:
        return Post("/bare/sessions", json.dumps({"amount": 10050}).encode(), _JSON)

    return Measure("session creation", url, parallel, 1.6, ours, bare)


def intake(url: str, stripe_url: str, parallel: int) -> Measure:
    """A delivery that is verified and stored; ours is applied by the sweep."""
    (event,) = _events_of_paid_sessions(url, stripe_url, 1)

    def ours() -> Post:
        return _delivery(f"/api/hooks/payment/{_PROVIDER}", event)

    def bare() -> Post:
        return _delivery("/bare/hook", event)

    return Measure("webhook intake", url, parallel, 1.3, ours, bare)


def processing(url: str, stripe_url: str, *, count: int) -> float:
    """Deliveries a second that are verified, stored and applied, each to a session of its own."""
    events = _events_of_paid_sessions(url, stripe_url, count)
    posts = [_delivery(f"/api/hooks/payment/{_PROVIDER}", event) for event in events]
    return send(url, posts, parallel=1).per_second


def _events_of_paid_sessions(url: str, stripe_url: str, count: int) -> list[dict[str, Any]]:
    """What Stripe tells when the buyers of new sessions have paid."""
    stripe = SimulatorClient(stripe_url)
    make = creation(url, 1).ours
    for _ in range(count):
        post = make()
        answer = _post(url + post.path, json.loads(post.body), post.headers)
        (session,) = answer["payment_collection"]["payment_sessions"]
        stripe.pay(session["data"]["id"])
    return stripe.events(["payment_intent.amount_capturable_updated"])[-count:]


def _delivery(path: str, event: dict[str, Any]) -> Post:
    body = json.dumps({**event, "id": f"evt_benchmark{next(_numbers)}"}).encode()
    now = int(time.time())
    signature = hmac.new(WEBHOOK_SECRET.encode(), f"{now}.".encode() + body, "sha256").hexdigest()
    return Post(path, body, {**_JSON, "Stripe-Signature": f"t={now},v1={signature}"})


def _post(url: str, body: dict[str, Any], headers: dict[str, str]) -> Any:
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)
