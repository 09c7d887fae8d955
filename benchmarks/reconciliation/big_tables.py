"""Tables with very many finished sessions, filled by the database itself."""

from __future__ import annotations

from typing import Any

from django.db import connection, models, transaction

from medusa_payments.models import PaymentCollection, PaymentSession, ProviderCall

FILLING = "big"  # ids begin so

_NUMBERED = {
    PaymentCollection: {"id": "bigcol"},
    PaymentSession: {
        "id": "bigses",
        "payment_collection_id": "bigcol",
        "live_collection_id": "bigcol",
        "provider_reference": "pi_big",
    },
    ProviderCall: {
        "id": "bigcall",
        "payment_collection_id": "bigcol",
        "payment_session_id": "bigses",
    },
}


def fill(session: PaymentSession, count: int) -> None:
    """``count`` copies of a session with its collection and its initiate, all finished.

    Statistics are renewed afterwards, as a database that is in use has them.
    """
    call = ProviderCall.objects.get(payment_session=session, kind="initiate")
    assert call.next_attempt_at is None
    rows: list[Any] = [session.payment_collection, session, call]
    with transaction.atomic(), connection.cursor() as cursor:
        for row in rows:
            cursor.execute(*_insert(type(row), row.pk, count))
    with connection.cursor() as cursor:
        for model in _NUMBERED:
            cursor.execute(f"{_ANALYZE[connection.vendor]} {_quoted(model._meta.db_table)}")


_ANALYZE = {"postgresql": "ANALYZE", "mysql": "ANALYZE TABLE", "sqlite": "ANALYZE"}


def _insert(model: type[models.Model], pk: str, count: int) -> tuple[str, list[Any]]:
    columns = [str(each.column) for each in model._meta.concrete_fields]
    numbered = _NUMBERED[model]  # type: ignore[index]
    values = [
        _text(numbered[column]) if column in numbered else f"t.{_quoted(column)}"
        for column in columns
    ]
    table = _quoted(model._meta.db_table)
    names = ", ".join(map(_quoted, columns))
    numbers, parameters = _numbers(count)
    statement = (
        f"INSERT INTO {table} ({names}) SELECT {', '.join(values)}"
        f" FROM {numbers} CROSS JOIN {table} t WHERE t.{_quoted('id')} = %s"
    )
    return statement, [*parameters, pk]


def _text(prefix: str) -> str:
    if connection.vendor == "mysql":
        return f"CONCAT('{prefix}_', n.n)"
    return f"'{prefix}_' || n.n"


def _numbers(count: int) -> tuple[str, list[Any]]:
    if connection.vendor == "mysql":
        return f"(SELECT seq AS n FROM seq_1_to_{count}) n", []
    if connection.vendor == "postgresql":
        return "generate_series(1, %s) AS n(n)", [count]
    counting = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < %s)"
    return f"({counting} SELECT n FROM c) n", [count]


def _quoted(name: str) -> str:
    return str(connection.ops.quote_name(name))
