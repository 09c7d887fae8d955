"""Answers as they are kept: without a session's client_secret, which stays in the live session.

It comes back from there when the answer is sent again, so that whoever reads the table can finish
no payment, and nobody can finish a session that is over.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from medusa_payments.api.renderers import JsonRenderer
from medusa_payments.api.shapes import stored
from medusa_payments.models import PaymentSession

_SECRET = "client_secret"  # noqa: S105 - the name of it


def kept(data: Any) -> str:
    """The answer's JSON without secrets."""
    answer = json.loads(JsonRenderer().render(data), parse_float=Decimal)
    for holder in _holders(answer):
        holder[_SECRET] = None
    return JsonRenderer().render(answer).decode()


def sent_again(text: str) -> Any:
    """The kept answer with the secrets of sessions that are still live."""
    answer = json.loads(text, parse_float=Decimal)
    holders = list(_holders(answer))
    secrets = _live_secrets({str(holder.get("id")) for holder in holders}) if holders else {}
    for holder in holders:
        if secret := secrets.get(str(holder.get("id"))):
            holder[_SECRET] = secret
        else:
            del holder[_SECRET]
    return answer


def _holders(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in it that holds a secret."""
    if isinstance(value, dict):
        if _SECRET in value:
            yield value
        for each in value.values():
            yield from _holders(each)
    elif isinstance(value, list):
        for each in value:
            yield from _holders(each)


def _live_secrets(references: set[str]) -> dict[str, str]:
    """Of live sessions, by the provider's id that stands beside the secret."""
    rows = stored(PaymentSession).filter(provider_reference__in=references)
    return {
        session.provider_reference: session.data[_SECRET]
        for session in rows
        if _SECRET in session.data
    }
