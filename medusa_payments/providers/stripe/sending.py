"""Sending one request that changes something at Stripe, and what its answer proves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import stripe

from medusa_payments.errors import InvalidData
from medusa_payments.providers.stripe.answers import AnswerHeaders
from medusa_payments.providers.stripe.errors import outcome_of
from medusa_payments.providers.types import (
    Failed,
    FailureKind,
    Indeterminate,
    Outcome,
    Succeeded,
)

Reader = Callable[[dict[str, Any], AnswerHeaders], Succeeded]


def asked(send: Callable[[], stripe.StripeObject], *, read: Reader) -> Outcome:
    """Send one request. What Stripe cannot take is refused before it is sent."""
    try:
        answer = send()
        headers = AnswerHeaders.read(answer.last_response.headers if answer.last_response else None)
    except InvalidData as error:
        return Failed(kind=FailureKind.REFUSED, code=error.code, detail=error.message)
    except Exception as error:  # noqa: BLE001 - what proves nothing is indeterminate
        return outcome_of(error)
    try:
        return read(answer.to_dict(), headers)
    except Exception as error:  # noqa: BLE001 - Stripe said 200, to what we cannot tell
        return Indeterminate(
            request_id=headers.request_id, code="unreadable_answer", detail=type(error).__name__
        )


def named(reference: str) -> str:
    """:raises InvalidData: nothing is named."""
    if not reference:
        raise InvalidData("It has no reference at Stripe.")
    return reference
