"""The demo's process: the simulated Stripe, the shop's server and the story, each on a thread.

Nothing outlives the process, however it ends.
"""

from __future__ import annotations

import argparse
import io
import logging
import os
import secrets
import signal
import sys
import tempfile
import threading
from pathlib import Path
from types import FrameType
from typing import NoReturn

import django

from medusa_payments.testing.stripe_simulator import StripeSimulator

_WEBHOOK_SECRET = "whsec_of_the_demo"  # noqa: S105 - of a Stripe that is none


def main() -> int:
    options = _parser().parse_args()
    signal.signal(signal.SIGTERM, _exit)
    with (
        tempfile.TemporaryDirectory(prefix="medusa_payments_demo_") as folder,
        StripeSimulator(webhook_secret=_WEBHOOK_SECRET) as simulator,
    ):
        database = Path(folder) / "demo.sqlite3"
        os.environ.update(_environment(database, simulator.url))
        django.setup()
        return _run(simulator, database, stays_open=not options.exit)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="manage.py demo")
    parser.add_argument("--exit", action="store_true")
    return parser


def _exit(number: int, frame: FrameType | None) -> NoReturn:
    sys.exit(128 + number)


def _environment(database: Path, stripe_url: str) -> dict[str, str]:
    """Everything that the example project reads, so that no real key of the caller is used."""
    return {
        "DJANGO_SETTINGS_MODULE": "example_project.settings",
        "DJANGO_DEBUG": "0",
        "DJANGO_SECRET_KEY": secrets.token_urlsafe(32),
        "DJANGO_ALLOWED_HOSTS": "127.0.0.1",
        "DJANGO_ATOMIC_REQUESTS": "0",
        "DATABASE_URL": f"sqlite:///{database}",
        "STRIPE_API_BASE": stripe_url,
        "STRIPE_JS_URL": f"{stripe_url}/v3/",
        "STRIPE_SECRET_KEY": "sk_test_of_the_demo",
        "STRIPE_PUBLISHABLE_KEY": "pk_test_of_the_demo",
        "STRIPE_WEBHOOK_SECRET": _WEBHOOK_SECRET,
        "STRIPE_ACCOUNT_ID": "",
        "STRIPE_CAPTURE": "manual",
        "STRIPE_READ_TIMEOUT": "1",
        "STRIPE_TOTAL_BUDGET": "2.5",
        "MEDUSA_PUBLISHABLE_KEY": "pk_demo",
        "MEDUSA_ADMIN_API_KEY": f"sk_demo_{secrets.token_hex(12)}",
        "MEDUSA_WEBHOOK_APPLY": "inline",
        "MEDUSA_NOT_FOUND_HORIZON": "",
        "MEDUSA_LEASE_SECONDS": "",
        "MEDUSA_DEFAULT_CURRENCY": "eur",
        "CELERY_BROKER_URL": "",
    }


def _run(simulator: StripeSimulator, database: Path, *, stays_open: bool) -> int:
    from example_project.shop.demo.shop import open_shop
    from example_project.shop.demo.story import tell_story
    from example_project.shop.demo.telling import Teller

    log = io.StringIO()
    _log_to(log)
    teller = Teller()
    teller.opening()
    try:
        shop = open_shop()
        simulator.set_webhook(shop.webhook_url, _WEBHOOK_SECRET)
        tell_story(teller, shop, simulator)
    except Exception:  # noqa: BLE001 - shown, and the exit status tells
        teller.broken(log.getvalue())
        return 1
    if not teller.ending():
        return 1
    if stays_open:
        teller.invitation(shop, stripe_url=simulator.url, database=database)
        _wait()
    return 0


def _log_to(log: io.StringIO) -> None:
    """The terminal is for the story; what was logged is shown if it breaks."""
    root = logging.getLogger()
    for name in (None, "django", "django.server", "medusa_payments", "waitress"):
        logging.getLogger(name).handlers.clear()
    root.addHandler(logging.StreamHandler(log))


def _wait() -> None:
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    sys.exit(main())
