"""What a call's attempts prove about its idempotency key, and what the key can still do.

Only attempts with the key of the present generation count.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from medusa_payments.models.recorded_call import RecordedCall
from medusa_payments.operations.schedule import believable_from
from medusa_payments.providers.registry import get_provider
from medusa_payments.providers.types import FailureKind

_TWICE = 2
_FINAL_FOR_THE_KEY = (FailureKind.WRONG_STATE.value, FailureKind.DECLINED.value)
# A refusal of these kinds says that the request never ran; it may be sent again.
_DID_NOT_RUN = (FailureKind.RATE_LIMITED.value, FailureKind.UNAVAILABLE.value)


def key_works(call: RecordedCall, *, now: datetime) -> bool:
    """Whether sending the same key can still make the call happen."""
    if call.key_is_spent or (is_past_horizon(call, now=now) and _only_repeats_an_error(call)):
        return False
    retention = get_provider(call.provider_id).capabilities.key_retention_seconds
    first = call.first_sent_at
    return not retention or first is None or now < first + timedelta(seconds=retention)


def is_past_horizon(call: RecordedCall, *, now: datetime) -> bool:
    """Whether a listing without the call's object, asked for at ``now``, is believed."""
    return now >= believable_from(call.last_sent_at or call.created_at)


def last_kind(call: RecordedCall) -> str:
    """How the last answer for the key refused; empty if it did not."""
    own = _own_attempts(call)
    return str(own[-1]["kind"]) if own else ""


def was_refused(call: RecordedCall) -> bool:
    """Whether the provider's last answer for this key proves that it will not happen.

    Some refusals are given outside the provider's idempotency layer and say nothing of an attempt
    before them that was not answered: that one may still be on its way.
    """
    if last_kind(call) in _FINAL_FOR_THE_KEY:
        return True
    was_lost = any(each["outcome"] == "indeterminate" for each in _own_attempts(call))
    return was_refused_at_last(call) and not was_lost


def was_refused_at_last(call: RecordedCall) -> bool:
    """Whether the last request for the key ran, and was refused."""
    kind = last_kind(call)
    return bool(kind) and kind not in _DID_NOT_RUN


def _only_repeats_an_error(call: RecordedCall) -> bool:
    """Whether every request got a server error, as a provider that replays a stored one without
    saying so answers."""
    own = _own_attempts(call)
    return len(own) >= _TWICE and all(each["is_server_error"] for each in own)


def _own_attempts(call: RecordedCall) -> list[dict[str, Any]]:
    return [each for each in call.attempts if each["generation"] == call.generation]
