"""Medusa's own SDK, from npm, asks the example project (tests/js_sdk/)."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.conftest import ADMIN_API_KEY, PUBLISHABLE_KEY, WEBHOOK_SECRET

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = ROOT / "tests" / "js_sdk"
STAFF_EMAIL, STAFF_PASSWORD = "staff@shop.example", "a password of the tests"
TIME_OUT = 120

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def node() -> str:
    """Path of a Node that has the SDK; skips where there is none."""
    path = shutil.which("node")
    if path is None:
        pytest.skip("needs Node 20: install nodejs and npm")
    if not (SCRIPTS / "node_modules" / "@medusajs" / "js-sdk").is_dir():
        pytest.skip("needs Medusa's SDK: run npm ci in tests/js_sdk")
    return path


@dataclass(frozen=True)
class Shop:
    """The example project as processes, on a database and a Stripe of its own."""

    url: str
    environment: dict[str, str]
    log: Path

    def manage(self, *arguments: str, **more: str) -> str:
        done = subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *arguments],
            env=self.environment | more,
            capture_output=True,
            text=True,
            timeout=TIME_OUT,
            check=False,
        )
        assert done.returncode == 0, f"{arguments}\n{done.stdout}{done.stderr}"
        return done.stdout

    def last_line(self, *arguments: str) -> str:
        return self.manage(*arguments).strip().splitlines()[-1]

    def row(self, *arguments: str) -> Any:
        return json.loads(self.last_line(*arguments, "--json"))

    @contextmanager
    def served(self) -> Iterator[None]:
        command = [sys.executable, "-m", "waitress", f"--listen={self.url.removeprefix('http://')}"]
        with (
            self.log.open("w") as log,
            subprocess.Popen(
                [*command, "example_project.wsgi:application"],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
            ) as server,
        ):
            try:
                self._wait_until_ready(server)
                yield
            finally:
                server.terminate()

    def _wait_until_ready(self, server: subprocess.Popen[bytes]) -> None:
        for _ in range(TIME_OUT * 10):
            assert server.poll() is None, self.log.read_text()
            try:
                urllib.request.urlopen(self.url, timeout=10).close()
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise AssertionError("the example project did not answer")


@pytest.fixture
def shop(tmp_path: Path, simulator: StripeSimulator) -> Shop:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
    simulator.set_webhook(f"{url}/api/hooks/payment/pp_stripe_stripe", WEBHOOK_SECRET)
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return Shop(
        url,
        kept
        | {
            "DATABASE_URL": f"sqlite:///{tmp_path / 'shop.sqlite3'}",
            "STRIPE_API_BASE": simulator.url,
            "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
            "MEDUSA_PUBLISHABLE_KEY": PUBLISHABLE_KEY,
            "MEDUSA_ADMIN_API_KEY": ADMIN_API_KEY,
        },
        tmp_path / "server.log",
    )


def furnish(shop: Shop, simulator: StripeSimulator) -> dict[str, str]:
    """A database with what no HTTP call makes; the names that the script knows it by."""
    shop.manage("migrate", "--verbosity=0")
    shop.manage(
        "createsuperuser",
        "--noinput",
        DJANGO_SUPERUSER_USERNAME="staff",
        DJANGO_SUPERUSER_EMAIL=STAFF_EMAIL,
        DJANGO_SUPERUSER_PASSWORD=STAFF_PASSWORD,
    )
    return {
        "CART": shop.last_line("create_demo_cart", "--amount=100.50", "--currency=eur"),
        "DEAR_CART": shop.last_line("create_demo_cart", "--amount=900", "--currency=eur"),
        "PENDING_ORDER": "order_of_the_pending",
        "PENDING_SESSION": pending_session(shop, simulator, order="order_of_the_pending"),
        "STAFF_EMAIL": STAFF_EMAIL,
        "STAFF_PASSWORD": STAFF_PASSWORD,
    }


def pending_session(shop: Shop, simulator: StripeSimulator, *, order: str) -> str:
    """A session that the buyer's bank has paid meanwhile; the event of that never came."""
    made = shop.row("create_payment_collection", "100.50", "eur", f"--order={order}")
    session = shop.row("create_payment_session", made["id"], "--provider=pp_stripe_stripe")
    simulator.hold()
    simulator.pay(session["provider_reference"])
    simulator.drop_held()
    simulator.deliver()
    shop.manage(
        "shell",
        "-c",
        "from medusa_payments.models import PaymentSession\n"
        f"rows = PaymentSession.objects.filter(pk={session['id']!r})\n"
        "rows.update(status='pending_authorization')",
    )
    return str(session["id"])


def test_every_call_of_medusas_sdk_is_answered_as_it_expects(
    node: str, shop: Shop, simulator: StripeSimulator
) -> None:
    names = furnish(shop, simulator)

    with shop.served():
        done = subprocess.run(
            [node, "check.mjs"],
            cwd=SCRIPTS,
            env=shop.environment
            | names
            | {
                "SHOP_URL": shop.url,
                "STRIPE_URL": simulator.url,
                "PUBLISHABLE_KEY": PUBLISHABLE_KEY,
                "ADMIN_API_KEY": ADMIN_API_KEY,
            },
            capture_output=True,
            text=True,
            timeout=TIME_OUT,
            check=False,
        )

    sys.stdout.write(done.stdout)
    log = "" if done.returncode == 0 else shop.log.read_text()
    assert done.returncode == 0, f"{done.stdout}{done.stderr}\n{log}"
