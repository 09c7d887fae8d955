"""Every operator that a column has, on every column that can be filtered by."""

from __future__ import annotations

import pytest

from medusa_payments.api.listing import Listing
from medusa_payments.api.queries.columns import Column
from medusa_payments.api.queries.reading import flag
from medusa_payments.api.queries.values import number, plain_text, time, whole
from medusa_payments.api.views import collections, payments, records, refund_reasons
from tests.api.shop import Api

OPERANDS = {plain_text: "a", time: "2026-01-01", flag: "true", whole: "1", number: "1.5"}
LISTS = {
    "payments": payments.PAYMENTS,
    "payment-collections": collections.COLLECTIONS,
    "refund-reasons": refund_reasons.REASONS,
    "payment-sessions": records.SESSIONS,
    "provider-calls": records.CALLS,
    "discrepancies": records.DISCREPANCIES,
    "audit-entries": records.AUDIT,
}


def queries_of(listing: Listing) -> list[str]:
    columns = {name: each for name, each in listing.filters.items() if isinstance(each, Column)}
    return [
        f"{name}[{operator}]={OPERANDS[column.read]}"
        for name, column in columns.items()
        for operator in column.operators
    ]


@pytest.mark.parametrize("path", LISTS)
def test_every_operator_works_on_every_column_of_its_type(api: Api, path: str) -> None:
    """Foreign keys too, for which Django lacks lookups."""
    api.session(api.collection())

    queries = queries_of(LISTS[path])

    assert [each for each in queries if api.ask_admin(f"{path}?{each}").status_code != 200] == []


def test_a_foreign_key_is_found_by_its_text(api: Api) -> None:
    collection = api.collection()
    api.session(collection)

    for condition in (f"[$re]=^{collection}$", f"[$contains]={collection[2:]}"):
        answer = api.ask_admin(f"provider-calls?payment_collection_id{condition}")
        assert answer.json()["count"] == 1


def test_as_much_text_can_be_looked_for_as_a_pattern_may_have(api: Api) -> None:
    text = "a" * 255

    for query in (f"id[$contains]={text}", f"id[$like]={text}", f"q={text}"):
        assert api.ask_admin(f"payment-collections?{query}").status_code == 200
