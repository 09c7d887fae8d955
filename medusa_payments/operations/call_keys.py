"""What a call's attempts prove about its idempotency key, and what the key can still do."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from medusa_payments.models.recorded_call import RecordedCall
from medusa_payments.operations.schedule import believable_from
from medusa_payments.providers.registry import get_provider
from medusa_payments.providers.types import FailureKind

_TWICE = 2
# A refusal of these kinds says that the request never ran; it may be sent again.
_DID_NOT_RUN = (FailureKind.RATE_LIMITED.value, FailureKind.UNAVAILABLE.value)


def key_works(call: RecordedCall, *, now: datetime) -> bool:
    """Whether sending the same key can still make the call happen, and only once."""
    capabilities = get_provider(call.provider_id).capabilities
    if not capabilities.repeats_with_key or call.key_is_spent:
        return False
    if is_past_horizon(call, now=now) and _only_repeats_an_error(call):
        return False
    first, retention = call.first_sent_at, capabilities.key_retention_seconds
    return not retention or first is None or now < first + timedelta(seconds=retention)


def is_past_horizon(call: RecordedCall, *, now: datetime) -> bool:
    """Whether a listing without the call's object is believed."""
    return now >= believable_from(call.last_sent_at or call.created_at)


def was_refused_at_last(call: RecordedCall) -> bool:
    """Whether the last answer for the key was a refusal of a request that ran."""
    attempts = _own_attempts(call)
    kind = attempts[-1]["kind"] if attempts else ""
    return bool(kind) and kind not in _DID_NOT_RUN


def _only_repeats_an_error(call: RecordedCall) -> bool:
    """Whether every request got a server error, as a provider that replays a stored one without
    saying so answers."""
    attempts = _own_attempts(call)
    return len(attempts) >= _TWICE and all(each["is_server_error"] for each in attempts)


def _own_attempts(call: RecordedCall) -> list[dict[str, Any]]:
    return [each for each in call.attempts if each["generation"] == call.generation]
