"""Columns that behave alike on SQLite, PostgreSQL and MariaDB."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

if TYPE_CHECKING:
    _CharField = models.CharField[Any, Any]
else:
    _CharField = models.CharField


class IdentifierField(_CharField):
    """An id, key or reference: compared case by case everywhere.

    MariaDB's default collation takes ``evt_1AbC`` for ``evt_1aBC``, so a second event would pass
    for a duplicate of the first.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 255)
        super().__init__(*args, **kwargs)

    def db_parameters(self, connection: BaseDatabaseWrapper) -> dict[str, Any]:
        parameters: dict[str, Any] = dict(super().db_parameters(connection))
        if connection.vendor == "mysql":
            parameters["collation"] = "utf8mb4_bin"
        return parameters


def amount_field(**options: Any) -> models.BigIntegerField[Any, Any]:
    """Money in the currency's smallest unit: sums of integers are exact on every database."""
    return models.BigIntegerField(**options)
