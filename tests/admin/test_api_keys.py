"""API keys in the admin: seen without their tokens, revoked after a question, nothing else."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from medusa_payments.models import ApiKey
from medusa_payments.operations.api_keys import create_api_key, live_api_key
from medusa_payments.statuses import ApiKeyType
from tests.admin.conftest import grant

LIST = "/admin/medusa_payments/apikey/"

pytestmark = pytest.mark.django_db


def choose(client: Client, *keys: ApiKey, **more: str) -> Any:
    chosen = {"action": "revoke_api_keys", "_selected_action": [key.pk for key in keys]}
    return client.post(LIST, {**chosen, **more}, follow=True)


def staff_client(*codenames: str) -> Client:
    user = grant(User.objects.create_user("key_master", is_staff=True), *codenames)
    client = Client()
    client.force_login(user)
    return client


def test_no_page_shows_a_secret_token_or_its_digest(admin_client: Client) -> None:
    key, token = create_api_key(key_type=ApiKeyType.SECRET, title="Back office")

    pages = [admin_client.get(LIST), admin_client.get(f"{LIST}{key.pk}/change/")]

    for page in pages:
        text = page.content.decode()
        assert page.status_code == 200
        assert f"sk_...{token[-3:]}" in text
        assert token not in text
        assert key.token_digest not in text


def test_a_publishable_token_is_shown_whole_on_its_own_page(admin_client: Client) -> None:
    key, token = create_api_key(key_type=ApiKeyType.PUBLISHABLE, title="Pages")

    assert token in admin_client.get(f"{LIST}{key.pk}/change/").content.decode()
    assert key.redacted in admin_client.get(LIST).content.decode()


def test_selected_keys_are_revoked_after_a_question() -> None:
    first, second, other = (
        create_api_key(key_type=ApiKeyType.SECRET, title=f"Key {number}") for number in range(3)
    )
    client = staff_client("view_apikey", "revoke_apikey")

    page = choose(client, first[0], second[0])
    form = dict(
        re.findall(r'<input type="hidden" name="(\w+)" value="(\w+)"', page.content.decode())
    )
    assert live_api_key(first[1], key_type=ApiKeyType.SECRET)
    assert form["confirmed"] == "yes"
    done = choose(client, first[0], second[0], confirmed="yes")

    assert f"Revoked: Key 0 ({first[0].pk})" in done.content.decode()
    assert [live_api_key(token, key_type=ApiKeyType.SECRET) for _, token in (first, second)] == [
        None,
        None,
    ]
    assert live_api_key(other[1], key_type=ApiKeyType.SECRET) == other[0]
    assert "key_master" in ApiKey.objects.get(pk=first[0].pk).revoked_by


def test_who_may_only_look_revokes_nothing() -> None:
    key, token = create_api_key(key_type=ApiKeyType.SECRET, title="Back office")
    client = staff_client("view_apikey")

    page = choose(client, key, confirmed="yes")

    assert "revoke_api_keys" not in page.content.decode()
    assert live_api_key(token, key_type=ApiKeyType.SECRET) == key
