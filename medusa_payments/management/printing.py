"""How commands print: one JSON object for programs, tables for people."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import IO, Any, cast

from django.core.management.base import OutputWrapper
from rich.console import Console
from rich.table import Table

_WIDTH_IN_A_PIPE = 200

Described = dict[str, Any]  # a record as commands print it


def as_json(value: object) -> str:
    """One line, with exact amounts."""
    return json.dumps(value, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        # The largest amount has 15 digits, and a float of so few prints just those.
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)


def print_rows(stdout: OutputWrapper, title: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """A table with one line a row; nothing where there are no rows."""
    listed = list(rows)
    if not listed:
        return
    table = Table(title=title, title_justify="left")
    for name in listed[0]:
        table.add_column(name, overflow="fold")
    for row in listed:
        table.add_row(*(_cell(value) for value in row.values()))
    _console(stdout).print(table)


def print_fields(stdout: OutputWrapper, title: str, row: Mapping[str, Any]) -> None:
    """A table with one line a field, for a row that stands alone."""
    table = Table(title=title, title_justify="left", show_header=False)
    for name, value in row.items():
        table.add_row(name, _cell(value))
    _console(stdout).print(table)


def _console(stdout: OutputWrapper) -> Console:
    width = None if stdout.isatty() else _WIDTH_IN_A_PIPE
    return Console(
        file=cast("IO[str]", stdout), width=width, markup=False, emoji=False, highlight=False
    )


def _cell(value: Any) -> str:
    if value is None or value in ([], {}):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, dict)):
        return as_json(value)
    return str(_plain(value))
