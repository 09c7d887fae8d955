"""Answers that refuse, from the table of errors: a schema for each status, and who sends it."""

from __future__ import annotations

from collections.abc import Iterable

from django.core.exceptions import SuspiciousOperation
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.views import APIView

from medusa_payments.api.errors import ANSWERS, TOLD_WITH_503, UNEXPECTED, Answer
from medusa_payments.api.keyed_posts import KeyedPosts
from medusa_payments.api.openapi.components import reference
from medusa_payments.api.permissions import RoutePermission
from medusa_payments.api.shapes.schemas import Schema
from medusa_payments.errors import Conflict, InvalidData, NotAllowed

_RETRY_AFTER: Schema = {
    "Retry-After": {
        "description": "Seconds until it is worth asking again; absent where it never is.",
        "schema": {"type": "integer", "minimum": 1},
    }
}
_STATUSES_TO_RETRY = (409, 503)
# Status -> name of its schema, and what it says.
_NAMES = {
    400: ("RequestRefused", "The request is wrong, or the state of the record does not allow it."),
    401: ("NotAuthenticated", "No valid credential."),
    403: ("NotPermitted", "The member of the staff lacks the permission that the message names."),
    404: ("NotFound", "There is none."),
    409: ("Conflict", "Another request does this now, or the Idempotency-Key was for another one."),
    422: ("Declined", "Declined; nothing was taken."),
    500: ("Fault", "Our own defect. The log has more, under the reference."),
    503: ("Unavailable", "The provider was not reached or did not answer; the code says which."),
}


def of_every(view: APIView, method: str) -> list[type[Exception]]:
    """What any route of its kind may refuse."""
    found: list[type[Exception]] = [InvalidData, SuspiciousOperation]
    if any(isinstance(each, RoutePermission) for each in view.get_permissions()):
        found += [AuthenticationFailed, PermissionDenied]
    elif view.get_authenticators():
        found.append(NotAllowed)
    if is_keyed(view, method):
        found.append(Conflict)
    return found


def is_keyed(view: APIView, method: str) -> bool:
    """Whether it takes an Idempotency-Key."""
    return isinstance(view, KeyedPosts) and method == "POST"


def answers_to(errors: Iterable[type[Exception]]) -> dict[str, Schema]:
    statuses = {ANSWERS[error].status for error in errors}
    return {str(status): _answer(status) for status in sorted({*statuses, UNEXPECTED.status})}


def _answer(status: int) -> Schema:
    answer: Schema = {
        "description": _NAMES[status][1],
        "content": {"application/json": {"schema": reference(_name_of(status))}},
    }
    return answer | ({"headers": _RETRY_AFTER} if status in _STATUSES_TO_RETRY else {})


def schemas_of_errors() -> dict[str, Schema]:
    statuses = sorted({answer.status for answer in _all_answers()})
    return {_name_of(status): _schema_of(status) for status in statuses}


def _name_of(status: int) -> str:
    return f"Error{_NAMES[status][0]}"


def _schema_of(status: int) -> Schema:
    answers = [each for each in _all_answers() if each.status == status]
    properties: Schema = {"message": {"type": "string"}}
    for name in ("type", "code"):
        if words := sorted({getattr(each, name) for each in answers} - {""}):
            properties[name] = {"type": "string", "enum": words}
    more = {503: TOLD_WITH_503, 500: ("reference",)}.get(status, ())
    properties |= {name: {"type": "string"} for name in more}
    always = [
        name for name in ("type", "code", "message") if all(getattr(e, name, "-") for e in answers)
    ]
    return {"type": "object", "properties": properties, "required": always}


def _all_answers() -> list[Answer]:
    return [*ANSWERS.values(), UNEXPECTED]
