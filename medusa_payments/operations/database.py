"""Which database, whose clock, and which errors mean that somebody else held the lock."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any, TypeVar

from django.db import DatabaseError, connections, router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.functions import Now
from django.db.models.sql.compiler import SQLCompiler

from medusa_payments.errors import OpenTransaction
from medusa_payments.models import PaymentCollection

# PostgreSQL: serialization failure, deadlock, lock not available.
_POSTGRES_STATES = ("40001", "40P01", "55P03")
# MariaDB: record changed since last read, lock wait time-out, deadlock.
_MARIADB_CODES = (1020, 1205, 1213)
_MAX_TRIES = 8

Result = TypeVar("Result")


def database_alias() -> str:
    """Alias of the database that the payment tables are written in."""
    return router.db_for_write(PaymentCollection)


def refuse_open_transaction() -> None:
    """A caller's transaction could roll back the record of money that moved (law 2).

    :raises OpenTransaction: a transaction is open, other than that of Django's own TestCase.
    """
    connection = connections[database_alias()]
    if _is_in_callers_transaction(connection):
        raise OpenTransaction


def _is_in_callers_transaction(connection: BaseDatabaseWrapper) -> bool:
    blocks: list[Any] = getattr(connection, "atomic_blocks", [])
    if blocks:
        return not blocks[-1]._from_testcase  # the same test as transaction.atomic(durable=True)
    return not connection.get_autocommit()


def is_lock_conflict(error: DatabaseError) -> bool:
    """Whether repeating the whole transaction can succeed: nothing was asked in it."""
    cause = error.__cause__
    if getattr(cause, "sqlstate", None) in _POSTGRES_STATES:
        return True
    if error.args and error.args[0] in _MARIADB_CODES:
        return True
    return "database is locked" in str(error) or "database table is locked" in str(error)


def patiently(work: Callable[[], Result]) -> Result:
    """Run a short transaction or statement, again if somebody else held the lock.

    A bounded number of times: ``work`` only reads and writes the database.
    """
    for number in range(1, _MAX_TRIES + 1):
        try:
            return work()
        except DatabaseError as error:
            if number == _MAX_TRIES or not is_lock_conflict(error):
                raise
        time.sleep(random.uniform(0.01, 0.05) * number)  # noqa: S311 - jitter
    raise AssertionError("the last try returns or raises")


class DatabaseNow(Now):
    """The database's clock, which all workers share, in UTC on every database.

    MariaDB's CURRENT_TIMESTAMP is in the server's time zone, while Django stores UTC.
    """

    def as_mysql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> tuple[str, Any]:
        return self.as_sql(compiler, connection, template="UTC_TIMESTAMP(6)", **context)
