"""Throwaway databases: migrated once, then copied for each test.

A server that `DATABASE_URL` names must answer. Without one, those at their usual ports are used
where they do.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import pytest

from tests.crashes.processes import ROOT, TIME_OUT

_NAMED = os.environ.get("DATABASE_URL", "")


class Database(Protocol):
    def fresh(self) -> str:
        """URL of a migrated database without rows."""

    def query(self, url: str, sql: str) -> list[tuple[Any, ...]]:
        """What another connection sees: what is committed."""

    def discard(self, url: str) -> None: ...

    def close(self) -> None: ...


def migrate(url: str) -> None:
    subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "migrate", "-v0"],
        env={**os.environ, "DATABASE_URL": url},
        check=True,
        timeout=TIME_OUT,
    )


def name_in(url: str) -> str:
    return urlsplit(url).path.strip("/")


class SqliteFile:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0
        self._template = folder / "template.sqlite3"
        migrate(f"sqlite:///{self._template}")

    def fresh(self) -> str:
        self._count += 1
        path = self._folder / f"{self._count}.sqlite3"
        shutil.copy(self._template, path)
        return f"sqlite:///{path}"

    def query(self, url: str, sql: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=20)) as connection:
            return connection.execute(sql).fetchall()

    def discard(self, url: str) -> None:
        Path(url.removeprefix("sqlite:///")).unlink()

    def close(self) -> None:
        """Its folder is pytest's."""


class _Server:
    """Databases on a server, dropped at the end; no name is anybody else's."""

    scheme: str
    usual: str
    drop_options = ""

    def __init__(self, folder: Path) -> None:
        self._url = _NAMED if _NAMED.startswith(self.scheme) else self.usual
        self._count = 0
        self._prefix = f"medusa_crash_{os.getpid()}"
        try:
            self._on_server("SELECT 1")
        except Exception as error:  # noqa: BLE001 - each driver has its own
            is_named = self._url == _NAMED
            pytest.skip(f"{'needs ' if is_named else ''}{self.scheme} at {self._url}: {error}")
        self.prepare()

    def prepare(self) -> None: ...

    def create(self, options: str) -> str:
        self._count += 1
        name = f"{self._prefix}_{self._count}"
        self._on_server(f"CREATE DATABASE {name} {options}")
        return urlsplit(self._url)._replace(path=f"/{name}").geturl()

    def discard(self, url: str) -> None:
        self._on_server(f"DROP DATABASE {name_in(url)} {self.drop_options}")

    def query(self, url: str, sql: str) -> list[tuple[Any, ...]]:
        with closing(self._connect(url)) as connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return [tuple(row) for row in cursor.fetchall()]

    def close(self) -> None: ...

    def _on_server(self, sql: str) -> None:
        with closing(self._connect(self._url)) as connection, connection.cursor() as cursor:
            cursor.execute(sql)

    def _connect(self, url: str) -> Any:
        raise NotImplementedError


class PostgreSql(_Server):
    scheme = "postgres"
    usual = "postgres://postgres@127.0.0.1:5432/postgres"

    drop_options = "WITH (FORCE)"

    def prepare(self) -> None:
        self._template = self.create("")
        migrate(self._template)

    def fresh(self) -> str:
        return self.create(f"TEMPLATE {name_in(self._template)}")

    def close(self) -> None:
        self.discard(self._template)

    def _connect(self, url: str) -> Any:
        psycopg = pytest.importorskip("psycopg")
        return psycopg.connect(url.replace("postgres://", "postgresql://"), autocommit=True)


class MariaDb(_Server):
    scheme = "mysql"
    usual = "mysql://root@127.0.0.1:3306/mysql"

    def fresh(self) -> str:
        url = self.create("CHARACTER SET utf8mb4")
        migrate(url)
        return url

    def _connect(self, url: str) -> Any:
        pymysql = pytest.importorskip("pymysql")
        parts = urlsplit(url)
        return pymysql.connect(
            host=parts.hostname,
            port=parts.port or 3306,
            user=parts.username,
            password=parts.password or "",
            database=name_in(url),
        )


KINDS: dict[str, Callable[[Path], Database]] = {
    "sqlite": SqliteFile,
    "postgres": PostgreSql,
    "mariadb": MariaDb,
}
SCHEMES = {"postgres": PostgreSql.scheme, "mariadb": MariaDb.scheme}


def on(*kinds: str, slow: tuple[str, ...] = ()) -> Any:
    """Run a test on these kinds of database; on those in ``slow`` only when slow tests run."""
    return pytest.mark.parametrize(
        "database",
        [pytest.param(kind, marks=_marks(kind, is_slow=kind in slow)) for kind in kinds],
        indirect=True,
    )


def _marks(kind: str, *, is_slow: bool) -> list[pytest.MarkDecorator]:
    marks = [pytest.mark.slow] if is_slow else []
    # CI runs what is marked so on the servers, and everything else only once.
    return marks if kind == "sqlite" else [*marks, pytest.mark.database]
