"""Query strings (CONTRACT section 4): a small, closed grammar, read by tables."""

from medusa_payments.api.queries.columns import (
    amount,
    ignored,
    integer,
    moment,
    never,
    searched,
    text,
    truth,
)
from medusa_payments.api.queries.filters import COMBINED, Filter, read_filters
from medusa_payments.api.queries.paging import Page, read_page
from medusa_payments.api.queries.reading import LIST, ONE, flag_in, read_query, text_in

__all__ = [
    "COMBINED",
    "LIST",
    "ONE",
    "Filter",
    "Page",
    "amount",
    "flag_in",
    "ignored",
    "integer",
    "moment",
    "never",
    "read_filters",
    "read_page",
    "read_query",
    "searched",
    "text",
    "text_in",
    "truth",
]
