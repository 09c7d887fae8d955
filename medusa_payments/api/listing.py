"""A family of records as the admin reads it: a page of them, or one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from medusa_payments.api import fields
from medusa_payments.api.queries import (
    COMBINED,
    LIST,
    ONE,
    Filter,
    flag_in,
    read_filters,
    read_page,
    read_query,
    text_in,
)
from medusa_payments.api.shapes import Selection, load, show
from medusa_payments.errors import InvalidData, NotFound


@dataclass(frozen=True, kw_only=True)
class Listing:
    """``rows`` are those that are shown, ``all_rows`` those of ``with_deleted=true``, if there are
    such. ``orders`` is what a page can be ordered by, and its column."""

    one: str  # the key of one record in an answer
    many: str
    shape: str
    fields: Sequence[str]
    filters: Mapping[str, Filter]
    orders: Mapping[str, str]
    rows: Callable[[], QuerySet[Any]]
    all_rows: Callable[[], QuerySet[Any]] | None = None
    missing: str = "{id} was not found"
    default_limit: int = 20

    def page(self, request: Request) -> Response:
        """
        :raises InvalidData: anything in the query is not as the tables say.
        """
        query = read_query(request, (*self.filters, *COMBINED, *LIST))
        selection = self._selection(query)
        page = read_page(query, columns=self.orders, default_limit=self.default_limit)
        rows = self._rows(query).filter(read_filters(query, self.filters))
        shown = [
            show(self.shape, row, selection) for row in load(self.shape, page.of(rows), selection)
        ]
        return Response({self.many: shown, **page.echo(rows.count())})

    def get(self, request: Request, pk: str) -> Response:
        """
        :raises NotFound: there is none, or it was soft-deleted and not asked for so.
        """
        query = read_query(request, ONE if self.all_rows is None else (*ONE, "with_deleted"))
        return self._answer(self._rows(query), pk, self._selection(query))

    def _answer(self, rows: QuerySet[Any], pk: str, selection: Selection) -> Response:
        try:
            found = load(self.shape, rows.filter(self.filters["id"]("id", pk)), selection).first()
        except InvalidData:  # no id of theirs
            found = None
        if found is None:
            raise NotFound(self.missing.format(id=pk))
        return Response({self.one: show(self.shape, found, selection)})

    def _rows(self, query: Mapping[str, Any]) -> QuerySet[Any]:
        wants_deleted = flag_in(query, "with_deleted")
        if wants_deleted and self.all_rows is not None:
            return self.all_rows()
        return self.rows()

    def _selection(self, query: Mapping[str, Any]) -> Selection:
        return fields.select(self.shape, self.fields, text_in(query, "fields"))


def columns(*names: str, **others: str) -> dict[str, str]:
    """``id`` and columns by their own names; ``others`` are called otherwise outside."""
    return {"id": "pk", **{name: name for name in names}, **others}
