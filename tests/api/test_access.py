"""Whose collection it is, the shop's ACCESS_RESOLVER says. Of another's nobody learns anything."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpRequest
from django.test import Client

from medusa_payments.models import PaymentCollection, PaymentSession
from tests.api.routes import CALLS, Route, routes
from tests.api.shop import Api, basic, priced, rows
from tests.api.staff import member
from tests.conftest import ADMIN_API_KEY, PUBLISHABLE_KEY

KEY = {"x-publishable-api-key": PUBLISHABLE_KEY}
OF_AN_ID = [route for route in routes("store") if route.id_names]

asked: list[tuple[HttpRequest, PaymentCollection]] = []


def refuse(request: HttpRequest, collection: PaymentCollection) -> bool:
    asked.append((request, collection))
    return False


def only_of_users(request: HttpRequest, collection: PaymentCollection) -> bool:
    return request.user.is_authenticated


@pytest.fixture
def refused(change: Any) -> list[tuple[HttpRequest, PaymentCollection]]:
    asked.clear()
    change(ACCESS_RESOLVER="tests.api.test_access.refuse")
    return asked


@pytest.mark.parametrize("key", [None, "k"])
def test_somebody_elses_cart_is_answered_as_one_that_does_not_exist(
    api: Api, change: Any, key: str | None
) -> None:
    priced("theirs", "10")
    made = api.store("POST", "payment-collections", {"cart_id": "theirs"}, key=key).json()
    api.session(made["payment_collection"]["id"])
    priced("theirs", "20")
    change(ACCESS_RESOLVER="tests.api.test_access.refuse")
    before = rows()

    answer = api.store("POST", "payment-collections", {"cart_id": "theirs"}, key=key)

    assert answer.status_code == 404
    assert answer.json()["message"] == "Cart id not found: theirs"
    assert rows() == before


def test_a_new_cart_has_no_collection_to_be_asked_about(api: Api, refused: Any) -> None:
    priced("new", "10")

    assert api.store("POST", "payment-collections", {"cart_id": "new"}).status_code == 200
    assert refused == []


@pytest.mark.parametrize("route", OF_AN_ID, ids=str)
def test_somebody_elses_id_is_answered_as_one_that_does_not_exist(
    api: Api, route: Route, refused: Any
) -> None:
    call = CALLS[route.key]
    ids = call.ids(api)
    before = rows()

    answers = [
        api.ask(route.method.upper(), route.path(**each), call.body, headers=KEY)
        for each in (ids, dict.fromkeys(ids, "unknown"))
    ]

    theirs, none = (
        (answer.status_code, answer.content.decode().replace(name, "..."))
        for answer, name in zip(answers, ("".join(ids.values()), "unknown"), strict=True)
    )
    assert none[0] == 404
    assert theirs == none
    assert rows() == before


def test_the_resolver_sees_the_request_and_the_collection(api: Api, refused: Any) -> None:
    collection = api.collection()

    api.store("POST", f"payment-collections/{collection}/payment-sessions", {"provider_id": "x"})

    ((request, found),) = refused
    assert isinstance(request, HttpRequest)
    assert found == PaymentCollection.objects.get(pk=collection)
    assert not PaymentSession.objects.exists()


def test_who_may_pays(api: Api, change: Any) -> None:
    change(ACCESS_RESOLVER="tests.api.test_access.only_of_users")
    collection = api.collection()
    path = f"/api/store/payment-collections/{collection}/payment-sessions"
    customer, body = Client(), {"provider_id": "pp_system_default"}
    customer.force_login(member(is_staff=False))

    stranger = api.ask("POST", path, body, headers=KEY)
    answer = customer.post(path, body, "application/json", headers=KEY)

    assert (stranger.status_code, answer.status_code) == (404, 200)


def test_the_shops_server_is_not_asked_whose_it_is(api: Api, refused: Any) -> None:
    path = f"/api/admin/payment-collections/{api.collection()}"

    answer = api.ask("GET", path, headers={"Authorization": basic(ADMIN_API_KEY)})

    assert answer.status_code == 200
    assert refused == []
