"""Our errors as HTTP: one table from error class to status and type (CONTRACT section 2)."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http.multipartparser import MultiPartParserError
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.response import Response

from medusa_payments.errors import (
    AccountHolderIndeterminate,
    Conflict,
    InvalidData,
    MedusaPaymentsError,
    NotAllowed,
    NotFound,
    PaymentDeclined,
    PaymentIndeterminate,
    PaymentProviderUnavailable,
    Unauthorized,
    WebhookRejected,
)
from medusa_payments.ids import new_id

logger = logging.getLogger("medusa_payments")


class WebhookNotStored(MedusaPaymentsError):
    """The event could not be stored. Send it again."""

    code = "webhook_not_stored"

    retry_after: int = 5


@dataclass(frozen=True)
class Answer:
    """``type`` is empty where Medusa sends only a message."""

    status: int
    type: str
    code: str = ""


# The first class of an error's ancestors that stands here decides.
ANSWERS: dict[type[Exception], Answer] = {
    AuthenticationFailed: Answer(401, ""),
    Unauthorized: Answer(401, "unauthorized"),
    PermissionDenied: Answer(403, "forbidden"),
    SuspiciousOperation: Answer(400, "invalid_data"),  # more than the shop's settings allow
    # A form that Django cannot read: it looks for a CSRF token there.
    BadRequest: Answer(400, "invalid_data"),
    MultiPartParserError: Answer(400, "invalid_data"),
    InvalidData: Answer(400, "invalid_data"),
    WebhookRejected: Answer(400, "invalid_data"),
    NotAllowed: Answer(400, "not_allowed"),
    NotFound: Answer(404, "not_found"),
    Conflict: Answer(409, "conflict", "invalid_state_error"),
    PaymentDeclined: Answer(422, "payment_authorization_error"),
    PaymentProviderUnavailable: Answer(
        503, "payment_provider_unavailable", "payment_provider_unavailable"
    ),
    PaymentIndeterminate: Answer(503, "payment_indeterminate", "payment_indeterminate"),
    AccountHolderIndeterminate: Answer(
        503, "account_holder_indeterminate", "account_holder_indeterminate"
    ),
    WebhookNotStored: Answer(503, "database_error", "api_error"),
}
UNEXPECTED = Answer(500, "unknown_error", "unknown_error")
# Facts of an error that the caller can use.
TOLD_WITH_503 = ("session_id",)


def answer_to_error(error: Exception, context: dict[str, Any]) -> Response:
    """DRF's exception handler. What is not in the table is our defect and tells nothing."""
    known = next((ANSWERS[cls] for cls in type(error).__mro__ if cls in ANSWERS), None)
    if known is None:
        return _unexpected(error)
    body = {"type": known.type, "code": known.code, "message": _message(error)}
    headers = {}
    if retry_after := getattr(error, "retry_after", 0):
        headers["Retry-After"] = str(retry_after)
    if known.status == 503:
        body |= {name: getattr(error, name, "") for name in TOLD_WITH_503}
    return Response(
        {name: value for name, value in body.items() if value},
        status=known.status,
        headers=headers,
    )


def _message(error: Exception) -> str:
    return str(getattr(error, "message", "") or getattr(error, "detail", error))


def _unexpected(error: Exception) -> Response:
    reference = new_id("err")
    logger.error("Unexpected error %s", reference, exc_info=error)
    return Response(
        {
            "code": UNEXPECTED.code,
            "type": UNEXPECTED.type,
            "message": f"An unknown error occurred. Reference: {reference}",
            "reference": reference,
        },
        status=UNEXPECTED.status,
    )
