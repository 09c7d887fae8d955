"""Law 3: succeeded, failed or indeterminate; and no final status without its evidence."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError

from medusa_payments.errors import (
    CaptureRefused,
    PaymentIndeterminate,
    PaymentProviderUnavailable,
    RefundRefused,
)
from medusa_payments.models import Capture, PaymentSession, ProviderCall, Refund
from medusa_payments.operations.cancellations import cancel_payment
from medusa_payments.operations.captures import capture_payment
from medusa_payments.operations.refunds import refund_payment
from medusa_payments.providers.types import Failed, FailureKind, NoAnswer, Succeeded
from medusa_payments.reconciliation.sweep import reconcile_all, reconcile_due
from medusa_payments.testing.stripe_simulator import StripeSimulator

from .scenes import (
    FAKE,
    StagedProvider,
    authorized_at,
    authorized_at_stripe,
    captured_at,
    captured_at_stripe,
    collection_of,
    deliver,
    let_time_pass,
    only_call,
    only_session,
    reloaded,
    session_at,
)

pytestmark = pytest.mark.django_db(transaction=True)

TEN = Decimal("10")
NO_PROOF: dict[str, Any] = {
    "exception": ValueError("a bug in the provider"),
    "time-out": TimeoutError(),
    "no outcome at all": None,
    "not an outcome": {"status": "succeeded"},
}


@pytest.mark.parametrize("answer", NO_PROOF.values(), ids=NO_PROOF)
def test_what_proves_nothing_leaves_a_capture_indeterminate(
    answer: Any, fake: StagedProvider
) -> None:
    payment = authorized_at(fake)
    fake.script("capture_payment", answer)
    fake.script("lookup", NoAnswer())

    capture = capture_payment(payment, amount=TEN)

    assert capture is not None
    assert capture.status == "indeterminate"
    assert only_call("capture").state == "indeterminate"


def test_what_proves_nothing_leaves_a_refund_indeterminate(fake: StagedProvider) -> None:
    payment = captured_at(fake)
    fake.script("refund_payment", RuntimeError())
    fake.script("lookup", NoAnswer())

    refund = refund_payment(payment, amount=TEN)

    assert refund.status == "indeterminate"
    assert only_call("refund").state == "indeterminate"


def test_what_proves_nothing_leaves_a_cancel_indeterminate(fake: StagedProvider) -> None:
    payment = authorized_at(fake)
    fake.script("cancel_payment", RuntimeError())
    fake.script("lookup", NoAnswer())

    canceled = cancel_payment(payment)

    assert canceled.canceled_at is None
    assert only_call("cancel").state == "indeterminate"


def test_what_proves_nothing_leaves_an_initiate_indeterminate(fake: StagedProvider) -> None:
    fake.script("initiate_payment", RuntimeError())

    with pytest.raises(PaymentIndeterminate):
        session_at(FAKE)

    assert only_call("initiate").state == "indeterminate"


def test_a_lookup_that_raises_has_learned_nothing(fake: StagedProvider) -> None:
    payment = authorized_at(fake)
    fake.script("capture_payment", RuntimeError())
    fake.script("lookup", RuntimeError())

    capture_payment(payment, amount=TEN)

    assert only_call("capture").state == "indeterminate"


def test_a_lookup_that_raises_shows_nothing_absent(fake: StagedProvider) -> None:
    collection = collection_of()
    fake.script("initiate_payment", RuntimeError(), executes=True)
    with pytest.raises(PaymentIndeterminate):
        session_at(FAKE, collection)
    fake.script("lookup", RuntimeError())

    let_time_pass(days=2)
    reconcile_due()

    assert only_call("initiate").state == "indeterminate"
    assert only_session(collection).resolution == ""


# Stripe's answers


@pytest.mark.parametrize(
    "fault",
    [
        "drop_before",
        "drop_after",
        "error_500_before",
        "error_500_after",
        "html_502_before",
        "html_502_after",
        "truncated_json",
        "truncated_json_clean",
        "key_in_use",
    ],
)
def test_an_answer_of_stripe_that_proves_nothing_is_indeterminate(
    fault: str, stripe: StripeSimulator
) -> None:
    payment = captured_at_stripe(stripe)
    stripe.fault(fault, operation="refunds.create")
    stripe.fault("truncated_json_clean", operation="payment_intents.retrieve", times=None)

    refund = refund_payment(payment, amount=TEN)

    assert refund.status == "indeterminate"


def test_a_request_that_stripe_never_ran_has_failed(stripe: StripeSimulator) -> None:
    payment = captured_at_stripe(stripe)
    stripe.fault("rate_limit", operation="refunds.create")

    with pytest.raises(PaymentProviderUnavailable):
        refund_payment(payment, amount=TEN)

    assert Refund.objects.get().status == "failed"
    assert Refund.objects.get().evidence == "response"


def test_a_connection_that_was_never_made_has_failed(stripe: StripeSimulator) -> None:
    payment = captured_at_stripe(stripe)
    stripe.stop()

    with pytest.raises(PaymentProviderUnavailable):
        refund_payment(payment, amount=TEN)

    assert only_call("refund").state == "failed"


def test_a_refusal_after_a_lost_answer_proves_nothing(fake: StagedProvider) -> None:
    """429 and 401 are answered outside the provider's idempotency layer."""
    payment = captured_at(fake)
    fake.script("refund_payment", RuntimeError(), Failed(kind=FailureKind.RATE_LIMITED))
    fake.script("lookup", NoAnswer())
    refund_payment(payment, amount=TEN, request_key="click")

    refund = refund_payment(payment, amount=TEN, request_key="click")

    assert refund.status == "indeterminate"
    reconcile_all()
    assert reloaded(refund).status == "succeeded"


def test_a_refusal_is_a_promise_that_nothing_happened(fake: StagedProvider) -> None:
    payment = captured_at(fake)
    fake.script("refund_payment", Failed(kind=FailureKind.REFUSED))

    with pytest.raises(RefundRefused):
        refund_payment(payment, amount=TEN)

    assert Refund.objects.get().status == "failed"
    assert fake.payment_of(payment.payment_session_id).refunded_minor == 0


def test_a_refusal_by_the_objects_state_is_looked_up(fake_single: StagedProvider) -> None:
    """ "Already captured" means captured, not failed."""
    payment = authorized_at(fake_single, fake_single.id)
    fake_single.script("capture_payment", RuntimeError(), executes=True)
    fake_single.script("lookup", NoAnswer())
    capture_payment(payment, request_key="click")
    shown = fake_single.payment_of(payment.payment_session_id).snapshot()
    fake_single.script("capture_payment", Failed(kind=FailureKind.WRONG_STATE, payment=shown))

    capture = capture_payment(payment, request_key="click")

    assert capture is not None
    assert capture.status == "succeeded"


def test_a_refusal_by_the_objects_state_that_took_nothing_has_failed(
    fake_single: StagedProvider,
) -> None:
    payment = authorized_at(fake_single, fake_single.id)
    fake_single.payment_of(payment.payment_session_id).held_minor = 0
    fake_single.payment_of(payment.payment_session_id).state = "canceled"  # type: ignore[assignment]
    fake_single.script("capture_payment", Failed(kind=FailureKind.WRONG_STATE))

    with pytest.raises(CaptureRefused):
        capture_payment(payment)

    assert Capture.objects.get().evidence == "lookup"


# Evidence


def test_each_final_status_carries_the_evidence_of_its_door(stripe: StripeSimulator) -> None:
    by_response = captured_at_stripe(stripe)
    by_webhook = authorized_at_stripe(stripe)
    stripe.dashboard_capture(by_webhook.payment_session.provider_reference)
    deliver(stripe, stripe.events(["payment_intent.succeeded"])[-1]["id"])
    by_lookup = authorized_at_stripe(stripe)
    stripe.fault("drop_after", operation="payment_intents.capture")
    capture_payment(by_lookup)

    evidence = [
        Capture.objects.get(payment=payment).evidence
        for payment in (by_response, by_webhook, by_lookup)
    ]

    assert evidence == ["response", "webhook", "lookup"]
    assert only_call("capture", payment=by_lookup).evidence == "lookup"
    assert only_call("capture", payment=by_response).request_id.startswith("req_")


@pytest.mark.parametrize(
    ("model", "values"),
    [
        (ProviderCall, {"state": "succeeded", "evidence": ""}),
        (ProviderCall, {"state": "failed", "evidence": ""}),
        (Capture, {"status": "succeeded", "evidence": ""}),
        (Capture, {"status": "failed", "evidence": ""}),
        (Refund, {"status": "pending", "evidence": ""}),
        (Refund, {"status": "succeeded", "evidence": ""}),
        (Refund, {"status": "failed", "evidence": ""}),
        (PaymentSession, {"provider_state": "held", "evidence": ""}),
    ],
    ids=str,
)
def test_the_database_refuses_a_final_status_without_evidence(
    model: Any, values: dict[str, str], fake: StagedProvider
) -> None:
    refund_payment(captured_at(fake), amount=TEN)

    with pytest.raises(IntegrityError):
        model.objects.filter(pk=model.objects.first().pk).update(**values)


def test_an_accepted_answer_without_details_is_believed(fake: StagedProvider) -> None:
    """A provider that shows nothing of its object: its answer is the fact."""
    payment = captured_at(fake)
    fake.script("refund_payment", Succeeded())

    assert refund_payment(payment, amount=TEN).status == "succeeded"


def test_a_not_found_is_believed_only_after_the_horizon(
    fake: StagedProvider,
) -> None:
    collection = collection_of()
    fake.script("initiate_payment", RuntimeError())
    with pytest.raises(PaymentIndeterminate):
        session_at(FAKE, collection)

    reconcile_all()

    assert only_call("initiate").state == "indeterminate"
    assert only_session(collection).resolution == ""
