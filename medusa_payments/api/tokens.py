"""Tokens that a member of the staff gets for a password: signed, for a day, for nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.utils.crypto import constant_time_compare, salted_hmac
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import Token

ACTOR_TYPE = "user"
_ALGORITHM = "HS256"


class UserToken(Token):
    """Signed with a key of its own: a token that the shop gives out for something else is none of
    ours, and its settings SIMPLE_JWT change nothing here."""

    token_type = "medusa_payments_user"  # noqa: S105 - a name
    lifetime = timedelta(hours=24)

    def get_token_backend(self) -> TokenBackend:
        key = salted_hmac("medusa_payments.api.tokens", "signing key", algorithm="sha256")
        return TokenBackend(_ALGORITHM, signing_key=key.hexdigest())


def actor_id(user: AbstractBaseUser) -> str:
    return f"user_{user.pk}"


def token_for(user: AbstractBaseUser) -> str:
    token = UserToken()
    token["actor_type"] = ACTOR_TYPE
    token["actor_id"] = actor_id(user)
    token["auth_hash"] = user.get_session_auth_hash()
    return str(token)


def user_of(text: str) -> AbstractBaseUser | None:
    """Whose token it is; None if it is not one of ours or not valid any more, as after a change of
    the password."""
    try:
        claims = UserToken(text)  # type: ignore[arg-type] # it is what the token was read from
    except TokenError:
        return None
    if claims.get("actor_type") != ACTOR_TYPE:
        return None
    return _user_with(str(claims.get("actor_id", "")), auth_hash=claims.get("auth_hash", ""))


def _user_with(actor: str, *, auth_hash: Any) -> AbstractBaseUser | None:
    users = get_user_model()._default_manager
    user = users.filter(pk=actor.removeprefix("user_")).first()
    if user is None or not constant_time_compare(user.get_session_auth_hash(), auth_hash):
        return None
    return user
