"""What every test may ask for. `DATABASE_URL` picks the database; none means a SQLite file.

Without a server or a browser the tests that need one are skipped, and the reason begins with
"needs". Under `MEDUSA_CI=1`, where nothing may be missing, such a skip is a failure.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
import requests
from django.db import connection, connections
from django.test import override_settings

from medusa_payments.testing.stripe_simulator import StripeSimulator

WEBHOOK_SECRET = "whsec_of_the_tests"
PUBLISHABLE_KEY = "pk_of_the_tests"
ADMIN_API_KEY = "sk_of_the_tests"

_DATABASE_FIXTURES = {"db", "transactional_db", "live_server"}
_KEPT_TABLES = {"django_content_type", "auth_permission"}
_MISSING_REASONS = ("needs ", "could not import ")


@pytest.fixture(autouse=True, scope="session")
def quick_passwords() -> Iterator[None]:
    """Django's own hasher takes a third of a second of CPU for each log-in, on purpose."""
    hasher = "django.contrib.auth.hashers.MD5PasswordHasher"
    with override_settings(PASSWORD_HASHERS=[hasher]):
        yield


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One more than there are cores: many tests mostly wait, for servers, leases and processes."""
    return (os.cpu_count() or 1) + 1


# What a run may skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    vendor = connections["default"].vendor
    for item in items:
        uses_database = _DATABASE_FIXTURES & set(getattr(item, "fixturenames", ()))
        if uses_database or item.get_closest_marker("django_db"):
            item.add_marker(pytest.mark.database)
        if item.get_closest_marker("postgres") and vendor != "postgresql":
            item.add_marker(pytest.mark.skip(reason="only on PostgreSQL"))
        if item.get_closest_marker("mariadb") and vendor != "mysql":
            item.add_marker(pytest.mark.skip(reason="only on MariaDB"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    report = yield
    if os.environ.get("MEDUSA_CI") == "1" and report.skipped and not hasattr(report, "wasxfail"):
        reason = _skip_reason(report)
        if reason.startswith(_MISSING_REASONS):
            report.outcome = "failed"
            report.longrepr = f"{item.nodeid}: CI must not skip this: {reason}"
    return report


def _skip_reason(report: pytest.TestReport) -> str:
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return text.removeprefix("Skipped: ")


@pytest.fixture(scope="session")
def requires_browser() -> str:
    """Path of a Chromium; skips where there is none."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    pytest.skip("needs a browser: install chromium")


@pytest.fixture
def requires_postgres(db: None) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("only on PostgreSQL")


@pytest.fixture
def requires_mariadb(db: None) -> None:
    if connection.vendor != "mysql":
        pytest.skip("only on MariaDB")


# The database


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """A SQLite file of this run's own.

    In memory, all threads would share one connection, as no shop's threads do. Commits do not wait
    for the disk: nothing here outlives the machine.
    """
    settings = connections["default"].settings_dict
    if connections["default"].vendor == "sqlite":
        folder = tmp_path_factory.mktemp("database")
        settings["TEST"]["NAME"] = str(folder / "payments.sqlite3")
        settings["OPTIONS"]["init_command"] = "PRAGMA synchronous=OFF"


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> None:
    """Empty the tables after a test with DELETE, which takes PostgreSQL milliseconds.

    Its TRUNCATE of some hundred tables takes a second. Content types and permissions stay, as
    Django would make the same ones again.
    """
    operations = connection.ops
    original = operations.sql_flush

    def sql_flush(style: Any, tables: list[str], **options: Any) -> list[str]:
        emptied = [table for table in tables if table not in _KEPT_TABLES]
        if connection.vendor == "postgresql":
            return [f"DELETE FROM {operations.quote_name(table)};" for table in emptied]
        return original(style, emptied, **options)

    operations.sql_flush = sql_flush  # type: ignore[method-assign]


@pytest.fixture
def database_url(transactional_db: None) -> str:
    """The test database, for the `DATABASE_URL` of another process."""
    settings = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{settings['NAME']}"
    scheme = {"postgresql": "postgres", "mysql": "mysql"}[connection.vendor]
    password = f":{quote(settings['PASSWORD'], safe='')}" if settings["PASSWORD"] else ""
    user = quote(settings["USER"], safe="")
    port = f":{settings['PORT']}" if settings["PORT"] else ""
    return f"{scheme}://{user}{password}@{settings['HOST']}{port}/{settings['NAME']}"


# Stripe


@pytest.fixture
def simulator() -> Iterator[StripeSimulator]:
    """A Stripe that has seen nothing and sends its events nowhere. It starts in a millisecond."""
    with StripeSimulator(webhook_secret=WEBHOOK_SECRET) as running:
        yield running


@pytest.fixture
def stripe_settings(settings: Any, simulator: StripeSimulator) -> Any:
    """`pp_stripe_stripe` talks to the simulator and gives up soon."""
    settings.MEDUSA_PAYMENTS = {
        "PROVIDERS": {
            "pp_stripe_stripe": {
                "BACKEND": "medusa_payments.providers.stripe.StripeProvider",
                "OPTIONS": {
                    "API_KEY": "sk_test_of_the_tests",
                    "PUBLISHABLE_KEY": "pk_test_of_the_tests",
                    "WEBHOOK_SECRETS": (WEBHOOK_SECRET,),
                    "API_BASE": simulator.url,
                    "CAPTURE": "manual",
                    "READ_TIMEOUT": 1.0,
                    "TOTAL_BUDGET": 3.0,
                },
            },
            "pp_system_default": {"BACKEND": "medusa_payments.providers.system.SystemProvider"},
        },
        "CART_RESOLVER": settings.MEDUSA_PAYMENTS["CART_RESOLVER"],
        "PUBLISHABLE_KEYS": (PUBLISHABLE_KEY,),
        "SECRET_KEYS": (ADMIN_API_KEY,),
    }
    return settings


# HTTP


@dataclass(frozen=True)
class LiveApi:
    """The payments API over real HTTP, with the keys of a shop and of its server."""

    url: str

    def store(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        headers = {"x-publishable-api-key": PUBLISHABLE_KEY}
        return self._send(method, f"/api/store/{path.lstrip('/')}", body, headers=headers)

    def admin(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, **headers: str
    ) -> Any:
        return self._send(
            method,
            f"/api/admin/{path.lstrip('/')}",
            body,
            headers={name.replace("_", "-"): value for name, value in headers.items()},
            auth=(ADMIN_API_KEY, ""),
        )

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None, **options: Any) -> Any:
        return requests.request(
            method, self.url + path, json=body, timeout=30, allow_redirects=False, **options
        )


@pytest.fixture
def live_api(live_server: Any, simulator: StripeSimulator, stripe_settings: Any) -> LiveApi:
    """The example project on a port, with the simulator posting its events to it."""
    simulator.set_webhook(f"{live_server.url}/api/hooks/payment/pp_stripe_stripe", WEBHOOK_SECRET)
    return LiveApi(live_server.url)


@pytest.fixture(scope="module")
def browser(requires_browser: str) -> Iterator[Any]:
    """One Chromium for a module's tests.

    Playwright keeps an event loop in this thread: Django would refuse to query in it, and no test
    of another module may find it there.
    """
    sync_api = pytest.importorskip("playwright.sync_api")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=requires_browser, args=["--no-sandbox"]
        )
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    with browser.new_context() as context:
        yield context.new_page()
