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
from medusa_payments.redaction import CLIENT_SECRET


def kept(data: Any) -> str:
    """The answer's JSON without secrets."""
    answer = json.loads(JsonRenderer().render(data), parse_float=Decimal)
    for session in _sessions_with_secret(answer):
        session["data"][CLIENT_SECRET] = None
    return JsonRenderer().render(answer).decode()


def sent_again(text: str) -> Any:
    """The kept answer with the secrets of sessions that are still live."""
    answer = json.loads(text, parse_float=Decimal)
    sessions = list(_sessions_with_secret(answer))
    secrets = _live_secrets([session["id"] for session in sessions]) if sessions else {}
    for session in sessions:
        if secret := secrets.get(session["id"]):
            session["data"][CLIENT_SECRET] = secret
        else:
            del session["data"][CLIENT_SECRET]
    return answer


def _sessions_with_secret(answer: Any) -> Iterator[dict[str, Any]]:
    """Only where an answer hands a secret out (``collection_answers``): what a session's data says
    further down came from its buyer."""
    collection = answer.get("payment_collection") if isinstance(answer, dict) else None
    for session in (collection or {}).get("payment_sessions", ()):
        if CLIENT_SECRET in (session.get("data") or {}):
            yield session


def _live_secrets(session_ids: list[str]) -> dict[str, Any]:
    rows = stored(PaymentSession).filter(pk__in=session_ids)
    return {
        session.pk: session.data[CLIENT_SECRET] for session in rows if CLIENT_SECRET in session.data
    }
