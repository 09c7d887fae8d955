from __future__ import annotations

from decimal import Decimal

import pytest

from medusa_payments.errors import (
    CaptureExceedsCapturable,
    CaptureRefused,
    Conflict,
    InvalidAmount,
    NotAllowed,
    PaymentCanceled,
    PaymentProviderUnavailable,
    RequestKeyReused,
)
from medusa_payments.models import Capture, Payment
from medusa_payments.operations.actors import Actor
from medusa_payments.operations.cancellations import cancel_payment
from medusa_payments.operations.captures import capture_payment
from medusa_payments.providers.types import Failed, FailureKind, Indeterminate, NoAnswer
from medusa_payments.statuses import Door
from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.laws.scenes import (
    AMOUNT,
    AMOUNT_MINOR,
    SYSTEM,
    StagedProvider,
    authorized_at,
    authorized_at_stripe,
    reloaded,
    session_at,
)

pytestmark = pytest.mark.django_db(transaction=True)

PART = Decimal("40.20")


def test_without_an_amount_the_whole_payment_is_captured(stripe: StripeSimulator) -> None:
    payment = authorized_at_stripe(stripe)

    capture = capture_payment(payment)

    assert capture is not None
    assert (capture.amount, capture.status) == (AMOUNT, "succeeded")
    assert Payment.objects.get().captured_at is not None
    assert reloaded(payment.payment_collection).status == "completed"
    assert stripe.ledger()["totals"]["eur"]["kept"] == AMOUNT_MINOR


def test_a_part_is_captured_and_stripe_releases_the_rest(stripe: StripeSimulator) -> None:
    payment = authorized_at_stripe(stripe)

    capture = capture_payment(payment, amount=PART)

    assert capture is not None
    assert capture.amount_minor == 4020
    session = reloaded(payment.payment_session)
    assert (session.provider_state, session.captured_minor, session.held_minor) == (
        "captured",
        4020,
        0,
    )
    assert reloaded(payment).captured_at is None
    assert reloaded(payment.payment_collection).status == "authorized"
    with pytest.raises(NotAllowed, match="one capture"):
        capture_payment(payment, amount=Decimal("1"))


def test_parts_add_up_where_the_provider_takes_several(fake: StagedProvider) -> None:
    payment = authorized_at(fake)

    capture_payment(payment, amount=PART)
    assert reloaded(payment).captured_at is None
    capture_payment(payment, amount=AMOUNT - PART)

    assert reloaded(payment).captured_at is not None
    assert fake.payment_of(payment.payment_session_id).captured_minor == AMOUNT_MINOR


def test_a_payment_that_is_fully_captured_is_left_as_it_is(fake: StagedProvider) -> None:
    payment = authorized_at(fake)
    capture_payment(payment)

    assert capture_payment(reloaded(payment)) is None

    assert Capture.objects.count() == 1
    assert len(fake.asked_for("capture_payment")) == 1


def test_a_payment_captured_while_the_caller_did_not_know_is_too_much(
    fake: StagedProvider,
) -> None:
    """It saw an open payment and asks for all of it: that is another act, not a repetition."""
    payment = authorized_at(fake)
    seen_before = reloaded(payment)
    capture_payment(payment)

    with pytest.raises(CaptureExceedsCapturable):
        capture_payment(seen_before)

    assert len(fake.asked_for("capture_payment")) == 1


@pytest.mark.parametrize("amount", ["100.51", "1000"])
def test_no_more_is_captured_than_was_authorized(amount: str, fake: StagedProvider) -> None:
    payment = authorized_at(fake)

    with pytest.raises(CaptureExceedsCapturable):
        capture_payment(payment, amount=Decimal(amount))

    assert not Capture.objects.exists()
    assert fake.asked_for("capture_payment") == []


def test_the_whole_amount_after_a_part_is_too_much(fake: StagedProvider) -> None:
    payment = authorized_at(fake)
    capture_payment(payment, amount=PART)

    with pytest.raises(CaptureExceedsCapturable):
        capture_payment(payment)


@pytest.mark.parametrize("amount", ["0", "-1", "0.001"])
def test_an_amount_that_is_none_is_refused(amount: str, fake: StagedProvider) -> None:
    payment = authorized_at(fake)

    with pytest.raises(InvalidAmount):
        capture_payment(payment, amount=Decimal(amount))


def test_a_canceled_payment_is_not_captured(fake: StagedProvider) -> None:
    payment = authorized_at(fake)
    cancel_payment(payment)

    with pytest.raises(PaymentCanceled, match=payment.pk):
        capture_payment(payment)


def test_a_refused_capture_took_nothing(fake: StagedProvider) -> None:
    payment = authorized_at(fake)
    fake.script("capture_payment", Failed(kind=FailureKind.REFUSED, code="why"))

    with pytest.raises(CaptureRefused):
        capture_payment(payment)

    capture = Capture.objects.get()
    assert (capture.status, capture.evidence) == ("failed", "response")
    assert reloaded(payment.payment_collection).captured_minor == 0


@pytest.mark.parametrize(
    "kind", [FailureKind.RATE_LIMITED, FailureKind.UNAVAILABLE, FailureKind.MISCONFIGURED]
)
def test_an_unreachable_provider_is_told_apart(kind: FailureKind, fake: StagedProvider) -> None:
    payment = authorized_at(fake)
    fake.script("capture_payment", Failed(kind=kind))

    with pytest.raises(PaymentProviderUnavailable):
        capture_payment(payment)

    assert capture_payment(payment) is not None


def test_an_expired_hold_cannot_be_captured(stripe: StripeSimulator) -> None:
    payment = authorized_at_stripe(stripe)
    stripe.expire_authorization(payment.payment_session.provider_reference)

    with pytest.raises(CaptureRefused):
        capture_payment(payment)

    assert reloaded(payment).canceled_at is not None
    assert reloaded(payment.payment_collection).authorized_minor == 0


# Request keys


def test_one_key_is_one_act(fake: StagedProvider) -> None:
    payment = authorized_at(fake)

    first, second = (capture_payment(payment, amount=PART, request_key="k") for _ in range(2))

    assert first == second
    assert len(fake.asked_for("capture_payment")) == 1


def test_two_keys_are_two_acts(fake: StagedProvider) -> None:
    payment = authorized_at(fake)

    first, second = (capture_payment(payment, amount=PART, request_key=key) for key in "ab")

    assert first != second
    assert len(fake.asked_for("capture_payment")) == 2


def test_a_key_is_not_used_for_another_amount(fake: StagedProvider) -> None:
    payment = authorized_at(fake)
    capture_payment(payment, amount=PART, request_key="k")

    with pytest.raises(RequestKeyReused):
        capture_payment(payment, amount=Decimal("1"), request_key="k")

    assert len(fake.asked_for("capture_payment")) == 1


def test_a_key_whose_act_is_in_flight_is_a_conflict(fake: StagedProvider) -> None:
    payment = authorized_at(fake)
    refused: list[type[Exception]] = []

    def click_again(request: object) -> None:
        try:
            capture_payment(payment, request_key="k")
        except Conflict as error:
            refused.append(type(error))

    fake.before["capture_payment"] = click_again
    capture_payment(payment, request_key="k")

    assert refused == [Conflict]
    assert Capture.objects.count() == 1


def test_a_key_takes_an_uncertain_act_up(fake: StagedProvider) -> None:
    payment = authorized_at(fake)
    fake.script("capture_payment", Indeterminate(), executes=True)
    fake.script("lookup", NoAnswer())
    first = capture_payment(payment, request_key="one")

    second = capture_payment(payment, request_key="two")

    assert second == first
    assert second is not None
    assert second.status == "succeeded"
    assert fake.payment_of(payment.payment_session_id).captured_minor == AMOUNT_MINOR


def test_who_captured_is_kept(fake: StagedProvider) -> None:
    capture = capture_payment(authorized_at(fake), actor=Actor("anna", Door.ADMIN))

    assert capture is not None
    assert capture.created_by == "anna"


def test_a_capture_somebody_made_elsewhere_is_recorded_as_such(stripe: StripeSimulator) -> None:
    payment = authorized_at_stripe(stripe)
    stripe.dashboard_capture(payment.payment_session.provider_reference, 4000)

    with pytest.raises((CaptureRefused, NotAllowed)):
        capture_payment(payment, amount=PART)

    rows = Capture.objects.order_by("amount_minor").values_list(
        "amount_minor", "status", "is_external"
    )
    assert list(rows) == [(4000, "succeeded", True), (4020, "failed", False)]


def test_the_system_provider_captures_in_parts(shop: object) -> None:
    from medusa_payments.operations.authorizations import authorize_payment_session

    payment = authorize_payment_session(session_at(SYSTEM))
    assert payment is not None

    capture_payment(payment, amount=PART)
    capture_payment(payment, amount=AMOUNT - PART)

    assert reloaded(payment).captured_at is not None
    assert reloaded(payment.payment_collection).status == "completed"
