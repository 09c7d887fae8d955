"""Columns that most record pages share, made from a field's name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin

from medusa_payments.admin.display import (
    NOTHING,
    badge,
    identifier,
    money,
    pretty_json,
    record_link,
    scrub,
    time,
)

Column = Callable[[Any, Any], Any]


def _column(show: Column, label: str, ordering: str | None = None) -> Column:
    return admin.display(description=label, ordering=ordering)(show)


def money_column(field: str, label: str) -> Column:
    """An amount in the record's own currency."""
    return _column(lambda self, row: money(getattr(row, field), row.currency_code), label, field)


def badge_column(field: str, label: str = "", *, blank: str = "") -> Column:
    def show(self: Any, row: Any) -> Any:
        state = getattr(row, field)
        return badge(state, state or blank) if state or blank else NOTHING

    return _column(show, label or field.replace("_", " "), field)


def time_column(field: str, label: str = "") -> Column:
    return _column(
        lambda self, row: time(getattr(row, field)), label or field.replace("_", " "), field
    )


def identifier_column(field: str, label: str = "") -> Column:
    return _column(
        lambda self, row: identifier(getattr(row, field) or ""),
        label or field.replace("_", " "),
        field,
    )


def text_column(field: str, label: str = "") -> Column:
    return _column(
        lambda self, row: scrub(getattr(row, field) or "") or NOTHING,
        label or field.replace("_", " "),
    )


def json_column(field: str, label: str = "") -> Column:
    return _column(
        lambda self, row: pretty_json(getattr(row, field)), label or field.replace("_", " ")
    )


def link_column(field: str, label: str = "") -> Column:
    """A link to the row that a foreign key names; needs no query."""

    def show(self: Any, row: Any) -> Any:
        key = row._meta.get_field(field)
        return record_link(
            key.remote_field.model, getattr(row, key.attname), site=self.admin_site.name
        )

    return _column(show, label or field.replace("_", " "), field)


def own_link_column() -> Column:
    """The id, as a list's first column: Django makes it the link to the record."""
    return _column(lambda self, row: identifier(str(row.pk)), "id", "pk")
