"""Keys in the database: as good as those of the settings, until they are revoked."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from medusa_payments.models import ApiKey, AuditEntry
from medusa_payments.operations.api_keys import create_api_key, revoke_api_key
from medusa_payments.statuses import ApiKeyType
from tests.api.shop import Api, basic
from tests.conftest import ADMIN_API_KEY, PUBLISHABLE_KEY

STORE = "/api/store/payment-providers?region_id=any"
ADMIN = "/api/admin/payments"


def ask_store(api: Api, token: str) -> Any:
    return api.ask("GET", STORE, headers={"x-publishable-api-key": token})


def ask_admin(api: Api, authorization: str) -> Any:
    return api.ask("GET", ADMIN, headers={"Authorization": authorization})


def new_key(key_type: ApiKeyType) -> tuple[ApiKey, str]:
    return create_api_key(key_type=key_type, title="of the test")


def test_a_publishable_key_opens_the_store_until_it_is_revoked(api: Api) -> None:
    key, token = new_key(ApiKeyType.PUBLISHABLE)
    assert ask_store(api, token).status_code == 200

    revoke_api_key(key)

    assert (ask_store(api, token).status_code, ask_store(api, token).json()) == (
        400,
        {
            "type": "not_allowed",
            "message": "A valid publishable key is required to proceed with the request",
        },
    )


@pytest.mark.parametrize("shown_as", [basic, "Basic {}".format])
def test_a_secret_key_opens_the_admin_until_it_is_revoked(api: Api, shown_as: Any) -> None:
    key, token = new_key(ApiKeyType.SECRET)
    assert ask_admin(api, shown_as(token)).status_code == 200

    revoke_api_key(key)

    answer = ask_admin(api, shown_as(token))
    assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorized"})


def test_each_type_opens_only_its_own_door(api: Api) -> None:
    _, publishable = new_key(ApiKeyType.PUBLISHABLE)
    _, secret = new_key(ApiKeyType.SECRET)

    assert ask_store(api, secret).status_code == 400
    assert ask_admin(api, basic(publishable)).status_code == 401
    assert ask_admin(api, f"Bearer {secret}").status_code == 401


def test_what_the_table_holds_opens_nothing(api: Api) -> None:
    key, token = new_key(ApiKeyType.SECRET)
    row = ApiKey.objects.filter(pk=key.pk).values().get()

    assert token not in str(row)
    for shown in row.values():
        assert ask_admin(api, basic(str(shown))).status_code == 401


def test_a_secret_token_cannot_be_stored(api: Api) -> None:
    key, token = new_key(ApiKeyType.SECRET)

    with pytest.raises(IntegrityError):
        ApiKey.objects.filter(pk=key.pk).update(token=token)


def test_an_act_is_done_under_the_id_of_its_key(api: Api) -> None:
    key, token = new_key(ApiKeyType.SECRET)
    body = {"order_id": "o", "amount": 1, "currency_code": "eur"}
    headers = {"Authorization": basic(token)}

    api.ask("POST", "/api/admin/payment-collections", body, headers=headers)

    assert {entry.actor for entry in AuditEntry.objects.all()} == {key.pk}


def test_two_tokens_are_never_the_same_and_long_enough_not_to_be_guessed(api: Api) -> None:
    first, second = (new_key(ApiKeyType.SECRET)[1] for _ in range(2))

    assert first != second
    assert len(first) == len(second) == len("sk_") + 64


def test_keys_of_the_settings_and_what_can_be_no_key_ask_no_query(api: Api) -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        ask_store(api, PUBLISHABLE_KEY)
        ask_store(api, "nothing")
        ask_admin(api, basic(ADMIN_API_KEY))
        ask_admin(api, basic("nothing"))

    assert [query for query in queries.captured_queries if "apikey" in query["sql"]] == []


def test_another_secret_key_of_the_shop_shuts_nobody_out(api: Api, shop_settings: Any) -> None:
    _, token = new_key(ApiKeyType.SECRET)

    shop_settings.SECRET_KEY = "another"

    assert ask_admin(api, basic(token)).status_code == 200
