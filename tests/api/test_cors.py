"""Pages of other origins: each area has its own list, and a preflight needs no credentials."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.routes import Route, ask, routes
from tests.api.shop import Api, basic
from tests.conftest import ADMIN_API_KEY, PUBLISHABLE_KEY

SHOP, OFFICE, LOGIN = "https://shop.example", "https://office.example", "https://login.example"
LISTS = {"STORE_CORS": (SHOP,), "ADMIN_CORS": (OFFICE,), "AUTH_CORS": (LOGIN, OFFICE)}
OWN = {"store": SHOP, "admin": OFFICE, "auth": LOGIN}
ALLOWED_HEADERS = {
    "authorization",
    "content-type",
    "idempotency-key",
    "x-medusa-locale",
    "x-publishable-api-key",
}
METHODS = "GET,HEAD,PUT,PATCH,POST,DELETE"
CREDENTIALS = {
    "Authorization": basic(ADMIN_API_KEY),
    "x-publishable-api-key": PUBLISHABLE_KEY,
}


@pytest.fixture
def lists(change: Any) -> None:
    change(**LISTS)


def preflight(api: Api, route: Route, origin: str) -> Any:
    path = route.path(**dict.fromkeys(route.id_names, "any"))
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": route.method.upper(),
        "Access-Control-Request-Headers": ",".join(sorted(ALLOWED_HEADERS)),
    }
    return api.ask("OPTIONS", path, headers=headers)


def cors_headers(answer: Any) -> dict[str, str]:
    return {
        name: value
        for name, value in answer.headers.items()
        if name.lower().startswith("access-control-")
    }


def varies(answer: Any) -> bool:
    return "origin" in [name.strip().lower() for name in answer.get("Vary", "").split(",")]


@pytest.mark.parametrize("route", routes("store", "admin", "auth"), ids=str)
def test_a_preflight_is_answered_without_credentials(api: Api, lists: None, route: Route) -> None:
    answer = preflight(api, route, OWN[route.area])

    headers = cors_headers(answer)
    assert (answer.status_code, answer.content) == (204, b"")
    assert headers["Access-Control-Allow-Origin"] == OWN[route.area]
    assert headers["Access-Control-Allow-Credentials"] == "true"
    assert headers["Access-Control-Allow-Methods"] == METHODS
    assert set(headers["Access-Control-Allow-Headers"].split(",")) >= ALLOWED_HEADERS
    assert varies(answer)


@pytest.mark.parametrize("route", routes("store", "admin", "auth"), ids=str)
def test_the_origin_of_another_area_is_not_let_in(api: Api, lists: None, route: Route) -> None:
    others = [each for area, each in OWN.items() if each not in LISTS[f"{route.area.upper()}_CORS"]]

    for origin in (*others, "https://elsewhere.example", f"{OWN[route.area]}.evil", "null"):
        answer = preflight(api, route, origin)

        assert cors_headers(answer) == {}
        assert varies(answer)


@pytest.mark.parametrize("route", routes("store", "admin", "auth"), ids=str)
def test_the_answer_can_be_read_by_the_areas_own_pages_only(
    api: Api, lists: None, route: Route
) -> None:
    own = ask(api, route, {**CREDENTIALS, "Origin": OWN[route.area]})
    other = ask(api, route, {**CREDENTIALS, "Origin": "https://elsewhere.example"})
    none = ask(api, route, CREDENTIALS)

    assert cors_headers(own) == {
        "Access-Control-Allow-Origin": OWN[route.area],
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Expose-Headers": "Idempotent-Replayed,Retry-After",
    }
    assert cors_headers(other) == cors_headers(none) == {}
    assert varies(own)
    assert varies(other)
    assert varies(none)


def test_a_refusal_can_be_read_too(api: Api, lists: None) -> None:
    answer = api.ask("GET", "/api/admin/payments", headers={"Origin": OFFICE})

    assert answer.status_code == 401
    assert answer["Access-Control-Allow-Origin"] == OFFICE


@pytest.mark.parametrize("route", routes(), ids=str)
def test_without_lists_there_are_no_headers(api: Api, route: Route) -> None:
    answers = [preflight(api, route, SHOP), ask(api, route, {**CREDENTIALS, "Origin": SHOP})]

    assert answers[0].status_code >= 400
    assert [cors_headers(answer) for answer in answers] == [{}, {}]
    assert not any(varies(answer) for answer in answers)


def test_hooks_are_no_business_of_a_browser(api: Api, lists: None) -> None:
    (route,) = routes("hooks")

    answer = preflight(api, route, SHOP)

    assert answer.status_code == 404
    assert cors_headers(answer) == {}


def test_an_options_that_is_no_preflight_is_a_method_like_others(api: Api, lists: None) -> None:
    answer = api.store("OPTIONS", "payment-providers")

    assert answer.status_code == 404
    assert answer.json()["message"] == "Cannot OPTIONS /api/store/payment-providers"


def test_an_origin_that_is_set_without_a_list_is_not_its_letters(api: Api, change: Any) -> None:
    change(STORE_CORS=f"{SHOP}/")
    (route,) = [each for each in routes("store") if each.key == ("StoreProviders", "get")]

    assert cors_headers(preflight(api, route, SHOP)) == {}
