"""What Stripe's refusals, and its silences, mean."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from typing import Any

import stripe
import urllib3

from medusa_payments.providers.stripe.answers import AnswerHeaders
from medusa_payments.providers.stripe.snapshots import UnreadableAnswer, payment_of
from medusa_payments.providers.types import (
    Failed,
    FailureKind,
    Indeterminate,
    Outcome,
    ProviderPayment,
)

# Raised before the request is written: no connection, no address, a stranger's certificate.
_NOTHING_WRITTEN = (
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    ssl.SSLCertVerificationError,
)

# The object's state refused the request.
_WRONG_STATE_CODES = frozenset(
    (
        "capture_charge_authorization_expired",
        "charge_already_captured",
        "charge_already_refunded",
        "charge_disputed",
        "charge_expired_for_capture",
        "payment_intent_unexpected_state",
        "refund_disputed_payment",
    )
)

# Refusals that do not say whether the request, or an earlier one with its key, was executed:
# time-out, key in use, failed dependency.
_UNCERTAIN_STATUSES = frozenset((408, 409, 424))

_KINDS: dict[type[stripe.StripeError], FailureKind] = {
    stripe.CardError: FailureKind.DECLINED,
    stripe.AuthenticationError: FailureKind.MISCONFIGURED,
    stripe.PermissionError: FailureKind.MISCONFIGURED,
    stripe.RateLimitError: FailureKind.RATE_LIMITED,
}

_SERVER_ERROR = 500  # from here on
_OF_THE_WHOLE = (stripe.RateLimitError, stripe.AuthenticationError, stripe.PermissionError)


def outcome_of(error: Exception) -> Outcome:
    """The outcome of a request that ended in an exception. What proves nothing is indeterminate."""
    if nothing_was_written(error):
        return Failed(kind=FailureKind.UNAVAILABLE, code="not_connected", detail=_root_name(error))
    if not isinstance(error, stripe.StripeError):
        return Indeterminate(code="unreadable_answer", detail=type(error).__name__)
    if isinstance(error, stripe.IdempotencyError):
        return _idempotency_error(error)
    if _is_refusal(error):
        return _refused(error)
    return _no_clear_answer(error)


def nothing_was_written(error: Exception) -> bool:
    """Whether the chain of causes shows that the request never left."""
    return any(isinstance(cause, _NOTHING_WRITTEN) for cause in _causes(error))


def code_of(error: Exception) -> str:
    """Stripe's code of an error. ``error.code`` is none for a 409, so the body is asked."""
    return str(_body(error).get("code") or _body(error).get("type") or "")


def safe_detail(error: Exception) -> str:
    """The error's class and code, never its message: that may hold the customer's data."""
    name = (
        _root_name(error) if isinstance(error, stripe.APIConnectionError) else type(error).__name__
    )
    return " ".join(part for part in (name, code_of(error)) if part)


def is_outage(error: Exception) -> bool:
    """Whether it says nothing about the object that was read, but about Stripe or our key."""
    if not isinstance(error, stripe.StripeError):
        return False
    return (error.http_status or 500) >= _SERVER_ERROR or isinstance(error, _OF_THE_WHOLE)


def is_missing(error: stripe.StripeError) -> bool:
    """Whether Stripe says that there is no object of that id."""
    return error.http_status == 404 and code_of(error) == "resource_missing"


def _is_refusal(error: stripe.StripeError) -> bool:
    """A 4xx in Stripe's own form; a proxy's page is none."""
    status = error.http_status or 0
    return bool(_body(error)) and 400 <= status < 500 and status not in _UNCERTAIN_STATUSES


def _refused(error: stripe.StripeError) -> Failed:
    headers = _headers(error)
    code = code_of(error)
    kind = _KINDS.get(type(error), FailureKind.REFUSED)
    if code in _WRONG_STATE_CODES and kind is FailureKind.REFUSED:
        kind = FailureKind.WRONG_STATE
    return Failed(
        kind=kind,
        request_id=headers.request_id,
        code=code,
        decline_code=str(_body(error).get("decline_code") or ""),
        detail=safe_detail(error),
        replayed=headers.replayed,
        payment=_payment_in(error, headers),
    )


def _idempotency_error(error: stripe.StripeError) -> Indeterminate:
    """Our defect: the key was used with other arguments. What the first request did counts."""
    return Indeterminate(
        request_id=_headers(error).request_id,
        code="idempotency_error",
        detail=safe_detail(error),
        ask_again=False,
    )


def _no_clear_answer(error: stripe.StripeError) -> Indeterminate:
    """A stored 5xx comes back for the same key until the key is forgotten."""
    headers = _headers(error)
    return Indeterminate(
        request_id=headers.request_id,
        code=code_of(error) or _code_of_silence(error),
        detail=safe_detail(error),
        replayed=headers.replayed,
        key_is_spent=headers.replayed,
        ask_again=not headers.replayed,
        is_server_error=(error.http_status or 0) >= _SERVER_ERROR,
    )


def _code_of_silence(error: stripe.StripeError) -> str:
    return f"http_{error.http_status}" if error.http_status else "no_answer"


def _payment_in(error: stripe.StripeError, headers: AnswerHeaders) -> ProviderPayment | None:
    intent = _body(error).get("payment_intent")
    if not isinstance(intent, Mapping):
        return None
    try:
        return payment_of(intent, observed_at=headers.observed_at(intent))
    except UnreadableAnswer:
        return None


def _body(error: Exception) -> Mapping[str, Any]:
    """The ``error`` of Stripe's answer; empty when the answer is not in Stripe's form."""
    body = getattr(error, "json_body", None)
    found = body.get("error") if isinstance(body, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _headers(error: stripe.StripeError) -> AnswerHeaders:
    """For a body that is no JSON the SDK puts the headers where the body belongs."""
    misplaced = error.json_body if isinstance(error.json_body, Mapping) and not _body(error) else {}
    return AnswerHeaders.read(error.headers or misplaced)


def _root_name(error: Exception) -> str:
    return type(list(_causes(error))[-1]).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and what it was raised from.

    Not ``__context__``: that may be whatever the caller was handling when it asked us.
    requests and urllib3 keep the cause in their first argument and in ``reason``.
    """
    seen: list[BaseException] = []
    cause: Any = error
    while isinstance(cause, BaseException) and cause not in seen:
        yield cause
        seen.append(cause)
        candidates = (getattr(cause, "reason", None), *cause.args[:1], cause.__cause__)
        cause = next((each for each in candidates if isinstance(each, BaseException)), None)
