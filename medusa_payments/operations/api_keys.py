"""Keys in the database: made once, shown once, revoked for ever."""

from __future__ import annotations

import hashlib
import secrets

from django.utils import timezone

from medusa_payments.errors import InvalidData
from medusa_payments.models import ApiKey
from medusa_payments.operations.actors import SYSTEM, Actor
from medusa_payments.operations.database import database_alias
from medusa_payments.statuses import ApiKeyType

_PREFIXES = {ApiKeyType.PUBLISHABLE: "pk_", ApiKeyType.SECRET: "sk_"}
_RANDOM_BYTES = 32
_SHOWN_CHARACTERS = 3
_MAX_TITLE = 255


def create_api_key(
    *, key_type: ApiKeyType, title: str, actor: Actor = SYSTEM
) -> tuple[ApiKey, str]:
    """A new key and its token, which nothing can show again if the key is secret."""
    title = title.strip()
    if not 0 < len(title) <= _MAX_TITLE:
        raise InvalidData(f"An API key needs a title of at most {_MAX_TITLE} characters.")
    token = _PREFIXES[key_type] + secrets.token_hex(_RANDOM_BYTES)
    key = ApiKey.objects.using(database_alias()).create(
        type=key_type,
        title=title,
        token_digest=_digest(token),
        token=token if key_type == ApiKeyType.PUBLISHABLE else "",
        redacted=f"{_PREFIXES[key_type]}...{token[-_SHOWN_CHARACTERS:]}",
        created_by=actor.id,
    )
    return key, token


def revoke_api_key(key: ApiKey, *, actor: Actor = SYSTEM) -> ApiKey:
    """From the next request on the key opens nothing. A second time changes nothing."""
    rows = ApiKey.objects.using(database_alias()).filter(pk=key.pk)
    now = timezone.now()
    rows.filter(revoked_at=None).update(revoked_at=now, revoked_by=actor.id, updated_at=now)
    revoked: ApiKey = rows.get()
    return revoked


def live_api_key(token: str, *, key_type: ApiKeyType) -> ApiKey | None:
    """The key that the token belongs to, unless it was revoked. Asks the database once, and not
    at all for what cannot be a key."""
    if not token.startswith(_PREFIXES[key_type]):
        return None
    rows = ApiKey.objects.using(database_alias()).filter(type=key_type, revoked_at=None)
    return rows.filter(token_digest=_digest(token)).first()


def _digest(token: str) -> str:
    """Nothing in 32 random bytes can be guessed, so no slow hash is needed; and no key of the
    shop, or a new SECRET_KEY would shut out everybody."""
    return hashlib.sha256(f"medusa_payments.api_key {token}".encode()).hexdigest()
