"""The demo's shop: its database, its server, and the HTTP requests of a buyer and a shopkeeper."""

from __future__ import annotations

import base64
import json
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command
from waitress.server import create_server

ADMIN_NAME = ADMIN_PASSWORD = "demo"  # noqa: S105 - everybody may know it
_TIMEOUT = 30


@dataclass(frozen=True)
class Answer:
    status: int
    body: dict[str, Any]


@dataclass(frozen=True)
class Shop:
    url: str

    @property
    def webhook_url(self) -> str:
        return f"{self.url}/api/hooks/payment/pp_stripe_stripe"

    @property
    def admin_api_key(self) -> str:
        key: str = settings.MEDUSA_PAYMENTS["SECRET_KEYS"][0]
        return key

    def store(self, path: str, body: dict[str, Any]) -> Answer:
        """What the buyer's browser asks."""
        key = settings.MEDUSA_PAYMENTS["PUBLISHABLE_KEYS"][0]
        return self._post(f"/api/store/{path}", body, {"x-publishable-api-key": key})

    def admin(self, path: str, body: dict[str, Any], **headers: str) -> Answer:
        """What the shopkeeper's own server asks."""
        basic = base64.b64encode(f"{self.admin_api_key}:".encode()).decode()
        return self._post(
            f"/api/admin/{path}",
            body,
            {"authorization": f"Basic {basic}"}
            | {name.replace("_", "-"): value for name, value in headers.items()},
        )

    def _post(self, path: str, body: dict[str, Any], headers: dict[str, str]) -> Answer:
        request = urllib.request.Request(  # noqa: S310 - our own server's address
            self.url + path,
            data=json.dumps(body).encode(),
            headers={"content-type": "application/json", **headers},
            method="POST",
        )
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT) as response:  # noqa: S310
                return Answer(response.status, _json(response.read()))
        except urllib.error.HTTPError as error:
            return Answer(error.code, _json(error.read()))


def _json(body: bytes) -> dict[str, Any]:
    """Amounts stay exact."""
    read: dict[str, Any] = json.loads(body, parse_float=Decimal, parse_int=Decimal)
    return read


def open_shop() -> Shop:
    """Make the database from nothing and serve the shop on a free port."""
    call_command("migrate", verbosity=0)
    users: Any = get_user_model()._default_manager
    users.create_superuser(ADMIN_NAME, password=ADMIN_PASSWORD)
    server = create_server(WSGIHandler(), host="127.0.0.1", port=0, threads=8)
    threading.Thread(target=server.run, name="shop", daemon=True).start()
    return Shop(f"http://127.0.0.1:{server.effective_port}")
