"""schemathesis asks the running example what its OpenAPI document allows, and what it does not.

It runs as a program of its own, since its plugin for pytest prepares all requests while tests are
collected, and so does the example: Django's server for tests hangs on some of what it is sent.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from example_project.shop.carts import price_cart
from medusa_payments.models import AuditEntry, Discrepancy, PaymentSession, ProviderCall
from medusa_payments.statuses import DiscrepancyKind
from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.api.shop import PAID_AT_ONCE, PROVIDER
from tests.conftest import ADMIN_API_KEY, PUBLISHABLE_KEY, WEBHOOK_SECRET, LiveApi

pytest.importorskip("schemathesis", reason="only where schemathesis is installed")

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

ROOT = Path(__file__).resolve().parents[2]
# An act may be refused for what only the records say, and a query for what no schema can express.
_REFUSED_THOUGH_VALID = '["2xx", "400", "401", "404", "409", "422"]'
_CONFIG = f"""
seed = 1
color = false
continue-on-failure = true
suppress-health-check = ["all"]

[generation]
max-examples = 15
deterministic = true
no-shrink = true
database = "none"

[phases]
examples.enabled = false
stateful.enabled = false
fuzzing.checks.positive_data_acceptance.expected-statuses = {_REFUSED_THOUGH_VALID}

[auth.openapi]
publishableKey = {{ api_key = "{PUBLISHABLE_KEY}" }}
secretKey = {{ username = "{ADMIN_API_KEY}", password = "" }}

[checks]
unsupported_method.enabled = false # 404, as Medusa: see test_openapi.py

[[operations]]
include-method = ["POST", "DELETE"]
checks.positive_data_acceptance.expected-statuses = {_REFUSED_THOUGH_VALID}

[[operations]]
include-tag = "store"
checks.ignored_auth.enabled = false # 400, as Medusa: see test_permissions.py
"""


@pytest.fixture
def example(database_url: str, simulator: StripeSimulator, tmp_path: Path) -> Iterator[LiveApi]:
    port = _free_port()
    environment = {
        "DATABASE_URL": database_url,
        "STRIPE_API_BASE": simulator.url,
        "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "MEDUSA_PUBLISHABLE_KEY": PUBLISHABLE_KEY,
        "MEDUSA_ADMIN_API_KEY": ADMIN_API_KEY,
    }
    serve = [sys.executable, "-m", "waitress", f"--listen=127.0.0.1:{port}"]
    with (
        (tmp_path / "example.log").open("wb") as log,
        subprocess.Popen(
            [*serve, "example_project.wsgi:application"],
            cwd=ROOT,
            env=os.environ | environment,
            stdout=log,
            stderr=log,
        ) as process,
    ):
        _await(port)
        yield LiveApi(f"http://127.0.0.1:{port}")
        process.terminate()


def test_every_answer_is_as_documented(example: LiveApi, tmp_path: Path) -> None:
    (tmp_path / "schemathesis.toml").write_text(_CONFIG + _of_known(_records(example)))

    done = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", "run", f"{example.url}/api/openapi.json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _await(port: int) -> None:
    for _ in range(300):
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError("The example does not start.")


def _records(api: LiveApi) -> dict[str, list[str]]:
    """One of each, and payments to act on, by the name of their ids in paths and bodies."""
    open_ones = [_collection(api) for _ in range(30)]
    payments = [_paid(api, _collection(api)) for _ in range(4)]
    api.admin("POST", f"payments/{payments[0]}/capture", {})
    reason = api.admin("POST", "refund-reasons", {"label": "Damaged", "code": "damaged"}).json()
    found = Discrepancy.objects.create(open_key="one", kind=DiscrepancyKind.AMOUNT, detail="Odd")
    return {
        "path.collection_id": open_ones,
        "path.payment_id": payments,
        "path.session_id": list(PaymentSession.objects.values_list("pk", flat=True)),
        "path.reason_id": [reason["refund_reason"]["id"]],
        "path.call_id": list(ProviderCall.objects.values_list("pk", flat=True)),
        "path.discrepancy_id": [found.pk],
        "path.entry_id": [str(each) for each in AuditEntry.objects.values_list("pk", flat=True)],
        "path.order_id": ["order_1"],
        "path.provider_id": [PROVIDER],
        "body.order_id": ["order_1"],
        "body.cart_id": [str(price_cart(amount=Decimal(10), currency_code="eur").pk)],
        "body.currency_code": ["eur", "jpy"],
        "body.provider_id": [PROVIDER, "pp_system_default"],
    }


def _collection(api: LiveApi) -> str:
    body = {"order_id": "order_1", "amount": 10, "currency_code": "eur"}
    return str(api.admin("POST", "payment-collections", body).json()["payment_collection"]["id"])


def _paid(api: LiveApi, collection: str) -> Any:
    path = f"payment-collections/{collection}/payment-sessions"
    answer = api.admin("POST", path, {"provider_id": PROVIDER, "data": PAID_AT_ONCE})
    (session,) = answer.json()["payment_collection"]["payment_sessions"]
    return session["payment"]["id"]


def _of_known(values: dict[str, list[str]]) -> str:
    """Most requests are about what there is."""
    lines = ["[parameters]"]
    lines += [f'"{name}" = {{ dictionary = "{name}", probability = 0.7 }}' for name in values]
    for name, known in values.items():
        lines += [f'[dictionaries."{name}"]', f"values = {known!r}"]
    return "\n".join(lines)
