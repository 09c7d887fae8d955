"""What is not exactly right is refused, with words that say what is wrong, and changes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from medusa_payments.models import PaymentSession
from medusa_payments.operations.authorizations import authorize_payment_session
from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.api.shop import PROVIDER, Api, priced, rows

ORDER = '{"order_id": "o", "amount": %s, "currency_code": "eur"}'

# Body of POST admin/payment-collections -> message, or the part of it after "Invalid request: ".
COLLECTION_BODIES = [
    ({}, "Field 'order_id' is required; Field 'amount' is required"),
    (None, "Field 'order_id' is required; Field 'amount' is required"),
    ({"order_id": "o", "amount": "5"}, "Expected type: 'number' for field 'amount', got: '5'"),
    ({"order_id": "o", "amount": True}, "Expected type: 'number' for field 'amount', got: 'true'"),
    ({"order_id": "o", "amount": None}, "Expected type: 'number' for field 'amount', got: 'null'"),
    (
        {"order_id": "o", "amount": {"value": "5"}},
        "Expected type: 'number' for field 'amount', got: '[object Object]'",
    ),
    ({"order_id": "o", "amount": [5, 6]}, "Expected type: 'number' for field 'amount', got: '5,6'"),
    ({"order_id": 7, "amount": 5}, "Expected type: 'string' for field 'order_id', got: '7'"),
    ({"order_id": "o", "amount": 0}, "Value for field 'amount' too small, expected at least: '0'"),
    (ORDER % "-1.5", "Value for field 'amount' too small, expected at least: '0'"),
    (
        {"order_id": "o" * 256, "amount": 5},
        "Value for field 'order_id' too big, expected at most: '255'",
    ),
    (
        {"order_id": "o", "amount": 5, "foo": 1, "bar": {"baz": 2}},
        "Unrecognized fields: 'foo, bar'",
    ),
    (
        {"order_id": 1, "amount": "x", "currency_code": 2, "foo": 3},
        (
            "Expected type: 'string' for field 'order_id', got: '1';"
            " Expected type: 'number' for field 'amount', got: 'x';"
            " Expected type: 'string' for field 'currency_code', got: '2'"
        ),
    ),
    ([1], "Expected type: 'object' for field '', got: '1'"),
    ('"text"', "Expected type: 'object' for field '', got: 'text'"),
    ("null", "Expected type: 'object' for field '', got: 'null'"),
]


@pytest.mark.parametrize(("body", "message"), COLLECTION_BODIES)
def test_a_wrong_body_is_told_in_medusas_words(api: Api, body: Any, message: str) -> None:
    answer = api.admin("POST", "payment-collections", body)

    assert answer.status_code == 400
    assert answer.json() == {"type": "invalid_data", "message": f"Invalid request: {message}"}
    assert not rows()["PaymentCollection"]


@pytest.mark.parametrize(
    "amount",
    [
        "9" * 5000,
        *"""1e15 1e400 1e99999999999999999999 0.001 10.123 1e-400 1e-999999999 NaN
        Infinity -Infinity -1e400 0.0
        -0""".split(),
    ],
)
def test_an_amount_that_is_no_price_is_refused(api: Api, amount: str) -> None:
    answer = api.admin("POST", "payment-collections", ORDER % amount)

    assert (answer.status_code, answer.json()["type"]) == (400, "invalid_data")
    assert len(answer.content) < 1000
    assert not rows()["PaymentCollection"]


def test_a_fraction_too_small_to_see_is_not_rounded_away(api: Api) -> None:
    answer = api.admin("POST", "payment-collections", ORDER % f"10.{'0' * 40}1")

    assert answer.status_code == 400


@pytest.mark.parametrize("currency", ["zzz", "", "EURO", "e", "\u20ac"])
def test_a_currency_that_is_none_is_refused(api: Api, currency: str) -> None:
    body = {"order_id": "o", "amount": 10, "currency_code": currency}

    answer = api.admin("POST", "payment-collections", body)

    assert (answer.status_code, answer.json()["type"]) == (400, "invalid_data")
    assert not rows()["PaymentCollection"]


@pytest.mark.parametrize(
    "body",
    [
        "{",
        "{'order_id': 1}",
        '{"order_id": "o", "amount": 1,}',
        "amount=1&order_id=o",
        b"\xff\xfe\xfd",
        '{"order_id": "\\ud800", "amount": 1, "currency_code": "eur"}',
        '{"order_id": "a\\u0000b", "amount": 1, "currency_code": "eur"}',
        "[" * 100_000,
        '{"a": ' * 50 + "1" + "}" * 50,
    ],
)
def test_a_body_that_is_not_storable_json_is_refused(api: Api, body: Any) -> None:
    answer = api.admin("POST", "payment-collections", body)

    assert (answer.status_code, answer.json()["type"]) == (400, "invalid_data")
    assert answer["Content-Type"] == "application/json"
    assert not rows()["PaymentCollection"]


def test_a_body_that_is_too_large_is_refused(api: Api, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100

    answer = api.admin("POST", "payment-collections", ORDER % 1 + " " * 100)

    assert (answer.status_code, answer.json()["type"]) == (400, "invalid_data")


SESSION_BODIES = [
    {},
    {"provider_id": 1},
    {"provider_id": "pp_none_none"},
    {"provider_id": ""},
    {"provider_id": PROVIDER, "data": []},
    {"provider_id": PROVIDER, "data": None},
    {"provider_id": PROVIDER, "data": "confirm"},
    {"provider_id": PROVIDER, "context": {}},
    {"provider_id": PROVIDER, "amount": 1},
    {"provider_id": PROVIDER, "data": {"zzz": 1}},
    {"provider_id": PROVIDER, "data": {"metadata": "of the wrong kind"}},
    '{"provider_id": "pp_system_default", "data": {"big": 1e400}}',
]


@pytest.mark.parametrize("door", ["store", "admin"])
@pytest.mark.parametrize("body", SESSION_BODIES)
def test_a_wrong_session_body_changes_nothing(
    api: Api, simulator: StripeSimulator, door: str, body: Any
) -> None:
    collection = api.collection()
    api.session(collection)
    before, asked = rows(), len(simulator.requests())

    answer = getattr(api, door)("POST", f"payment-collections/{collection}/payment-sessions", body)

    assert (answer.status_code, answer.json()["type"]) == (400, "invalid_data")
    assert rows() == before
    assert len(simulator.requests()) == asked


ACTS = [
    ("capture", {"amount": "5"}),
    ("capture", {"amount": 0}),
    ("capture", {"amount": -5}),
    ("capture", {"amount": True}),
    ("capture", {"amount": 0.001}),
    ("capture", '{"amount": 1e400}'),
    ("capture", '{"amount": NaN}'),
    ("capture", {"note": "x"}),
    ("refund", {"amount": "5"}),
    ("refund", {"amount": -5}),
    ("refund", {"amount": None}),
    ("refund", {"note": None}),
    ("refund", {"note": 1}),
    ("refund", {"refund_reason_id": 1}),
    ("refund", {"reason": "x"}),
    ("refund", '{"amount": 1'),
    ("cancel", {"amount": 5}),
]


@pytest.mark.parametrize(("act", "body"), ACTS)
def test_a_wrong_act_changes_nothing(
    api: Api, simulator: StripeSimulator, act: str, body: Any
) -> None:
    payment = api.captured() if act == "refund" else api.authorized()
    before, asked = rows(), len(simulator.requests())

    answer = api.admin("POST", f"payments/{payment}/{act}", body)

    assert (answer.status_code, answer.json()["type"]) == (400, "invalid_data")
    assert rows() == before
    assert len(simulator.requests()) == asked


@pytest.mark.parametrize("act", ["capture", "refund"])
def test_the_manual_provider_moves_no_amount_too_small_for_a_number(api: Api, act: str) -> None:
    path = f"payment-collections/{api.collection()}/payment-sessions"
    api.admin("POST", path, {"provider_id": "pp_system_default"})
    payment = authorize_payment_session(PaymentSession.objects.get()).pk
    if act == "refund":
        api.admin("POST", f"payments/{payment}/capture")
    before = rows()

    answer = api.admin("POST", f"payments/{payment}/{act}", '{"amount": 1e-999999999}')

    assert (answer.status_code, answer.json()["type"]) == (400, "invalid_data")
    assert rows() == before


# The query of GET admin/payments -> the message.
QUERIES = [
    ({"foo": "1"}, "Invalid request: Unrecognized fields: 'foo'"),
    ({"foo": "1", "bar[$gt]": "2"}, "Invalid request: Unrecognized fields: 'foo, bar'"),
    ({"limit": "abc"}, "Invalid request: Expected type: 'number' for field 'limit', got: 'abc'"),
    ({"limit": "1.5"}, "Invalid request: Expected type: 'number' for field 'limit', got: '1.5'"),
    (
        {"limit": ["1", "2"]},
        "Invalid request: Expected type: 'number' for field 'limit', got: '1,2'",
    ),
    (
        {"limit": "-1", "offset": "-2"},
        (
            "Invalid request: Value for field 'limit' too small, expected at least: '0';"
            " Value for field 'offset' too small, expected at least: '0'"
        ),
    ),
    (
        {"offset": "99999999999"},
        "Invalid request: Value for field 'offset' too big, expected at most: '2147483647'",
    ),
    ({"order": "zzz"}, "Order field zzz is not valid"),
    ({"order": "-data"}, "Order field data is not valid"),
    ({"fields[]": "id"}, "Invalid request: Expected type: 'string' for field 'fields', got: 'id'"),
    (
        {"id[eq]": "pay_x"},
        "Invalid request: Expected type: 'string, array' for field 'id', got: '[object Object]'",
    ),
    (
        {"created_at[$gt]": "soon"},
        "Invalid request: Expected type: 'date' for field 'created_at', got: 'soon'",
    ),
    (
        {"created_at": "2026-13-45"},
        "Invalid request: Expected type: 'date' for field 'created_at', got: '2026-13-45'",
    ),
    (
        {"created_at": "9999-12-31T23:59:59-23:00"},
        (
            "Invalid request: Expected type: 'date' for field 'created_at',"
            " got: '9999-12-31T23:59:59-23:00'"
        ),
    ),
    (
        {f"id[{'9' * 5000}]": "x"},
        "Invalid request: Expected type: 'string, array' for field 'id', got: '[object Object]'",
    ),
    ({"$or": "x"}, "Invalid request: Expected type: 'array' for field '$or', got: 'x'"),
    ({"$or[0][foo]": "x"}, "Invalid request: Unrecognized fields: '$or, foo'"),
    ({"id": "a", "id[0]": "b"}, "Invalid request: Unrecognized fields: 'id[0]'"),
    ({"id": "\0"}, "The query holds text that cannot be looked for."),
    (
        {f"{'$or[0]' + '[$or][0]' * 6}[id]": "x"},
        f"Invalid request: Unrecognized fields: '$or[0]{'[$or][0]' * 6}[id]'",
    ),
]


@pytest.mark.parametrize(("query", "message"), QUERIES)
def test_a_wrong_query_is_told_in_medusas_words(
    api: Api, query: dict[str, Any], message: str
) -> None:
    answer = api.admin("GET", "payments", **query)

    assert answer.status_code == 400
    assert answer.json() == {"type": "invalid_data", "message": message}


def test_a_query_with_too_many_parameters_is_refused(api: Api) -> None:
    answer = api.admin("GET", "payments", **{f"id[{number}]": "x" for number in range(1001)})

    assert (answer.status_code, answer.json()["type"]) == (400, "invalid_data")


def test_every_route_is_strict_about_its_query(api: Api) -> None:
    priced("cart_1", "10")
    payment, collection = api.authorized(), api.collection()
    before = rows()

    answers = [
        api.store("GET", "payment-providers", region_id="any", foo="1"),
        api.store("POST", "payment-collections", {"cart_id": "cart_1"}, foo="1"),
        api.store(
            "POST",
            f"payment-collections/{collection}/payment-sessions",
            {"provider_id": PROVIDER},
            foo="1",
        ),
        api.admin("POST", "payment-collections", ORDER % 1, foo="1"),
        api.admin("GET", f"payment-collections/{collection}", foo="1"),
        api.admin("GET", f"payments/{payment}", foo="1"),
        api.admin("GET", "payments/payment-providers", foo="1"),
        *(api.admin("POST", f"payments/{payment}/{act}", foo="1") for act in ("capture", "cancel")),
    ]

    wrong = {"type": "invalid_data", "message": "Invalid request: Unrecognized fields: 'foo'"}
    assert [(each.status_code, each.json()) for each in answers] == [(400, wrong)] * len(answers)
    assert rows() == before
