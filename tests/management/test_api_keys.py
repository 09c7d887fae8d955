"""API keys from the command line: the token is told once, on the last line."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command

from medusa_payments.models import ApiKey
from medusa_payments.operations.api_keys import live_api_key
from medusa_payments.statuses import ApiKeyType
from tests.management.conftest import Command


@pytest.mark.parametrize("key_type", ApiKeyType)
@pytest.mark.django_db
def test_the_token_is_the_last_line_and_nowhere_else(key_type: ApiKeyType) -> None:
    stdout = io.StringIO()

    call_command("create_api_key", "--type", key_type, "--title", "Back office", stdout=stdout)

    *others, token = stdout.getvalue().splitlines()
    key = ApiKey.objects.get()
    assert live_api_key(token, key_type=key_type) == key
    assert token not in "".join(others)
    assert key.pk in "".join(others)


def test_json_tells_the_token_in_its_object(command: Command) -> None:
    made = command("create_api_key", "--type", "secret", "--title", "Back office", "--actor", "me")

    key = live_api_key(made.row["token"], key_type=ApiKeyType.SECRET)
    assert key is not None
    assert (key.pk, key.title, key.created_by) == (made.row["id"], "Back office", "me")


def test_a_revoked_key_stays_revoked_as_it_was_first(command: Command) -> None:
    made = command("create_api_key", "--type", "secret", "--title", "Back office").row

    first = command("revoke_api_key", made["id"], "--actor", "me")
    second = command("revoke_api_key", made["id"], "--actor", "somebody else")

    assert live_api_key(made["token"], key_type=ApiKeyType.SECRET) is None
    assert (first.status, second.status) == (0, 0)
    assert first.row == second.row
    assert first.row["revoked_by"] == "me"


def test_what_cannot_be_done_says_why(command: Command) -> None:
    unknown = pytest.raises(CommandError, match="ApiKey id not found: apk_x")
    untitled = pytest.raises(CommandError, match="needs a title")

    with unknown:
        call_command("revoke_api_key", "apk_x")
    with untitled:
        call_command("create_api_key", "--type", "secret", "--title", " ")
