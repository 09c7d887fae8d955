from __future__ import annotations

import pytest

from medusa_payments.errors import (
    CancelRefused,
    Conflict,
    NotAllowed,
    PaymentProviderUnavailable,
)
from medusa_payments.models import Discrepancy
from medusa_payments.operations.cancellations import cancel_payment
from medusa_payments.operations.captures import capture_payment
from medusa_payments.providers.types import Failed, FailureKind, Indeterminate, NoAnswer
from medusa_payments.reconciliation.sweep import reconcile_all
from medusa_payments.statuses import ProviderState
from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.laws.scenes import (
    AMOUNT_MINOR,
    StagedProvider,
    authorized_at,
    authorized_at_stripe,
    captured_at,
    only_call,
    reloaded,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_canceled_payment_holds_nothing(stripe: StripeSimulator) -> None:
    payment = authorized_at_stripe(stripe)

    canceled = cancel_payment(payment)

    assert canceled.canceled_at is not None
    session = reloaded(payment.payment_session)
    assert (session.status, session.held_minor, session.is_live) == ("canceled", 0, True)
    collection = reloaded(payment.payment_collection)
    assert (collection.authorized_minor, collection.status) == (0, "awaiting")
    assert stripe.ledger()["totals"]["eur"]["held"] == 0
    assert not Discrepancy.objects.exists()


def test_canceling_twice_asks_once(fake: StagedProvider) -> None:
    payment = authorized_at(fake)

    first, second = cancel_payment(payment), cancel_payment(payment)

    assert first.canceled_at == second.canceled_at
    assert len(fake.asked_for("cancel_payment")) == 1


def test_a_captured_payment_is_refunded_instead(fake: StagedProvider) -> None:
    payment = captured_at(fake)

    with pytest.raises(NotAllowed, match="refund it instead"):
        cancel_payment(payment)

    assert fake.asked_for("cancel_payment") == []


def test_while_its_outcome_is_not_known_the_payment_is_not_canceled(fake: StagedProvider) -> None:
    payment = authorized_at(fake)
    fake.script("cancel_payment", Indeterminate(), executes=True)
    fake.script("lookup", NoAnswer())

    uncertain = cancel_payment(payment)

    assert uncertain.canceled_at is None
    assert only_call("cancel").state == "indeterminate"
    reconcile_all()
    assert reloaded(payment).canceled_at is not None


def test_a_refused_cancel_leaves_the_payment_as_it_was(fake: StagedProvider) -> None:
    payment = authorized_at(fake)
    fake.script("cancel_payment", Failed(kind=FailureKind.REFUSED))

    with pytest.raises(CancelRefused) as caught:
        cancel_payment(payment)

    assert caught.value.payment_id == payment.pk
    assert reloaded(payment).canceled_at is None
    assert capture_payment(payment) is not None


@pytest.mark.parametrize(
    "kind", [FailureKind.RATE_LIMITED, FailureKind.UNAVAILABLE, FailureKind.MISCONFIGURED]
)
def test_an_unreachable_provider_is_told_apart(kind: FailureKind, fake: StagedProvider) -> None:
    payment = authorized_at(fake)
    fake.script("cancel_payment", Failed(kind=kind))

    with pytest.raises(PaymentProviderUnavailable):
        cancel_payment(payment)

    assert cancel_payment(payment).canceled_at is not None


def test_a_cancel_in_flight_is_a_conflict(fake: StagedProvider) -> None:
    payment = authorized_at(fake)
    refused: list[type[Exception]] = []

    def click_again(request: object) -> None:
        try:
            cancel_payment(payment)
        except Conflict as error:
            refused.append(type(error))

    fake.before["cancel_payment"] = click_again
    cancel_payment(payment)

    assert refused == [Conflict]
    assert len(fake.asked_for("cancel_payment")) == 1


def test_a_payment_captured_in_between_is_not_refunded_by_itself(
    stripe: StripeSimulator,
) -> None:
    payment = authorized_at_stripe(stripe)
    stripe.dashboard_capture(payment.payment_session.provider_reference)

    with pytest.raises(CancelRefused):
        cancel_payment(payment)
    reconcile_all()

    assert reloaded(payment).captured_at is not None
    assert stripe.ledger()["totals"]["eur"]["kept"] == AMOUNT_MINOR
    assert stripe.requests("refunds.create") == []


def test_a_payment_canceled_in_between_is_canceled(stripe: StripeSimulator) -> None:
    payment = authorized_at_stripe(stripe)
    stripe.dashboard_cancel(payment.payment_session.provider_reference)

    assert cancel_payment(payment).canceled_at is not None

    assert reloaded(payment.payment_session).provider_state == ProviderState.CANCELED
    assert only_call("cancel").state == "succeeded"
