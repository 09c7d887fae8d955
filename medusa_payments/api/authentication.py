"""Who asks: publishable keys open the store's routes, secret keys the admin's.

Keys of the settings are compared without a query, those of the database found by their digest. An
actor's id names its key without telling it, so that the audit trail can show it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from typing import Any

from django.utils.crypto import constant_time_compare, salted_hmac
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from medusa_payments import settings
from medusa_payments.errors import NotAllowed
from medusa_payments.operations.actors import Actor
from medusa_payments.operations.api_keys import live_api_key
from medusa_payments.statuses import ApiKeyType, Door

UNAUTHORIZED = "Unauthorized"
_NOT_AS_BEARER = (
    "A secret API key is not a bearer token. Send it with basic authentication instead:"
    " 'Authorization: Basic ' and the base64 of the key followed by a colon."
)


class PublishableKeyAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[Any, Actor]:
        """:raises NotAllowed: the key is missing or unknown; Medusa answers 400, not 401."""
        given = request.headers.get("x-publishable-api-key", "")
        if not given:
            raise NotAllowed(
                "Publishable API key required in the request header: x-publishable-api-key."
            )
        name = _name_in(settings.PUBLISHABLE_KEYS, given, key_type=ApiKeyType.PUBLISHABLE)
        if not name:
            raise NotAllowed("A valid publishable key is required to proceed with the request")
        return _user_of(request), Actor(name, Door.STORE_API)


class SecretKeyAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[Any, Actor] | None:
        """None where the request shows no key, but something else or nothing.

        :raises AuthenticationFailed: a key that is none of ours, or not shown as a key.
        """
        scheme, credentials = credentials_in(request)
        if scheme == "bearer" and credentials.startswith("sk_"):
            raise AuthenticationFailed(_NOT_AS_BEARER)
        if scheme in ("", "bearer"):
            return None
        if scheme == "basic":
            for given in (credentials, _decoded(credentials)):
                if name := _name_in(settings.SECRET_KEYS, given, key_type=ApiKeyType.SECRET):
                    return _user_of(request), Actor(name, Door.ADMIN_API)
        raise AuthenticationFailed(UNAUTHORIZED)


def credentials_in(request: Request) -> tuple[str, str]:
    """Scheme, in small letters, and credentials of the Authorization header; empty without it."""
    scheme, _, credentials = request.headers.get("Authorization", "").strip().partition(" ")
    return scheme.lower(), credentials.strip()


def _decoded(credentials: str) -> str:
    """The user name, where the SDK puts the key; empty if it is not base64."""
    try:
        text = base64.b64decode(credentials, validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
    return text.partition(":")[0]


def _name_in(keys: Iterable[str], given: str, *, key_type: ApiKeyType) -> str:
    """The id of a key of the settings or of the database; empty if it is none."""
    if _is_one_of(keys, given):
        return _name_of(given)
    key = live_api_key(given, key_type=key_type)
    return key.pk if key else ""


def _is_one_of(keys: Iterable[str], given: str) -> bool:
    """Compares with every key in constant time; an empty one opens nothing."""
    keys = (keys,) if isinstance(keys, str) else keys  # its letters are no keys
    matches = [constant_time_compare(key, given) for key in keys if key]
    return any(matches) and bool(given)


def _name_of(key: str) -> str:
    return f"apk_{salted_hmac('medusa_payments.api_key', key, algorithm='sha256').hexdigest()[:26]}"


def _user_of(request: Request) -> Any:
    """Whatever the shop's middleware found; a key is no user."""
    return getattr(request._request, "user", None)
