"""Stripe's refusals, in Stripe's words."""

from typing import Any

JsonObject = dict[str, Any]


class ApiError(Exception):
    """An answer other than 200.

    `is_stored` tells whether the idempotency layer keeps it: what was refused before execution
    began is not kept, so that the same key may be used again.
    """

    def __init__(self, status: int, error: JsonObject, *, is_stored: bool) -> None:
        super().__init__(error.get("message", ""))
        self.status = status
        self.error = error
        self.is_stored = is_stored

    @property
    def body(self) -> JsonObject:
        return {"error": self.error}


def invalid_parameter(message: str, *, param: str, code: str | None = None) -> ApiError:
    """A validation error: nothing was executed."""
    return ApiError(400, _invalid_request(message, code=code, param=param), is_stored=False)


def missing_parameter(name: str) -> ApiError:
    return invalid_parameter(
        f"Missing required param: {name}.", param=name, code="parameter_missing"
    )


def unknown_parameter(name: str) -> ApiError:
    return invalid_parameter(
        f"Received unknown parameter: {name}", param=name, code="parameter_unknown"
    )


def refused(
    message: str, *, code: str | None = None, param: str | None = None, **objects: Any
) -> ApiError:
    """The request was understood and executed, and the state of things does not allow it."""
    return ApiError(
        400, _invalid_request(message, code=code, param=param) | objects, is_stored=True
    )


def unexpected_state(message: str, intent: JsonObject) -> ApiError:
    return refused(message, code="payment_intent_unexpected_state", payment_intent=intent)


def missing_resource(noun: str, identifier: str, *, param: str, status: int = 404) -> ApiError:
    """A path names nothing (404, kept) or a parameter does (400, a validation error)."""
    error = _invalid_request(
        f"No such {noun}: '{identifier}'", code="resource_missing", param=param
    )
    return ApiError(status, error, is_stored=status == 404)


def unknown_url(method: str, path: str) -> ApiError:
    message = f"Unrecognized request URL ({method}: {path})."
    return ApiError(404, _invalid_request(message), is_stored=False)


def card_error(
    message: str, *, code: str, decline_code: str | None = None, **objects: Any
) -> ApiError:
    error: JsonObject = {"type": "card_error", "code": code, "message": message}
    if decline_code:
        error["decline_code"] = decline_code
    return ApiError(402, error | objects, is_stored=True)


def authentication_error(message: str, *, code: str | None = None) -> ApiError:
    return ApiError(401, _invalid_request(message, code=code), is_stored=False)


def rate_limited() -> ApiError:
    message = (
        "Request rate limit exceeded. You can learn more about rate limits in the documentation."
    )
    return ApiError(429, _invalid_request(message, code="rate_limit"), is_stored=False)


def server_error() -> ApiError:
    message = "An unknown error occurred"
    return ApiError(500, {"type": "api_error", "message": message}, is_stored=True)


def key_in_use(key: str) -> ApiError:
    message = (
        "There is currently another in-progress request using this Idempotent Key (that probably "
        f"means you submitted twice, and the other request is still going through): {key}. Please "
        "try again later."
    )
    error = {"type": "idempotency_error", "code": "idempotency_key_in_use", "message": message}
    return ApiError(409, error, is_stored=False)


def key_reused(key: str) -> ApiError:
    message = (
        "Keys for idempotent requests can only be used with the same parameters they were first "
        f"used with. Try using a key other than '{key}' if you meant to execute a different "
        "request."
    )
    return ApiError(400, {"type": "idempotency_error", "message": message}, is_stored=False)


def _invalid_request(
    message: str, *, code: str | None = None, param: str | None = None
) -> JsonObject:
    error: JsonObject = {"type": "invalid_request_error", "message": message}
    if code:
        error["code"] = code
    if param:
        error["param"] = param
    return error
