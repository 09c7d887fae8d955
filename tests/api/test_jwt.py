"""Members of the staff log in with e-mail and password, and act by a token or a session cookie."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import get_hasher
from django.contrib.auth.models import User
from django.test import Client

from medusa_payments.api.tokens import UserToken, token_for
from medusa_payments.models import Capture
from tests.api.shop import Api
from tests.api.staff import PASSWORD, bearer, member

LOGIN = "/api/auth/user/emailpass"
SESSION = "/api/auth/session"
ADMIN = "/api/admin/payments"
REFUSED = {"type": "unauthorized", "message": "Invalid email or password"}


def log_in(api: Api, email: str = "clerk@example.com", password: str = PASSWORD) -> Any:
    return api.ask("POST", LOGIN, {"email": email, "password": password})


def status_with(api: Api, token: str) -> int:
    answer = api.ask("GET", ADMIN, headers=bearer(token))
    if answer.status_code == 401:
        assert answer.json() == {"message": "Unauthorized"}
    return answer.status_code


# Logging in


@pytest.mark.parametrize("email", ["clerk@example.com", "Clerk@EXAMPLE.com"])
def test_a_token_for_the_password_opens_the_admin(api: Api, email: str) -> None:
    member("view_payment", username="any name", password=PASSWORD)

    answer = log_in(api, email)

    assert answer.status_code == 200
    assert set(answer.json()) == {"token"}
    assert status_with(api, answer.json()["token"]) == 200


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("clerk@example.com", "wrong"),
        ("clerk@example.com", ""),
        ("nobody@example.com", PASSWORD),
        ("clerk@example.com ", PASSWORD),
        ("login_name", PASSWORD),
        ("", PASSWORD),
        (" ", PASSWORD),
    ],
)
def test_what_is_wrong_is_not_told(api: Api, email: str, password: str) -> None:
    member(username="login_name", password=PASSWORD)

    answer = log_in(api, email, password)

    assert (answer.status_code, answer.json()) == (401, REFUSED)


@pytest.mark.parametrize("options", [{"is_staff": False}, {"is_active": False}])
def test_only_active_members_of_the_staff_get_a_token(api: Api, options: dict[str, bool]) -> None:
    member(password=PASSWORD, **options)

    answer = log_in(api)

    assert (answer.status_code, answer.json()) == (401, REFUSED)


def test_of_several_users_with_one_address_none_is_let_in(api: Api) -> None:
    member(username="first", password=PASSWORD)
    member(username="second", email="CLERK@example.com", password=PASSWORD)

    assert log_in(api).status_code == 401


def test_an_address_that_is_another_users_name_lets_nobody_in(api: Api) -> None:
    member(username="clerk@example.com", email="other@example.com", password=PASSWORD)

    assert log_in(api).status_code == 401


def test_an_unknown_address_does_not_let_in_a_user_without_a_name(api: Api) -> None:
    member(username="some", email="other@example.com", password=PASSWORD)
    User.objects.update(username="")

    assert log_in(api, "nobody@example.com").status_code == 401


def test_a_user_without_an_address_cannot_be_meant_by_an_empty_one(api: Api) -> None:
    member(username="nameless", email="", password=PASSWORD)

    assert log_in(api, "").status_code == 401


@pytest.mark.parametrize("email", ["clerk@example.com", "nobody@example.com"])
def test_a_password_is_hashed_whether_or_not_the_address_is_known(
    api: Api, email: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasher = type(get_hasher())
    member(password=PASSWORD)
    hashed = []
    encode = hasher.encode

    def counted(*args: Any) -> str:
        hashed.append(args)
        return encode(*args)

    monkeypatch.setattr(hasher, "encode", counted)

    log_in(api, email, "wrong")

    assert len(hashed) == 1


@pytest.mark.parametrize(
    "body", [{}, {"email": "a@b.c"}, {"email": 1, "password": "x"}, {"email": "a", "x": 1}, "["]
)
def test_a_body_that_is_no_credentials_is_not_valid(api: Api, body: Any) -> None:
    answer = api.ask("POST", LOGIN, body)

    assert (answer.status_code, answer.json()["type"]) == (400, "invalid_data")


@pytest.mark.parametrize(("name", "longest"), [("email", 254), ("password", 4096)])
def test_credentials_are_no_longer_than_any_real_ones(api: Api, name: str, longest: int) -> None:
    member()
    body = {"email": "clerk@example.com", "password": PASSWORD}

    answers = [
        api.ask("POST", LOGIN, body | {name: "a" * length})
        for length in (longest, longest + 1, 100_000)
    ]

    assert [each.status_code for each in answers] == [401, 400, 400]
    assert f"Value for field '{name}' too big" in answers[2].json()["message"]


# Tokens


def test_a_token_lasts_a_day_and_names_its_user(api: Api) -> None:
    user = member(password=PASSWORD)

    token = log_in(api).json()["token"]

    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert claims["exp"] - claims["iat"] == timedelta(hours=24).total_seconds()
    assert (claims["actor_type"], claims["actor_id"]) == ("user", f"user_{user.pk}")


def made_for(user: User, **claims: Any) -> UserToken:
    token = UserToken(token_for(user))  # type: ignore[arg-type]
    for name, value in claims.items():
        token[name] = value
    return token


def test_what_opens_the_admin_is_a_token_as_it_was_given(api: Api) -> None:
    user = member("view_payment")
    expired, other_actor, other_user = made_for(user), made_for(user, actor_type="customer"), None
    expired.set_exp(lifetime=timedelta(seconds=-1))
    other_user = made_for(user, actor_id="user_0")
    typeless = made_for(user, token_type="access")
    unsigned = ".".join(str(made_for(user)).split(".")[:2]) + "."

    assert status_with(api, str(made_for(user))) == 200
    for token in (expired, other_actor, other_user, typeless, unsigned, "a.b.c", ""):
        assert status_with(api, str(token)) == 401


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_a_token_signed_by_somebody_else_opens_nothing(
    api: Api, algorithm: str, settings: Any
) -> None:
    import jwt

    claims = made_for(member("view_payment")).payload
    key = settings.SECRET_KEY if algorithm == "HS256" else None

    token = jwt.encode(claims, key, algorithm=algorithm)

    assert status_with(api, token) == 401


@pytest.mark.parametrize("change", [{"is_staff": False}, {"is_active": False}])
def test_a_token_ends_with_the_job(api: Api, change: dict[str, bool]) -> None:
    user = member("view_payment")
    token = token_for(user)
    assert status_with(api, token) == 200

    User.objects.filter(pk=user.pk).update(**change)

    assert status_with(api, token) == 401


def test_a_token_ends_with_the_password_and_with_the_user(api: Api) -> None:
    user = member("view_payment")
    token = token_for(user)

    user.set_password("another")
    user.save()
    assert status_with(api, token) == 401
    later = token_for(user)
    assert status_with(api, later) == 200
    user.delete()

    assert status_with(api, later) == 401


def test_settings_of_the_shops_own_tokens_change_nothing(api: Api, settings: Any) -> None:
    settings.SIMPLE_JWT = {"ALGORITHM": "HS512", "AUDIENCE": "the-shop", "SIGNING_KEY": "x" * 64}
    member("view_payment", password=PASSWORD)

    assert status_with(api, log_in(api).json()["token"]) == 200


def test_a_capture_names_the_user_who_asked(api: Api) -> None:
    user = member("capture_payment")
    payment = api.authorized()

    answer = api.ask("POST", f"{ADMIN}/{payment}/capture", {}, headers=bearer(token_for(user)))

    assert answer.status_code == 200
    assert Capture.objects.get().created_by == f"user_{user.pk}"


# The session cookie


@pytest.fixture
def browser() -> Client:
    """One that is held to the CSRF token, as a real one is."""
    return Client(enforce_csrf_checks=True)


def test_a_token_starts_a_session_and_the_cookie_reads(api: Api, browser: Client) -> None:
    user = member("view_payment")

    started = browser.post(SESSION, headers=bearer(token_for(user)))
    read = browser.get(ADMIN)
    ended = browser.delete(SESSION)
    after = browser.get(ADMIN)

    assert (started.status_code, started.json()["user"]["actor_id"]) == (200, f"user_{user.pk}")
    assert read.status_code == 200
    assert (ended.status_code, ended.json()) == (200, {"success": True})
    assert after.status_code == 401


def test_no_session_without_a_token(api: Api, browser: Client) -> None:
    for headers in ({}, bearer("a.b.c"), bearer(token_for(member(is_staff=False)))):
        answer = browser.post(SESSION, headers=headers)

        assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorized"})
        assert "sessionid" not in browser.cookies


def test_what_the_cookie_writes_needs_the_csrf_token(api: Api, browser: Client) -> None:
    user = member("capture_payment")
    payment = api.authorized()
    browser.post(SESSION, headers=bearer(token_for(user)))
    path = f"{ADMIN}/{payment}/capture"

    without = browser.post(path)
    token = browser.cookies["csrftoken"].value
    with_it = browser.post(path, "{}", "application/json", headers={"x-csrftoken": token})
    form = browser.post(path, {"csrfmiddlewaretoken": token})

    assert (without.status_code, without.json()["type"]) == (403, "forbidden")
    assert "CSRF" in without.json()["message"]
    assert with_it.status_code == 200
    assert (form.status_code, form.json()["type"]) == (400, "invalid_data")
    assert Capture.objects.get().created_by == f"user_{user.pk}"


def test_what_the_cookie_writes_from_another_origin_needs_djangos_trust(
    api: Api, browser: Client, settings: Any
) -> None:
    browser.force_login(member("add_refundreason"))
    browser.cookies["csrftoken"] = "a" * 32
    headers = {"Origin": "https://office.example", "x-csrftoken": "a" * 32}
    body = '{"label": "Late", "code": "late"}'

    def write() -> int:
        path = "/api/admin/refund-reasons"
        return browser.post(path, body, "application/json", headers=headers).status_code

    assert write() == 403
    settings.CSRF_TRUSTED_ORIGINS = ["https://office.example"]
    assert write() == 200


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=x; charset=hex",
        "application/x-www-form-urlencoded; charset=latin-1",
        "application/x-www-form-urlencoded; charset=hex",
    ],
)
def test_a_form_that_cannot_be_read_is_no_fault_of_ours(
    api: Api, browser: Client, content_type: str
) -> None:
    browser.force_login(member("capture_payment"))
    browser.cookies["csrftoken"] = "a" * 32
    body = '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--x--\r\n'

    answer = browser.generic("POST", f"{ADMIN}/pay_1/capture", body, content_type)

    assert (answer.status_code, answer.json()["type"]) == (400, "invalid_data")


def test_the_cookie_of_a_customer_opens_nothing(api: Api, browser: Client) -> None:
    browser.force_login(member("view_payment", is_staff=False))

    answer = browser.get(ADMIN)

    assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorized"})


def test_wrong_credentials_are_refused_in_spite_of_a_good_cookie(api: Api, browser: Client) -> None:
    browser.force_login(member("view_payment"))

    assert browser.get(ADMIN).status_code == 200
    for authorization in ("Bearer a.b.c", "Basic sk_wrong", "Digest x"):
        assert browser.get(ADMIN, headers={"Authorization": authorization}).status_code == 401
