"""Ids that look like Stripe's: a prefix and a random tail."""

import secrets
import string

_ALPHABET = string.ascii_letters + string.digits


def new_id(prefix: str) -> str:
    return f"{prefix}_{random_tail(24)}"


def client_secret(owner_id: str) -> str:
    return f"{owner_id}_secret_{random_tail(25)}"


def random_tail(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
