"""A span around every request to a provider, kept by the SDK's own exporter."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from medusa_payments.errors import MedusaPaymentsError
from medusa_payments.models import PaymentSession, ProviderCall
from medusa_payments.reconciliation.sweep import reconcile_all
from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.laws.fixtures import shop, stripe
from tests.laws.scenes import CONFIRMED, STRIPE, captured_at_stripe, session_at

__all__ = ["shop", "stripe"]

pytestmark = pytest.mark.django_db

_EXPORTER = InMemorySpanExporter()


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    """OpenTelemetry takes one provider a process, for ever."""
    if not isinstance(trace.get_tracer_provider(), TracerProvider):
        made = TracerProvider()
        made.add_span_processor(SimpleSpanProcessor(_EXPORTER))
        trace.set_tracer_provider(made)
    _EXPORTER.clear()
    yield _EXPORTER
    _EXPORTER.clear()


def named(spans: InMemorySpanExporter, name: str) -> list[Any]:
    return [each for each in spans.get_finished_spans() if each.name == name]


def test_a_request_is_a_span_with_its_call_and_outcome(
    stripe: StripeSimulator, spans: InMemorySpanExporter
) -> None:
    payment = captured_at_stripe(stripe)

    (span,) = named(spans, "payments.send capture")
    call = ProviderCall.objects.get(kind="capture")
    assert span.kind == trace.SpanKind.CLIENT
    assert dict(span.attributes) == {
        "medusa_payments.provider": STRIPE,
        "medusa_payments.method": "send",
        "medusa_payments.kind": "capture",
        "medusa_payments.attempt": 1,
        "medusa_payments.call_id": call.pk,
        "medusa_payments.session_id": payment.payment_session_id,
        "medusa_payments.outcome": "succeeded",
    }


def test_a_lost_answer_is_an_error_and_its_lookup_a_span(
    stripe: StripeSimulator, spans: InMemorySpanExporter
) -> None:
    stripe.fault("drop_after", "payment_intents.create", times=None)
    with suppress(MedusaPaymentsError):
        session_at(STRIPE, **CONFIRMED)
    stripe.clear_faults()
    reconcile_all()

    (sent,) = named(spans, "payments.send initiate")
    assert not sent.status.is_ok
    assert sent.attributes["medusa_payments.outcome"] == "indeterminate"
    assert [each for each in spans.get_finished_spans() if "look_up" in each.name]


def test_no_span_holds_a_secret(stripe: StripeSimulator, spans: InMemorySpanExporter) -> None:
    session = session_at(STRIPE)
    secret = PaymentSession.objects.get(pk=session.pk).data["client_secret"]

    text = "".join(each.to_json() for each in spans.get_finished_spans())
    assert spans.get_finished_spans()
    assert secret not in text
    assert "sk_test" not in text
