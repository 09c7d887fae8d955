"""The query grammar (CONTRACT section 4): what each operator finds, however it is written."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from medusa_payments.models import PaymentCollection, ProviderCall
from medusa_payments.operations.sessions import delete_payment_session
from tests.api.shop import PROVIDER, Api

# The collections of these tests: order, amount, currency.
COLLECTIONS = [
    ("order_A1", "10.5", "eur"),
    ("order_a1", "10.5", "usd"),
    ("order_b%_", "1000", "jpy"),
    ("ORDER*?[x]!", "0.5", "kwd"),
    ("back\\slash", "99", "eur"),
]


@pytest.fixture
def ids(api: Api) -> list[str]:
    made = []
    for order, amount, currency in COLLECTIONS:
        body = (
            f'{{"order_id": {json.dumps(order)}, "amount": {amount},'
            f' "currency_code": "{currency}"}}'
        )
        answer = api.admin("POST", "payment-collections", body)
        made.append(answer.json()["payment_collection"]["id"])
    first = PaymentCollection.objects.get(pk=made[0])
    for days, pk in enumerate(made):
        moment = first.created_at.replace(year=2026, month=3, day=1, hour=12, minute=0, second=0)
        PaymentCollection.objects.filter(pk=pk).update(
            created_at=moment.replace(microsecond=0) + timedelta(days=days)
        )
    return made


def found(api: Api, ids: list[str], query: str) -> list[int]:
    answer = api.ask_admin(f"payment-collections?order=id&{query}")
    assert answer.status_code == 200, answer.content
    shown = answer.json()
    assert shown["count"] == len(shown["payment_collections"])
    return [ids.index(each["id"]) for each in shown["payment_collections"]]


# Written as it is sent; {0} is an id.
QUERIES: list[tuple[str, list[int]]] = [
    # Arrays, in every encoding
    ("id={0}", [0]),
    ("id[0]={0}&id[1]={2}", [0, 2]),
    ("id[1]={0}&id[0]={2}", [0, 2]),
    ("id[]={0}&id[]={2}", [0, 2]),
    ("id[]={0}", [0]),
    ("id={0}&id={2}", [0, 2]),
    ("id%5B0%5D={0}&id%5B1%5D={2}", [0, 2]),
    ("id[$in][0]={0}&id[$in][1]={2}", [0, 2]),
    ("id[$in][]={0}&id[$in][]={2}", [0, 2]),
    ("id[$in]={0}", [0]),
    ("id[50]={0}", [0]),
    # Equality
    ("id[$eq]={1}", [1]),
    ("id[$eq][0]={1}&id[$eq][1]={2}", [1, 2]),
    ("id[$ne]={1}", [0, 2, 3, 4]),
    ("id[$nin][]={1}&id[$nin][]={2}", [0, 3, 4]),
    ("id[$ne]={1}&id[$nin]={2}", [0, 3, 4]),
    ("order_id=order_A1", [0]),
    ("order_id=", []),
    # Order
    ("id[$gt]={1}", [2, 3, 4]),
    ("id[$gte]={1}&id[$lt]={3}", [1, 2]),
    ("id[$lte]={0}", [0]),
    # Patterns
    ("order_id[$like]=order_%25", [0, 1, 2]),
    ("order_id[$like]=order%25", [0, 1, 2]),
    ("order_id[$like]=ORDER%25", [3]),
    ("order_id[$like]=order_A_", [0]),
    ("order_id[$like]=%25A%25", [0]),
    ("order_id[$like]=%251", [0, 1]),
    ("order_id[$like]=order_b\\%25\\_", [2]),
    ("order_id[$like]=%25\\%25%25", [2]),
    ("order_id[$like]=back\\\\slash", [4]),
    ("order_id[$like]=back\\slash", []),
    ("order_id[$like]=%25\\", []),
    ("order_id[$like]=ORDER*?[x]!", [3]),
    ("order_id[$like]=ORDER*", []),
    ("order_id[$like]=order_A1", [0]),
    ("order_id[$ilike]=order_a1", [0, 1]),
    ("order_id[$ilike]=order%25", [0, 1, 2, 3]),
    ("order_id[$ilike]=%25!", [3]),
    ("order_id[$contains]=der_a", [1]),
    ("order_id[$contains]=%25_", [2]),
    ("order_id[$contains]=*?[", [3]),
    ("order_id[$contains]=\\", [4]),
    ("order_id[$re]=^order_[a-z]1$", [1]),
    ("order_id[$re]=^order_.*", [0, 1, 2]),
    ("order_id[$re]=A1|a1", [0, 1]),
    ("order_id[$re]=\\[x\\]", [3]),
    ("order_id[$re]=order_[^a-z]", [0]),
    ("q=ORDER_a", [0, 1]),
    ("q={3}", [3]),
    ("q=nothing", []),
    # Times
    ("created_at[$gte]=2026-03-02", [1, 2, 3, 4]),
    ("created_at[$gt]=2026-03-02T12:00:00.000Z", [2, 3, 4]),
    ("created_at[$lt]=2026-03-02T13:00:00%2B01:00", [0]),
    ("created_at[$lte]=2026-03-02T12:00:00Z&created_at[$gt]=2026-03-01T12:00:00", [1]),
    ("created_at=2026-03-03T12:00:00.000Z", [2]),
    ("created_at[]=2026-03-03T12:00:00Z&created_at[]=2026-03-01T12:00:00Z", [0, 2]),
    ("created_at[$ne]=2026-03-03T12:00:00.000Z", [0, 1, 3, 4]),
    ("completed_at[$gt]=2020-01-01", []),
    # Amounts, in major units of each currency
    ("amount=10.5", [0, 1]),
    ("amount=10.50", [0, 1]),
    ("amount[$gt]=10.5", [2, 4]),
    ("amount[$gte]=10.5", [0, 1, 2, 4]),
    ("amount[$lt]=10.501", [0, 1, 3]),
    ("amount[$lte]=10.499", [3]),
    ("amount[$gte]=10.501", [2, 4]),
    ("amount[$gt]=10.499", [0, 1, 2, 4]),
    ("amount=0.5", [3]),
    ("amount=1000", [2]),
    ("amount=1000.001", []),
    ("amount[$in][]=99&amount[$in][]=0.5", [3, 4]),
    ("amount[$ne]=10.5", [2, 3, 4]),
    ("amount[$gt]=-1", [0, 1, 2, 3, 4]),
    # What is not known says nothing
    ("id[$zzz]={0}", [0, 1, 2, 3, 4]),
    ("id[$zzz]={0}&id[$eq]={1}", [1]),
    ("created_at[$overlap][0]=whatever", [0, 1, 2, 3, 4]),
    # Combinations
    ("$or[0][id]={0}&$or[1][id]={1}", [0, 1]),
    ("%24or%5B0%5D%5Bid%5D={0}&%24or%5B1%5D%5Bid%5D={1}", [0, 1]),
    ("$or[0][id][]={0}&$or[0][id][]={2}&$or[1][order_id][$like]=%25[x]!", [0, 2, 3]),
    ("$and[0][currency_code]=eur&$and[1][amount][$gt]=20", [4]),
    ("$and[0][$or][0][id]={0}&$and[0][$or][1][id]={1}&$and[1][currency_code]=usd", [1]),
    ("$or[0][$and][0][id]={0}&$or[0][$and][1][amount]=1&$or[1][id]={2}", [2]),
    ("$or[0][currency_code]=jpy&$or[0][id]={0}&$or[1][id]={3}", [3]),
    ("$or[][id]={0}", [0]),
    ("$or[0][id]={0}&$or[1][id]={1}&currency_code=eur", [0]),
    ("$or[0][id][$ne]={0}", [1, 2, 3, 4]),
    ("status=not_paid&currency_code[$nin][]=eur&currency_code[$nin][]=usd", [2, 3]),
    ("deleted_at[$gt]=2020-01-01", []),
]


@pytest.mark.parametrize(("query", "expected"), QUERIES, ids=[query for query, _ in QUERIES])
def test_a_query_finds(api: Api, ids: list[str], query: str, expected: list[int]) -> None:
    assert found(api, ids, query.format(*ids)) == expected


def test_flags_and_whole_numbers_are_compared(api: Api) -> None:
    collection = api.collection()
    api.session(collection)
    api.session(collection)
    calls = {call.kind: call.pk for call in ProviderCall.objects.all()}

    def kinds(query: str) -> set[str]:
        shown = api.ask_admin(f"provider-calls?{query}").json()["provider_calls"]
        return {kind for kind, pk in calls.items() if pk in [each["id"] for each in shown]}

    assert kinds("is_undoing=true") == kinds("is_undoing[$ne]=FALSE") == {"cancel"}
    assert kinds("is_undoing=false") == kinds("is_undoing[$nin][]=true") == {"initiate"}
    assert kinds("generation=1") == kinds("generation[$lt]=2") == {"initiate", "cancel"}
    assert kinds("generation[$gt]=1") == set()


def test_deleted_at_tells_the_deleted_from_the_rest(api: Api) -> None:
    collection = api.collection()
    api.session(collection)
    delete_payment_session(PaymentCollection.objects.get().payment_sessions.get())
    api.session(collection)

    def count(query: str) -> int:
        return int(api.ask_admin(f"payment-sessions?{query}").json()["count"])

    assert count("with_deleted=true") == 2
    assert count("with_deleted=true&deleted_at[$gt]=2020-01-01") == 1
    assert count("with_deleted=true&deleted_reason=") == 1
    assert count("with_deleted=true&deleted_reason[$ne]=") == 1
    assert count("deleted_at[$gt]=2020-01-01") == 0
    assert count("with_deleted=false") == count("") == 1


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [PROVIDER, "pp_system_default"]),
        ("$or[0][id]=pp_system_default", ["pp_system_default"]),
        ("$and[0][is_enabled]=true&$and[1][id][$ne]=pp_system_default", [PROVIDER]),
        ("id[$like]=pp_s%25&is_enabled[$ne]=false", [PROVIDER, "pp_system_default"]),
        ("id[$contains]=stripe", [PROVIDER]),
        ("id[$re]=^pp_sy", ["pp_system_default"]),
        ("id[$ilike]=PP_SY%25", ["pp_system_default"]),
    ],
)
def test_providers_are_filtered_by_the_same_grammar(
    api: Api, query: str, expected: list[str]
) -> None:
    answer = api.ask_admin(f"payments/payment-providers?{query}")

    assert [each["id"] for each in answer.json()["payment_providers"]] == expected


FIELD = "Expected type: '{}' for field '{}', got: '{}'"
REFUSED = [
    ("id[eq]=x", FIELD.format("string, array", "id", "[object Object]")),
    ("id[$gt][]=x&id[$gt][]=y", FIELD.format("string", "id", "x,y")),
    ("id[$in][a]=x", FIELD.format("string", "id", "[object Object]")),
    ("id[0][$gt]=x", FIELD.format("string", "id", "[object Object]")),
    ("created_at[$gt]=soon", FIELD.format("date", "created_at", "soon")),
    ("created_at[]=2026-13-01", FIELD.format("date", "created_at", "2026-13-01")),
    ("amount=ten", FIELD.format("number", "amount", "ten")),
    ("amount=1e5", FIELD.format("number", "amount", "1e5")),
    ("amount[$gt]=1234567890123456", FIELD.format("number", "amount", "1234567890123456")),
    ("q[]=a", FIELD.format("string", "q", "a")),
    ("$or[0]=x", FIELD.format("array", "$or", "x")),
    ("$or[id]=x", FIELD.format("array", "$or", "[object Object]")),
    ("$or[0][$and]=x", FIELD.format("array", "$or, $and", "x")),
    ("$or[0][amount]=ten", FIELD.format("number", "$or, amount", "ten")),
    ("$or[0][foo]=x", "Unrecognized fields: '$or, foo'"),
    ("$or[0][$and][0][foo]=x", "Unrecognized fields: '$or, $and, foo'"),
    ("$or[0][limit]=1", "Unrecognized fields: '$or, limit'"),
    ("$not[0][id]=x", "Unrecognized fields: '$not'"),
    ("limit=-1", "Value for field 'limit' too small, expected at least: '0'"),
    ("offset=x", FIELD.format("number", "offset", "x")),
    ("with_deleted=maybe", FIELD.format("boolean", "with_deleted", "maybe")),
]


@pytest.mark.parametrize(("query", "message"), REFUSED, ids=[query for query, _ in REFUSED])
def test_a_wrong_query_says_what_is_wrong(api: Api, query: str, message: str) -> None:
    answer = api.ask_admin(f"payment-collections?{query}")

    assert answer.status_code == 400
    assert answer.json() == {"type": "invalid_data", "message": f"Invalid request: {message}"}


@pytest.mark.parametrize("operator", ["$like", "$ilike", "$re", "$contains"])
@pytest.mark.parametrize("column", ["created_at", "amount", "$or[0][completed_at]"])
def test_a_pattern_is_for_text(api: Api, operator: str, column: str) -> None:
    answer = api.ask_admin(f"payment-collections?{column}[{operator}]=1")

    assert answer.status_code == 400
    assert f"The operator {operator} cannot be used on" in answer.json()["message"]


def test_a_flag_has_no_order(api: Api) -> None:
    answer = api.ask_admin("provider-calls?is_undoing[$gt]=false")

    assert answer.status_code == 400
    assert "The operator $gt cannot be used on 'is_undoing'" in answer.json()["message"]


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+$",
        "(a|a)*",
        "a*b*c*",
        ".*.*.*x",
        "a?b?c?",
        "[",
        "[z-a]",
        "a{1000}",
        "*a",
        "a**",
        "a*?",
        "\\",
        "\\d",
        "\\1",
        "(?i)a",
        "***:a",
        "[[:alpha:]]",
        "a|",
        "",
        "a" * 101,
    ],
)
def test_a_pattern_that_could_labour_is_refused(api: Api, pattern: str) -> None:
    answer = api.ask_admin(f"payment-collections?id[$re]={quote(pattern)}")

    assert (answer.status_code, answer.json()["type"]) == (400, "invalid_data")
    assert "The pattern of $re for 'id' is not supported: use" in answer.json()["message"]


def test_a_pattern_is_not_endless(api: Api) -> None:
    answer = api.ask_admin(f"payment-collections?id[$like]={'a' * 256}")

    assert answer.status_code == 400
    assert "more than 255 characters" in answer.json()["message"]


def test_conditions_are_counted(api: Api, ids: list[str]) -> None:
    few = "&".join(f"$or[{number}][id]={ids[0]}" for number in range(200))
    many = f"{few}&$or[200][id]=x"

    assert found(api, ids, few) == [0]
    answer = api.ask_admin(f"payment-collections?{many}")
    assert answer.status_code == 400
    assert "at most 200 conditions" in answer.json()["message"]


def test_regular_expressions_are_counted_wherever_they_stand(api: Api, ids: list[str]) -> None:
    few = "order_id[$re]=order&" + "&".join(
        f"$or[{number}][$and][0][id][$re]={ids[0]}" for number in range(9)
    )
    many = f"{few}&status[$re]=.*"

    assert found(api, ids, few) == [0]
    answer = api.ask_admin(f"payment-collections?{many}")
    assert (answer.status_code, answer.json()["type"]) == (400, "invalid_data")
    assert "at most 10 conditions with $re" in answer.json()["message"]


def test_a_list_of_many_ids_is_looked_up_at_once(api: Api, ids: list[str]) -> None:
    many = "&".join(f"id[]={ids[number % 2]}" for number in range(900))

    assert found(api, ids, many) == [0, 1]


# Random queries: found or refused, never a fault of ours

KEYS = st.recursive(
    st.sampled_from(
        """id order_id q amount created_at deleted_at status $and $or fields limit offset order
        with_deleted zzz""".split()
    ),
    lambda inner: st.builds(
        lambda key, step: f"{key}[{step}]",
        inner,
        st.sampled_from(
            [
                "",
                *"""$eq $ne $in $nin $like $ilike $re $contains $gt $gte $lt $lte $zzz $and $or 0 1
                17 x id amount created_at""".split(),
            ]
        ),
    ),
    max_leaves=6,
)
VALUES = st.one_of(
    st.text(max_size=12),
    st.from_regex(r"[a.*+?|\\^$\[\]()%_!{}0-9-]{0,8}", fullmatch=True),
    st.sampled_from(
        ["true", "2026-01-01", "0001-01-01", "9999-12-31T23:59:59Z", "-5", "10.5", "pay_col_1", "%"]
    ),
)


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(pairs=st.lists(st.tuples(KEYS, VALUES), max_size=5))
def test_no_query_is_a_fault(api: Api, pairs: list[tuple[str, str]]) -> None:
    if not PaymentCollection.objects.exists():
        api.collection()
    query = "&".join(f"{quote(key, safe='')}={quote(value, safe='')}" for key, value in pairs)

    answer = api.ask_admin(f"payment-collections?{query}")

    assert answer.status_code in (200, 400), (query, answer.content)
    if answer.status_code == 400:
        assert answer.json()["type"] == "invalid_data"


def test_fields_that_are_asked_for_as_the_url_writes_them(api: Api) -> None:
    """A plus that nobody encoded arrives as a space."""
    collection = api.collection()

    def keys(fields: str) -> set[str]:
        answer = api.ask_admin(f"payment-collections/{collection}?fields={fields}")
        return set(answer.json()["payment_collection"])

    plain: Any = keys("")
    assert keys("+created_at") == keys("%2Bcreated_at") == keys("%20created_at")
    assert keys("+created_at") == plain | {"created_at"}
    assert keys("+created_at,+metadata") == plain | {"created_at", "metadata"}
    assert keys("-payments,-payment_sessions.*") == plain - {"payments", "payment_sessions"}
    assert keys("created_at") == {"id", "created_at"}
    assert keys("created_at,+metadata") == {"id", "created_at", "metadata"}
    assert keys("*") >= plain - {"payments", "payment_sessions"} | {"raw_amount", "completed_at"}
