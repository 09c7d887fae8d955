"""Law 5: a session whose initiate is indeterminate is set aside, and only such a one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from medusa_payments import errors, signals
from medusa_payments.errors import PaymentIndeterminate, PaymentProviderUnavailable
from medusa_payments.models import Payment, PaymentSession
from medusa_payments.operations.authorizations import authorize_payment_session
from medusa_payments.operations.cancellations import cancel_payment
from medusa_payments.operations.captures import capture_payment
from medusa_payments.operations.refunds import refund_payment
from medusa_payments.providers.types import Indeterminate, NoAnswer
from medusa_payments.reconciliation.sweep import reconcile_all
from medusa_payments.testing.stripe_simulator import StripeSimulator

from .scenes import (
    FAKE,
    STRIPE,
    StagedProvider,
    authorized_at,
    captured_at,
    collection_of,
    deliver,
    listening,
    only_call,
    only_session,
    reloaded,
    session_at,
)

pytestmark = pytest.mark.django_db(transaction=True)

TEN = Decimal("10")


def test_the_error_is_no_kind_of_failure() -> None:
    """Whoever catches a failure, to say "nothing was taken", must not catch this."""
    failures = [
        error
        for error in vars(errors).values()
        if isinstance(error, type) and issubclass(error, errors.MedusaPaymentsError)
    ]

    assert [each for each in failures if issubclass(PaymentIndeterminate, each)] == [
        errors.MedusaPaymentsError,
        PaymentIndeterminate,
    ]
    assert not [
        each
        for each in failures
        if issubclass(each, PaymentIndeterminate) and each is not PaymentIndeterminate
    ]
    assert "try again" in str(PaymentIndeterminate())


def test_a_lost_initiate_sets_its_session_aside_with_its_evidence(
    stripe: StripeSimulator,
) -> None:
    collection = collection_of()
    stripe.fault("drop_after", operation="payment_intents.create")

    with pytest.raises(PaymentIndeterminate) as caught:
        session_at(STRIPE, collection)

    session, call = only_session(collection), only_call("initiate")
    assert caught.value.session_id == session.pk
    assert caught.value.provider_id == STRIPE
    assert session.deleted is not None
    assert (session.deleted_reason, session.indeterminate, session.resolution) == (
        "indeterminate",
        True,
        "",
    )
    assert session.live_collection_id is None
    assert call.state == "indeterminate"
    assert call.next_attempt_at is not None
    assert [attempt["outcome"] for attempt in call.attempts] == ["indeterminate"]
    assert not PaymentSession.objects.exists()


def test_the_buyer_may_start_again_at_once(stripe: StripeSimulator) -> None:
    collection = collection_of()
    stripe.fault("drop_after", operation="payment_intents.create")
    with pytest.raises(PaymentIndeterminate):
        session_at(STRIPE, collection)

    session = session_at(STRIPE, collection)

    assert session.is_live
    assert session.data["client_secret"]
    assert PaymentSession.all_objects.filter(payment_collection=collection).count() == 2


def test_the_shop_is_told_that_a_session_was_set_aside(fake: StagedProvider) -> None:
    fake.script("initiate_payment", Indeterminate())

    with (
        listening(signals.session_indeterminate) as told,
        pytest.raises(PaymentIndeterminate) as caught,
    ):
        session_at(FAKE)

    assert [facts["session"].pk for facts in told] == [caught.value.session_id]


@pytest.mark.parametrize("capture", [False, True], ids=["held", "taken"])
def test_money_that_a_webhook_showed_first_is_the_answer(
    capture: bool, fake: StagedProvider
) -> None:
    """The webhook overtakes the answer, which is lost."""
    collection = collection_of()
    fake.script("initiate_payment", Indeterminate(), executes=True)
    fake.after["initiate_payment"] = lambda request: _pay_and_tell(fake, request, capture=capture)

    session = session_at(FAKE, collection)

    assert session.pk == only_session(collection).pk
    assert session.is_live
    assert not session.indeterminate
    assert session.status == "authorized"
    call = only_call("initiate")
    assert (call.state, call.evidence) == ("succeeded", "webhook")
    assert Payment.objects.get().is_captured is capture
    assert fake.asked_for("cancel_payment") == []


def _pay_and_tell(fake: StagedProvider, request: Any, *, capture: bool) -> None:
    reference = fake.payment_of(request.session_id).reference
    fake.pay(reference, capture=capture)
    fake.tell(reference)


def test_a_webhook_that_shows_no_money_is_no_answer(fake: StagedProvider) -> None:
    """Nobody handed the buyer a secret to pay with; and the call is still being asked."""
    collection = collection_of()
    fake.script("initiate_payment", Indeterminate(), executes=True)
    states: list[str] = []

    def tell(request: Any) -> None:
        fake.tell(fake.payment_of(request.session_id).reference)
        states.append(only_call("initiate").state)

    fake.after["initiate_payment"] = tell
    with pytest.raises(PaymentIndeterminate):
        session_at(FAKE, collection)

    assert states == ["open"]
    assert only_session(collection).indeterminate


def test_a_late_webhook_does_not_revive_the_session(stripe: StripeSimulator) -> None:
    collection = collection_of()
    stripe.fault("drop_after", operation="payment_intents.create")
    with pytest.raises(PaymentIndeterminate):
        session_at(STRIPE, collection)

    for event in stripe.events():
        deliver(stripe, event["id"])

    session = only_session(collection)
    assert session.deleted_reason == "indeterminate"
    assert session.resolution == "closed"


def test_the_secret_of_a_set_aside_session_is_cleared(stripe: StripeSimulator) -> None:
    collection = collection_of()
    stripe.fault("drop_after", operation="payment_intents.create")
    with pytest.raises(PaymentIndeterminate):
        session_at(STRIPE, collection)
    reconcile_all()

    session = only_session(collection)
    assert session.provider_reference.startswith("pi_")
    assert "secret" not in str(session.data)


# What never sets a session aside


def test_a_lost_authorize_does_not_touch_the_session(fake: StagedProvider) -> None:
    session = session_at(FAKE)
    fake.pay(session.provider_reference)
    before = reloaded(session)
    fake.script("authorize_payment", NoAnswer(), RuntimeError())

    for _ in range(2):
        with pytest.raises(PaymentProviderUnavailable):
            authorize_payment_session(session)

    after = reloaded(session)
    assert after.is_live
    assert after.updated_at == before.updated_at
    assert authorize_payment_session(session) is not None


def _capture(fake: StagedProvider) -> PaymentSession:
    payment = authorized_at(fake)
    fake.script("capture_payment", Indeterminate())
    capture_payment(payment, amount=TEN)
    return payment.payment_session


def _refund(fake: StagedProvider) -> PaymentSession:
    payment = captured_at(fake)
    fake.script("refund_payment", Indeterminate())
    refund_payment(payment, amount=TEN)
    return payment.payment_session


def _cancel(fake: StagedProvider) -> PaymentSession:
    payment = authorized_at(fake)
    fake.script("cancel_payment", Indeterminate())
    cancel_payment(payment)
    return payment.payment_session


@pytest.mark.parametrize("act", [_capture, _refund, _cancel])
def test_a_lost_answer_to_another_call_sets_nothing_aside(act: Any, fake: StagedProvider) -> None:
    fake.script("lookup", NoAnswer())

    session = reloaded(act(fake))

    assert session.is_live
    assert not session.indeterminate
    assert session.deleted_reason == ""


def test_lost_lookups_of_the_sweep_set_nothing_aside(fake: StagedProvider) -> None:
    session = session_at(FAKE)
    fake.script("lookup", *[NoAnswer()] * 5)

    reconcile_all()

    assert reloaded(session).is_live
