"""The routes that a buyer's page asks (CONTRACT 3.1)."""

from __future__ import annotations

from typing import Any

import pytest

from medusa_payments.models import PaymentProvider
from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.api.shop import PAID_AT_ONCE, PROVIDER, Api, priced

COLLECTION = {"id", "currency_code", "amount", "payment_sessions"}
SESSION = set(
    """id currency_code amount raw_amount provider_id data context status authorized_at
    payment_collection_id payment metadata created_at updated_at deleted_at""".split()
)
PAYMENT_COLUMNS = set(
    """id currency_code amount raw_amount provider_id data metadata captured_at canceled_at
    payment_collection_id payment_session_id created_at updated_at deleted_at""".split()
)


def collection_of(api: Api, cart: str = "cart_1") -> str:
    answer = api.store("POST", "payment-collections", {"cart_id": cart})
    return str(answer.json()["payment_collection"]["id"])


def start(api: Api, collection: str, **query: Any) -> Any:
    path = f"payment-collections/{collection}/payment-sessions"
    return api.store("POST", path, {"provider_id": PROVIDER}, **query)


# Providers


def test_providers_are_listed_with_what_the_paging_was(api: Api) -> None:
    answer = api.store("GET", "payment-providers", region_id="any")

    assert answer.status_code == 200
    assert answer.json() == {
        "payment_providers": [
            {"id": PROVIDER, "is_enabled": True},
            {"id": "pp_system_default", "is_enabled": True},
        ],
        "count": 2,
        "offset": 0,
        "limit": 20,
    }


def test_paging_and_order_apply_and_the_count_ignores_them(api: Api) -> None:
    answer = api.store(
        "GET", "payment-providers", region_id="any", limit="1", offset="1", order="-id", fields="id"
    )

    assert answer.json() == {
        "payment_providers": [{"id": PROVIDER}],
        "count": 2,
        "offset": 1,
        "limit": 1,
    }


def test_a_provider_that_is_switched_off_is_not_offered_and_not_started(api: Api) -> None:
    PaymentProvider.objects.create(id=PROVIDER, is_enabled=False)
    priced("cart_1", "10")

    answer = api.store("GET", "payment-providers", region_id="any")
    refused = start(api, collection_of(api))

    assert [each["id"] for each in answer.json()["payment_providers"]] == ["pp_system_default"]
    assert (refused.status_code, refused.json()["type"]) == (400, "invalid_data")


@pytest.mark.parametrize(("region", "offered"), [("reg_eu", [PROVIDER]), ("reg_none", [])])
def test_a_region_offers_what_its_resolver_says(
    api: Api, change: Any, region: str, offered: list[str]
) -> None:
    change(REGION_PROVIDER_RESOLVER="tests.api.shop.providers_of_region")

    answer = api.store("GET", "payment-providers", region_id=region)

    assert [each["id"] for each in answer.json()["payment_providers"]] == offered
    assert answer.json()["count"] == len(offered)


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ({}, {"type": "invalid_data", "message": "Invalid request: Field 'region_id' is required"}),
        (
            {"region_id": ""},
            {
                "type": "not_allowed",
                "message": "You must provide the region_id to list payment providers",
            },
        ),
        (
            {"region_id": "any", "order": "zzz"},
            {"type": "invalid_data", "message": "Order field zzz is not valid"},
        ),
    ],
)
def test_a_wrong_query_for_providers_says_what_is_wrong(
    api: Api, query: dict[str, str], error: dict[str, str]
) -> None:
    answer = api.store("GET", "payment-providers", **query)

    assert (answer.status_code, answer.json()) == (400, error)


# Collections


def test_a_cart_gets_a_collection_of_what_it_costs(api: Api) -> None:
    priced("cart_1", "100.50")

    answer = api.store("POST", "payment-collections", {"cart_id": "cart_1"})

    collection = answer.json()["payment_collection"]
    assert answer.status_code == 200
    assert set(collection) == COLLECTION
    assert collection["id"].startswith("pay_col_")
    assert b'"amount":100.5,' in answer.content
    assert collection["currency_code"] == "eur"
    assert collection["payment_sessions"] == []


def test_the_same_cart_gets_its_collection_again_repriced(api: Api) -> None:
    priced("cart_1", "100.50")
    first = collection_of(api)
    priced("cart_1", "80")

    answer = api.store("POST", "payment-collections", {"cart_id": "cart_1"})

    assert answer.json()["payment_collection"]["id"] == first
    assert answer.json()["payment_collection"]["amount"] == 80


@pytest.mark.parametrize("resolver", ["tests.api.shop.resolve_cart", ""])
def test_an_unknown_cart_is_not_found(api: Api, change: Any, resolver: str) -> None:
    change(CART_RESOLVER=resolver)

    answer = api.store("POST", "payment-collections", {"cart_id": "cart_x"})

    assert (answer.status_code, answer.json()["type"]) == (404, "not_found")
    assert answer.json()["message"].startswith("Cart id not found: cart_x")


def test_a_store_collection_shows_no_more_than_the_store_may_see(api: Api) -> None:
    priced("cart_1", "10")
    fields = "+status,+authorized_amount,+metadata,*payments,+payment_sessions.context"

    answer = api.store("POST", "payment-collections", {"cart_id": "cart_1"}, fields=fields)

    assert set(answer.json()["payment_collection"]) == COLLECTION | {"status"}


def test_a_list_of_fields_replaces_the_defaults(api: Api) -> None:
    priced("cart_1", "10")
    fields = "status,payment_sessions.status,payment_providers,payment_sessions.payment,zzz"

    answer = start(api, collection_of(api), fields=fields)

    collection = answer.json()["payment_collection"]
    assert set(collection) == {"id", "status", "payment_sessions", "payment_providers"}
    assert collection["payment_providers"] == []
    assert set(collection["payment_sessions"][0]) == {"id", "status"}


# Sessions


def test_a_session_is_shown_whole_with_the_secret_that_pays_it(
    api: Api, simulator: StripeSimulator
) -> None:
    priced("cart_1", "100.50")

    answer = start(api, collection_of(api))

    collection = answer.json()["payment_collection"]
    (session,) = collection["payment_sessions"]
    (intent,) = simulator.ledger()["intents"].values()
    assert answer.status_code == 200
    assert set(collection) == COLLECTION
    assert set(session) == SESSION
    assert session["amount"] == 100.5
    assert session["raw_amount"] == {"value": "100.5", "precision": 20}
    assert session["status"] == "pending"
    assert session["payment"] is session["authorized_at"] is session["deleted_at"] is None
    assert session["payment_collection_id"] == collection["id"]
    assert session["data"]["id"] == intent["id"]
    assert session["data"]["client_secret"].startswith(intent["id"])
    assert session["created_at"].endswith("Z")


def test_a_second_session_replaces_the_first(api: Api, simulator: StripeSimulator) -> None:
    priced("cart_1", "10")
    collection = collection_of(api)
    first = start(api, collection).json()["payment_collection"]["payment_sessions"][0]["id"]

    sessions = start(api, collection).json()["payment_collection"]["payment_sessions"]

    assert len(sessions) == 1
    assert sessions[0]["id"] != first
    states = sorted(each["status"] for each in simulator.ledger()["intents"].values())
    assert states == ["canceled", "requires_payment_method"]


def test_a_session_of_a_deleted_or_unknown_collection_is_not_found(api: Api) -> None:
    answer = start(api, "pay_col_x")

    assert answer.status_code == 404
    assert answer.json() == {
        "type": "not_found",
        "message": "PaymentCollection id not found: pay_col_x",
    }


def test_a_browser_may_not_say_what_takes_money_at_once(api: Api) -> None:
    priced("cart_1", "10")
    path = f"payment-collections/{collection_of(api)}/payment-sessions"

    answer = api.store("POST", path, {"provider_id": PROVIDER, "data": PAID_AT_ONCE})

    assert (answer.status_code, answer.json()["type"]) == (400, "invalid_data")
    assert "'confirm'" in answer.json()["message"]


def test_a_browser_may_choose_how_to_pay(api: Api) -> None:
    priced("cart_1", "10")
    path = f"payment-collections/{collection_of(api)}/payment-sessions"
    data = {"payment_method_types": ["card"], "metadata": {"gift": "yes"}}

    answer = api.store("POST", path, {"provider_id": PROVIDER, "data": data})

    (session,) = answer.json()["payment_collection"]["payment_sessions"]
    assert answer.status_code == 200
    assert session["data"]["metadata"]["gift"] == "yes"


def test_the_system_provider_takes_any_data(api: Api) -> None:
    priced("cart_1", "10")
    path = f"payment-collections/{collection_of(api)}/payment-sessions"
    data = {"anything": {"at": [1.5, "all"]}}

    answer = api.store("POST", path, {"provider_id": "pp_system_default", "data": data})

    (session,) = answer.json()["payment_collection"]["payment_sessions"]
    assert session["data"] == data


def test_what_a_session_took_is_shown_to_its_buyer_without_the_shops_secrets(api: Api) -> None:
    priced("cart_1", "10")
    collection = collection_of(api)
    api.session(collection, **PAID_AT_ONCE)

    answer = api.store("POST", "payment-collections", {"cart_id": "cart_1"})

    (session,) = answer.json()["payment_collection"]["payment_sessions"]
    assert session["status"] == "authorized"
    assert set(session["payment"]) == PAYMENT_COLUMNS
    assert "client_secret" not in session["payment"]["data"]


def test_an_old_session_that_is_paid_is_not_replaced(api: Api, simulator: StripeSimulator) -> None:
    priced("cart_1", "10")
    collection = collection_of(api)
    session = start(api, collection).json()["payment_collection"]["payment_sessions"][0]
    simulator.pay(session["data"]["id"])

    answer = start(api, collection)

    assert (answer.status_code, answer.json()["type"]) == (400, "not_allowed")
    shown = api.store("POST", "payment-collections", {"cart_id": "cart_1"}).json()
    assert shown["payment_collection"]["payment_sessions"][0]["id"] == session["id"]
