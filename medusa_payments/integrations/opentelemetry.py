"""A span around every request to a provider. Without an SDK the API does nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import trace

import medusa_payments
from medusa_payments.operations.tracing import ProviderRequest, watch

_NAME = "medusa_payments"
# What is not known is an error to look at; a refusal is an answer.
_ERRORS = ("unknown", "indeterminate", "noanswer")


def connect() -> None:
    watch("opentelemetry", _in_a_span)


@contextmanager
def _in_a_span(request: ProviderRequest) -> Iterator[None]:
    tracer = trace.get_tracer(_NAME, medusa_payments.__version__)
    with tracer.start_as_current_span(
        f"payments.{request.method} {request.kind}",
        kind=trace.SpanKind.CLIENT,
        attributes=_known_before(request),
    ) as span:
        yield
        span.set_attribute(f"{_NAME}.outcome", request.outcome)
        if request.code:
            span.set_attribute(f"{_NAME}.code", request.code)
        if request.outcome in _ERRORS:
            span.set_status(trace.StatusCode.ERROR, request.outcome)


def _known_before(request: ProviderRequest) -> dict[str, str | int]:
    told: dict[str, str | int] = {
        "provider": request.provider_id,
        "method": request.method,
        "kind": request.kind,
        "attempt": request.attempt,
        "call_id": request.call_id,
        "session_id": request.session_id,
    }
    return {f"{_NAME}.{name}": value for name, value in told.items() if value}
