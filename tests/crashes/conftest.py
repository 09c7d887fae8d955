from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.crashes.databases import KINDS, SCHEMES, Database
from tests.crashes.processes import Shop

LEASE_SECONDS = "1"


@pytest.fixture(scope="session")
def _databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Database]]:
    opened: dict[str, Database] = {}
    yield opened
    for each in opened.values():
        each.close()


@pytest.fixture
def database(
    request: pytest.FixtureRequest,
    _databases: dict[str, Database],
    tmp_path_factory: pytest.TempPathFactory,
) -> Database:
    """The kind of database that the test names with ``@on``."""
    kind: str = request.param
    named = os.environ.get("DATABASE_URL", "")
    if kind in SCHEMES and named and not named.startswith(SCHEMES[kind]):
        pytest.skip(f"DATABASE_URL names no {kind}")
    if kind not in _databases:
        _databases[kind] = KINDS[kind](tmp_path_factory.mktemp(kind))
    return _databases[kind]


@pytest.fixture
def open_shop(database: Database, simulator: StripeSimulator) -> Iterator[Callable[..., Shop]]:
    """Start the example project on a database of its own; ``environment`` adds to its variables."""
    shops: list[Shop] = []

    def open_one(**environment: str) -> Shop:
        shop = Shop(database.fresh(), simulator, environment)
        shops.append(shop)
        return shop

    yield open_one
    for shop in shops:
        shop.close()
        database.discard(shop.database_url)


@pytest.fixture
def shop(open_shop: Callable[..., Shop]) -> Any:
    """A shop whose dead processes lose their lease after a second."""
    return open_shop(MEDUSA_LEASE_SECONDS=LEASE_SECONDS)
