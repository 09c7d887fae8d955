"""Law 4: one key per intent; only reconciliation opens the next generation of a call."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest

from medusa_payments.errors import (
    PaymentIndeterminate,
    PaymentProviderUnavailable,
    RefundRefused,
)
from medusa_payments.models import Payment, ProviderCall, Refund
from medusa_payments.operations.cancellations import cancel_payment
from medusa_payments.operations.captures import capture_payment
from medusa_payments.operations.refunds import refund_payment
from medusa_payments.operations.sessions import delete_payment_session
from medusa_payments.providers.types import Failed, FailureKind, Indeterminate, NoAnswer
from medusa_payments.reconciliation.sweep import reconcile_all, reconcile_due
from medusa_payments.testing.stripe_simulator import StripeSimulator

from .fixtures import configure, configure_stripe
from .scenes import (
    AMOUNT_MINOR,
    STRIPE,
    TAKEN,
    StagedProvider,
    authorized_at,
    authorized_at_stripe,
    captured_at,
    captured_at_stripe,
    collection_of,
    let_time_pass,
    only_call,
    only_session,
    reloaded,
    session_at,
    succeeded_minor,
)

pytestmark = pytest.mark.django_db(transaction=True)

TEN = Decimal("10")


def _keys(stripe: StripeSimulator, operation: str) -> list[str | None]:
    return [request["idempotency_key"] for request in stripe.requests(operation)]


def test_every_try_within_one_call_has_the_same_key(shop: Any, stripe: StripeSimulator) -> None:
    configure_stripe(shop, READ_TIMEOUT=1.0, TOTAL_BUDGET=20.0)
    payment = captured_at_stripe(stripe)
    stripe.fault("drop_after", operation="refunds.create", times=2)

    refund = refund_payment(payment, amount=TEN)

    call = refund.provider_call
    assert _keys(stripe, "refunds.create") == [call.pk] * 3
    assert [attempt["outcome"] for attempt in call.attempts] == [
        "indeterminate",
        "indeterminate",
        "succeeded",
    ]
    assert refund.status == "succeeded"
    assert stripe.ledger()["totals"]["eur"]["amount_refunded"] == 1000


@pytest.mark.parametrize("request_key", ["", "click"])
def test_a_second_click_while_the_first_is_uncertain_is_the_same_call(
    request_key: str, fake: StagedProvider
) -> None:
    payment = captured_at(fake)
    fake.script("refund_payment", Indeterminate())
    fake.script("lookup", NoAnswer())
    first = refund_payment(payment, amount=TEN, request_key=request_key)

    second = refund_payment(payment, amount=TEN, request_key=request_key)

    assert second.pk == first.pk
    assert second.status == "succeeded"
    assert fake.keys("refund_payment") == [first.provider_call.pk] * 2
    assert Refund.objects.count() == 1


def test_a_second_click_on_an_uncertain_cancel_is_the_same_call(fake: StagedProvider) -> None:
    payment = authorized_at(fake)
    fake.script("cancel_payment", Indeterminate())
    fake.script("lookup", NoAnswer())
    cancel_payment(payment)

    canceled = cancel_payment(payment)

    assert canceled.canceled_at is not None
    assert fake.keys("cancel_payment") == [only_call("cancel").pk] * 2


def test_a_key_never_goes_out_with_other_arguments(stripe: StripeSimulator) -> None:
    payment = captured_at_stripe(stripe)
    stripe.fault("drop_before", operation="refunds.create")
    stripe.fault("truncated_json_clean", operation="payment_intents.retrieve")
    for amount in ("10", "20", "10", "10"):
        refund_payment(payment, amount=Decimal(amount))
    cancel_payment(authorized_at_stripe(stripe))
    reconcile_all()

    sent: dict[Any, set[str]] = defaultdict(set)
    for request in stripe.requests():
        if request["method"] == "POST":
            sent[request["idempotency_key"]].add(f"{request['path']} {request['params']}")
    assert None not in sent
    assert [key for key, requests in sent.items() if len(requests) > 1] == []


def test_a_refused_call_is_final_and_asking_again_is_a_new_row(fake: StagedProvider) -> None:
    payment = captured_at(fake)
    fake.script("refund_payment", Failed(kind=FailureKind.REFUSED))
    with pytest.raises(RefundRefused):
        refund_payment(payment, amount=TEN)
    refused = only_call("refund")

    refund_payment(payment, amount=TEN)

    assert reloaded(refused).state == "failed"
    assert ProviderCall.objects.filter(kind="refund").count() == 2
    assert len(set(fake.keys("refund_payment"))) == 2
    assert {call.generation for call in ProviderCall.objects.all()} == {1}


# The next generation


def test_a_capture_whose_key_repeats_a_stored_500_gets_its_second_generation_at_once(
    stripe: StripeSimulator,
) -> None:
    payment = authorized_at_stripe(stripe)
    stripe.fault("error_500_before", operation="payment_intents.capture")
    capture_payment(payment)
    reconcile_all()  # learns that the key is spent

    reconcile_all()

    call = only_call("capture")
    assert call.generation == 2
    assert _keys(stripe, "payment_intents.capture")[-1] == f"{call.pk}:2"
    assert succeeded_minor(type(call.capture), payment) == AMOUNT_MINOR
    assert stripe.ledger()["totals"]["eur"]["amount_received"] == AMOUNT_MINOR


def test_a_cancel_whose_key_repeats_a_stored_500_gets_its_second_generation_at_once(
    stripe: StripeSimulator,
) -> None:
    payment = authorized_at_stripe(stripe)
    stripe.fault("error_500_before", operation="payment_intents.cancel")
    cancel_payment(payment)
    reconcile_all()

    reconcile_all()

    call = only_call("cancel")
    assert (call.generation, call.state) == (2, "succeeded")
    assert reloaded(payment).canceled_at is not None


def test_a_second_generation_opens_only_when_a_lookup_shows_that_nothing_happened(
    stripe: StripeSimulator,
) -> None:
    payment = authorized_at_stripe(stripe)
    stripe.fault("error_500_after", operation="payment_intents.capture")

    capture_payment(payment)

    call = only_call("capture")
    assert (call.generation, call.state, call.evidence) == (1, "succeeded", "lookup")


def test_no_answer_of_a_lookup_opens_no_generation(stripe: StripeSimulator) -> None:
    payment = authorized_at_stripe(stripe)
    stripe.fault("error_500_before", operation="payment_intents.capture")
    stripe.fault("truncated_json_clean", operation="payment_intents.retrieve", times=None)
    capture_payment(payment)

    reconcile_all()
    reconcile_all()

    assert only_call("capture").generation == 1


def test_a_capture_that_several_may_follow_is_not_renewed_at_once(fake: StagedProvider) -> None:
    """The provider would take twice if the first were executed late."""
    payment = authorized_at(fake)
    fake.script("capture_payment", Indeterminate(key_is_spent=True))

    for _ in range(2):
        capture_payment(payment, amount=TEN, request_key="click")

    assert only_call("capture").generation == 1


def test_a_key_whose_retention_is_over_is_not_sent_again(stripe: StripeSimulator) -> None:
    payment = authorized_at_stripe(stripe)
    stripe.fault("drop_before", operation="payment_intents.capture")
    capture_payment(payment)
    let_time_pass(hours=25)

    reconcile_all()

    call = only_call("capture")
    assert _keys(stripe, "payment_intents.capture") == [call.pk, f"{call.pk}:2"]
    assert call.state == "succeeded"


def test_within_its_retention_the_same_key_is_sent_again(stripe: StripeSimulator) -> None:
    payment = authorized_at_stripe(stripe)
    stripe.fault("drop_before", operation="payment_intents.capture")
    capture_payment(payment)
    let_time_pass(hours=23)

    reconcile_all()

    assert set(_keys(stripe, "payment_intents.capture")) == {only_call("capture").pk}
    assert only_call("capture").state == "succeeded"


def _refund_with_spent_key(stripe: StripeSimulator) -> Payment:
    payment = captured_at_stripe(stripe)
    stripe.fault("error_500_before", operation="refunds.create")
    refund_payment(payment, amount=TEN)
    reconcile_all()
    return payment


def test_a_persons_refund_is_never_renewed(stripe: StripeSimulator) -> None:
    _refund_with_spent_key(stripe)

    before = only_call("refund")
    let_time_pass(hours=2)
    reconcile_all()

    after = only_call("refund")
    assert before.state == "indeterminate"
    assert (after.state, after.generation, after.is_provisional) == ("failed", 1, True)
    assert Refund.objects.get().status == "failed"
    assert stripe.ledger()["totals"]["eur"]["amount_refunded"] == 0


def _undoing_with_spent_key(stripe: StripeSimulator) -> ProviderCall:
    stripe.fault("drop_after", operation="payment_intents.create")
    with pytest.raises(PaymentIndeterminate):
        session_at(STRIPE, **TAKEN)
    stripe.fault("error_500_before", operation="refunds.create")
    reconcile_all()
    return only_call("refund")


def test_an_undoing_refund_is_renewed_only_after_the_horizon(stripe: StripeSimulator) -> None:
    call = _undoing_with_spent_key(stripe)
    reconcile_all()
    assert (reloaded(call).generation, reloaded(call).state) == (1, "indeterminate")

    let_time_pass(hours=2)
    reconcile_all()

    assert (reloaded(call).generation, reloaded(call).state) == (2, "succeeded")
    assert stripe.ledger()["totals"]["eur"]["kept"] == 0
    assert stripe.ledger()["totals"]["eur"]["amount_refunded"] == AMOUNT_MINOR


def test_an_initiate_is_never_sent_again(shop: Any, stripe: StripeSimulator) -> None:
    """It could charge: the buyer was told to start again."""
    configure(shop, NOT_FOUND_HORIZON=0)
    collection = collection_of()
    stripe.fault("drop_before", operation="payment_intents.create")
    with pytest.raises(PaymentIndeterminate):
        session_at(STRIPE, collection, **TAKEN)

    for _ in range(3):
        reconcile_due()
        reconcile_all()
        let_time_pass(hours=30)

    assert len(stripe.requests("payment_intents.create")) == 1
    assert only_call("initiate").generation == 1
    assert only_session(collection).resolution == "not_created"


def test_an_initiate_with_a_stored_500_is_never_sent_again(
    shop: Any, stripe: StripeSimulator
) -> None:
    configure(shop, NOT_FOUND_HORIZON=0)
    stripe.fault("error_500_before", operation="payment_intents.create")
    with pytest.raises(PaymentIndeterminate):
        session_at(STRIPE)

    reconcile_all()
    let_time_pass(hours=30)
    reconcile_all()

    assert len(stripe.requests("payment_intents.create")) == 1


def test_deleting_twice_asks_once(fake: StagedProvider) -> None:
    session = session_at(fake.id)
    delete_payment_session(session)

    delete_payment_session(session)

    assert len(fake.asked_for("cancel_payment")) == 1


def test_the_same_request_key_is_the_same_act_for_ever(fake: StagedProvider) -> None:
    payment = captured_at(fake)
    first = refund_payment(payment, amount=TEN, request_key="click")

    let_time_pass(days=40)
    again = refund_payment(payment, amount=TEN, request_key="click")

    assert again.pk == first.pk
    assert len(fake.asked_for("refund_payment")) == 1


def test_a_key_that_took_an_act_up_stays_its_key(fake: StagedProvider) -> None:
    """The answer to the second key may be lost too, and its owner asks with it again."""
    payment = captured_at(fake)
    fake.script("refund_payment", Indeterminate())
    fake.script("lookup", NoAnswer())
    first = refund_payment(payment, amount=TEN, request_key="one")
    taken_up = refund_payment(payment, amount=TEN, request_key="two")

    again = refund_payment(payment, amount=TEN, request_key="two")

    assert taken_up.pk == again.pk == first.pk
    assert fake.payment_of(payment.payment_session_id).refunded_minor == 1000


def test_the_key_of_an_act_that_reached_nobody_may_try_again(fake: StagedProvider) -> None:
    """A call that was refused is final, so the second try is a row and a call of its own."""
    payment = captured_at(fake)
    fake.script("refund_payment", Failed(kind=FailureKind.RATE_LIMITED))
    with pytest.raises(PaymentProviderUnavailable):
        refund_payment(payment, amount=TEN, request_key="click")

    again = refund_payment(payment, amount=TEN, request_key="click")
    same = refund_payment(payment, amount=TEN, request_key="click")

    assert again.status == "succeeded"
    assert again.pk == same.pk
    keys = {request.idempotency_key for request in fake.asked_for("refund_payment")}
    assert len(keys) == 2
    assert payment.refunds.count() == 2
