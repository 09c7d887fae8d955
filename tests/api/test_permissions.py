"""Every route, asked with every kind of credential: none is let through by being forgotten."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission

from medusa_payments.api.permissions import permission_for
from medusa_payments.api.tokens import token_for
from medusa_payments.api.views.base import AdminView
from medusa_payments.errors import ConfigurationError
from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.api.routes import CALLS, Route, ask, routes
from tests.api.shop import PAID_AT_ONCE, PROVIDER, Api, basic, rows
from tests.api.staff import bearer, member
from tests.conftest import ADMIN_API_KEY, PUBLISHABLE_KEY

ROOT = Path(__file__).resolve().parents[2]
NOTHING: dict[str, str] = {}
PUBLISHABLE = {"x-publishable-api-key": PUBLISHABLE_KEY}
SECRET = {"Authorization": basic(ADMIN_API_KEY)}
WRONG = {
    "key": {"Authorization": basic("sk_wrong"), "x-publishable-api-key": "pk_wrong"},
    "token": {**bearer("a.b.c"), "x-publishable-api-key": ADMIN_API_KEY},
    "keys exchanged": {
        "Authorization": basic(PUBLISHABLE_KEY),
        "x-publishable-api-key": ADMIN_API_KEY,
    },
}
STORE, ADMIN = routes("store"), routes("admin")
OPEN = ("auth", "hooks", "openapi.json")


def test_every_route_says_here_how_it_is_asked() -> None:
    assert {route.key for route in routes()} == set(CALLS)
    # What of its health is shown to whom: test_health.py.
    assert {route.area for route in routes()} == {"store", "admin", "health", *OPEN}


@pytest.mark.django_db
@pytest.mark.parametrize("route", ADMIN, ids=str)
def test_every_admin_route_names_a_permission_that_exists(route: Route) -> None:
    assert issubclass(route.view, AdminView)
    app, codename = permission_for(route.view, route.method.upper()).split(".")
    found = Permission.objects.filter(content_type__app_label=app, codename=codename)

    assert found.count() == 1


def test_a_view_that_names_no_permission_fails_loudly() -> None:
    class Forgotten(AdminView):
        permission = {"get": "view_payment"}

        def get(self) -> None: ...

        def post(self) -> None: ...

    assert permission_for(Forgotten, "HEAD") == "medusa_payments.view_payment"
    with pytest.raises(ConfigurationError, match="Forgotten serves POST and names no permission"):
        permission_for(Forgotten, "POST")


@pytest.mark.parametrize("wrong", [NOTHING, PUBLISHABLE, *WRONG.values()], ids=str)
@pytest.mark.parametrize("route", ADMIN, ids=str)
def test_the_admin_lets_nobody_in_without_a_credential(
    api: Api, route: Route, wrong: dict[str, str]
) -> None:
    answer = ask(api, route, wrong)

    assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorized"})


@pytest.mark.parametrize("route", ADMIN, ids=str)
def test_a_secret_key_may_do_everything_in_the_admin(api: Api, route: Route) -> None:
    assert ask(api, route, SECRET).status_code == CALLS[route.key].status


@pytest.mark.parametrize("route", ADMIN, ids=str)
def test_a_member_of_the_staff_needs_the_routes_own_permission(api: Api, route: Route) -> None:
    needed = permission_for(route.view, route.method.upper())
    everything_else = Permission.objects.filter(content_type__app_label="medusa_payments").exclude(
        codename=needed.split(".")[1]
    )
    clerk = member()
    clerk.user_permissions.set(everything_else)

    answer = ask(api, route, bearer(token_for(clerk)))

    assert answer.status_code == 403
    assert answer.json()["type"] == "forbidden"
    assert needed in answer.json()["message"]


@pytest.mark.parametrize("route", ADMIN, ids=str)
def test_a_member_of_the_staff_may_do_what_the_permission_allows(api: Api, route: Route) -> None:
    codename = permission_for(route.view, route.method.upper()).split(".")[1]

    answer = ask(api, route, bearer(token_for(member(codename))))

    assert answer.status_code == CALLS[route.key].status


TAKING = [
    PAID_AT_ONCE,
    {"confirm": True, "capture_method": "manual"},
    {"capture_method": "automatic"},
    {"capture_method": "automatic_async"},
    {"capture_method": ""},
]
HOLDING = [{}, {"confirm": False}, {"capture_method": "manual"}, {"capture_method": None}]


def start(api: Api, user: Any, collection: str, data: Any, **headers: str) -> Any:
    path = f"/api/admin/payment-collections/{collection}/payment-sessions"
    body = {"provider_id": PROVIDER, "data": data}
    return api.ask("POST", path, body, headers=bearer(token_for(user)) | headers)


def assert_lacks_capture(answer: Any) -> None:
    assert (answer.status_code, answer.json()["type"]) == (403, "forbidden")
    assert "medusa_payments.capture_payment" in answer.json()["message"]


@pytest.mark.parametrize("data", TAKING, ids=str)
def test_a_session_that_takes_money_needs_the_permission_to_capture(
    api: Api, simulator: StripeSimulator, data: Any
) -> None:
    clerk, collection = member("add_paymentsession"), api.collection()
    before = rows()

    answers = [start(api, clerk, each, data) for each in (collection, "unknown")]

    for answer in answers:
        assert_lacks_capture(answer)
    assert rows() == before
    assert not simulator.requests("payment_intents.create")


@pytest.mark.parametrize("data", HOLDING, ids=str)
def test_a_session_that_a_buyer_pays_and_we_capture_needs_no_more(api: Api, data: Any) -> None:
    answer = start(api, member("add_paymentsession"), api.collection(), data)

    assert answer.status_code == 200


def test_a_provider_that_captures_by_itself_needs_it_for_every_session(
    api: Api, shop_settings: Any, change: Any
) -> None:
    providers = shop_settings.MEDUSA_PAYMENTS["PROVIDERS"]
    stripe = providers[PROVIDER]
    options = stripe["OPTIONS"] | {"CAPTURE": "automatic"}
    change(PROVIDERS=providers | {PROVIDER: stripe | {"OPTIONS": options}})

    refused = start(api, member("add_paymentsession"), api.collection(), {})
    started = start(
        api,
        member("add_paymentsession", "capture_payment", email="boss@example.com"),
        api.collection(),
        {},
    )

    assert_lacks_capture(refused)
    assert started.status_code == 200


@pytest.mark.parametrize("data", [PAID_AT_ONCE, {"capture_method": "automatic"}], ids=str)
def test_who_may_capture_may_start_a_session_that_takes_money(api: Api, data: Any) -> None:
    user = member("add_paymentsession", "capture_payment")

    assert start(api, user, api.collection(), data).status_code == 200


def test_the_answer_to_a_session_that_took_money_is_for_who_still_may(api: Api) -> None:
    user, collection = member("add_paymentsession", "capture_payment"), api.collection()
    key = {"Idempotency-Key": "key-1"}
    first = start(api, user, collection, PAID_AT_ONCE, **key)
    user.user_permissions.remove(Permission.objects.get(codename="capture_payment"))

    second = start(api, user, collection, PAID_AT_ONCE, **key)

    assert first.status_code == 200
    assert_lacks_capture(second)


@pytest.mark.parametrize("route", ADMIN, ids=str)
def test_a_refusal_changes_nothing_and_tells_no_id(api: Api, route: Route) -> None:
    headers = bearer(token_for(member()))
    known = CALLS[route.key].ids(api)
    before = rows()

    answers = [
        api.ask(route.method.upper(), route.path(**ids), body, headers=headers)
        for ids in (known, dict.fromkeys(known, "unknown"))
        for body in (CALLS[route.key].body, {"no": "field"}, "no JSON")
    ]

    assert {answer.status_code for answer in answers} == {403}
    assert len({answer.content for answer in answers}) == 1
    assert rows() == before


@pytest.mark.parametrize("headers", [NOTHING, SECRET, *WRONG.values()], ids=str)
@pytest.mark.parametrize("route", STORE, ids=str)
def test_the_store_lets_nobody_in_without_a_publishable_key(
    api: Api, route: Route, headers: dict[str, str]
) -> None:
    answer = ask(api, route, headers)

    assert (answer.status_code, answer.json()["type"]) == (400, "not_allowed")


@pytest.mark.parametrize("route", STORE, ids=str)
def test_a_publishable_key_opens_the_store(api: Api, route: Route) -> None:
    assert ask(api, route, PUBLISHABLE).status_code == CALLS[route.key].status


@pytest.mark.parametrize("headers", [NOTHING, PUBLISHABLE, SECRET, *WRONG.values()], ids=str)
@pytest.mark.parametrize("route", routes(*OPEN), ids=str)
def test_logging_in_hooks_and_the_document_ask_for_no_key(
    api: Api, route: Route, headers: dict[str, str]
) -> None:
    assert ask(api, route, headers).status_code == CALLS[route.key].status


def test_a_superuser_needs_no_permission_of_his_own(api: Api, admin_user: Any) -> None:
    answers = [ask(api, route, bearer(token_for(admin_user))) for route in ADMIN]

    assert [answer.status_code for answer in answers] == [CALLS[each.key].status for each in ADMIN]


@pytest.mark.parametrize("route", ADMIN, ids=str)
def test_the_documentation_names_the_permission(route: Route) -> None:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    codename = permission_for(route.view, route.method.upper()).split(".")[1]

    assert f"`{codename}`" in page
