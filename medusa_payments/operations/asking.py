"""Asking a provider: every attempt of one call, with the same key, within its time.

No transaction is open here. The SDK's own retries are off, because they show only the last
error: a lost charge followed by a 429 would be seen as a plain rate limit.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.utils import timezone

from medusa_payments.models.recorded_call import RecordedCall
from medusa_payments.operations.calls import record_attempt
from medusa_payments.operations.tracing import sending, traced
from medusa_payments.providers.base import PaymentProvider
from medusa_payments.providers.types import (
    Failed,
    FailureKind,
    Indeterminate,
    Outcome,
    Succeeded,
)

logger = logging.getLogger("medusa_payments")

# An attempt that ended so says nothing about the attempts before it: it was answered outside the
# provider's idempotency layer, or not at all.
_SAYS_NOTHING_OF_EARLIER = (
    FailureKind.REFUSED,
    FailureKind.MISCONFIGURED,
    FailureKind.RATE_LIMITED,
    FailureKind.UNAVAILABLE,
)
_EARLIER_REQUEST = Indeterminate(
    code="earlier_request", detail="An earlier request was not answered."
)
_WORTH_REPEATING = (FailureKind.RATE_LIMITED, FailureKind.UNAVAILABLE)


def ask(
    call: RecordedCall,
    provider: PaymentProvider,
    send: Callable[[], Outcome],
    *,
    sent_before: bool = False,
) -> Outcome:
    """Send a call until it is answered or its time is over, and say what that proves.

    ``send`` makes one attempt, with the call's key; each is appended to ``call.attempts``. A call
    is failed only if no attempt was indeterminate; ``sent_before``: an earlier request with this
    key may have got through.
    """
    started = time.monotonic()
    limits = provider.capabilities
    uncertain = _EARLIER_REQUEST if sent_before else None
    for number in range(1, max(1, limits.max_attempts) + 1):
        outcome = _one_attempt(call, send)
        if isinstance(outcome, Indeterminate):
            uncertain = outcome
        verdict = _verdict(outcome, uncertain)
        pause = _pause(number)
        time_left = limits.total_budget_seconds - (time.monotonic() - started)
        if (
            not _is_worth_repeating(outcome, provider)
            or number >= limits.max_attempts
            or time_left < pause + limits.attempt_seconds
        ):
            return verdict
        time.sleep(pause)
        if not record_attempt(call, call.attempts):
            return verdict
    return verdict


def _one_attempt(call: RecordedCall, send: Callable[[], Outcome]) -> Outcome:
    sent_at = timezone.now()
    with traced(sending(call)) as request:
        outcome = _answer(call, send)
        request.ended(outcome)
    call.attempts = [*call.attempts, _attempt(call, outcome, sent_at.isoformat())]
    return outcome


def _answer(call: RecordedCall, send: Callable[[], Outcome]) -> Outcome:
    try:
        return _checked(send())
    except Exception as error:  # noqa: BLE001 - whatever escapes a provider proves nothing
        logger.warning("Provider call %s raised %s", call.pk, type(error).__name__)
        return Indeterminate(code="exception", detail=type(error).__name__, ask_again=False)


def _checked(answer: object) -> Outcome:
    """What is no outcome at all proves nothing either."""
    if isinstance(answer, Succeeded | Failed | Indeterminate):
        return answer
    return Indeterminate(code="no_outcome", ask_again=False)


def _attempt(call: RecordedCall, outcome: Outcome, sent_at: str) -> dict[str, Any]:
    return {
        "generation": call.generation,
        "idempotency_key": call.idempotency_key,
        "sent_at": sent_at,
        "answered_at": timezone.now().isoformat(),
        "outcome": type(outcome).__name__.lower(),
        "kind": outcome.kind.value if isinstance(outcome, Failed) else "",
        "code": outcome.code,
        "detail": outcome.detail,
        "request_id": outcome.request_id,
        "replayed": outcome.replayed,
        "is_server_error": isinstance(outcome, Indeterminate) and outcome.is_server_error,
    }


def _verdict(outcome: Outcome, uncertain: Indeterminate | None) -> Outcome:
    if isinstance(outcome, Failed) and uncertain and outcome.kind in _SAYS_NOTHING_OF_EARLIER:
        return replace(uncertain, payment=outcome.payment or uncertain.payment)
    return outcome


def _is_worth_repeating(outcome: Outcome, provider: PaymentProvider) -> bool:
    if not provider.capabilities.repeats_with_key:
        return False
    if isinstance(outcome, Failed):
        return outcome.kind in _WORTH_REPEATING
    return isinstance(outcome, Indeterminate) and outcome.ask_again and not outcome.key_is_spent


def _pause(number: int) -> float:
    """Exponential, with jitter so that many waiting requests do not come back at once."""
    return float(min(2.0, 0.1 * 2**number)) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter
