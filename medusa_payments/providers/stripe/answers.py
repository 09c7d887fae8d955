"""What the headers of an answer tell beside its body."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any


@dataclass(frozen=True, kw_only=True)
class AnswerHeaders:
    request_id: str
    replayed: bool  # a stored answer of an earlier request with the same key
    answered_at: datetime  # by Stripe's clock, as the `created` of events is

    @classmethod
    def read(cls, headers: Mapping[str, Any] | None) -> AnswerHeaders:
        named = {str(name).lower(): value for name, value in (headers or {}).items()}
        return cls(
            request_id=str(named.get("request-id") or ""),
            replayed=str(named.get("idempotent-replayed")).lower() == "true",
            answered_at=_time_of(named.get("date")),
        )

    def observed_at(self, body: Mapping[str, Any]) -> datetime:
        """When the body was true. A replayed one is as old as its first answer, whose time is not
        told, but it is no older than the object."""
        created = body.get("created")
        if self.replayed and isinstance(created, int):
            return datetime.fromtimestamp(created, UTC)
        return self.answered_at


def _time_of(date: Any) -> datetime:
    now = datetime.now(UTC)
    try:
        return parsedate_to_datetime(date).astimezone(UTC)
    except (TypeError, ValueError):
        return now
