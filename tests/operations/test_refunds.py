from __future__ import annotations

from decimal import Decimal

import pytest

from medusa_payments.errors import (
    Conflict,
    InvalidAmount,
    PaymentProviderUnavailable,
    RefundExceedsRefundable,
    RefundRefused,
    RequestKeyReused,
)
from medusa_payments.models import Discrepancy, Dispute, Payment, Refund, RefundReason
from medusa_payments.operations.actors import SWEEP, Actor
from medusa_payments.operations.captures import capture_payment
from medusa_payments.operations.refunds import refund_payment
from medusa_payments.operations.totals import payment_totals
from medusa_payments.providers.types import Failed, FailureKind, Indeterminate, NoAnswer
from medusa_payments.reconciliation.sweep import reconcile_all
from medusa_payments.statuses import Door, MovementStatus
from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.laws.scenes import (
    AMOUNT,
    AMOUNT_MINOR,
    StagedProvider,
    authorized_at,
    captured_at,
    captured_at_stripe,
    deliver,
    let_leases_end,
    only_call,
    reloaded,
)

pytestmark = pytest.mark.django_db(transaction=True)

TEN = Decimal("10")


def test_a_refund_carries_our_ids_to_the_provider(stripe: StripeSimulator) -> None:
    payment = captured_at_stripe(stripe)

    refund = refund_payment(payment, amount=TEN)

    (made,) = stripe.ledger()["intents"][payment.payment_session.provider_reference]["refunds"]
    assert made["metadata"] == {
        "refund_id": refund.pk,
        "session_id": payment.payment_session_id,
    }
    assert (refund.status, refund.provider_reference) == ("succeeded", made["id"])
    assert reloaded(payment.payment_collection).refunded_minor == 1000
    assert reloaded(payment.payment_collection).status == "completed"


def test_without_an_amount_the_whole_payment_is_refunded(fake: StagedProvider) -> None:
    assert refund_payment(captured_at(fake)).amount == AMOUNT


@pytest.mark.parametrize("amount", ["100.51", "100.501", "1000"])
def test_no_more_is_refunded_than_was_captured(amount: str, fake: StagedProvider) -> None:
    payment = captured_at(fake)

    with pytest.raises((RefundExceedsRefundable, InvalidAmount)):
        refund_payment(payment, amount=Decimal(amount))

    assert not Refund.objects.exists()
    assert fake.asked_for("refund_payment") == []


def test_one_smallest_unit_too_much_is_too_much(fake: StagedProvider) -> None:
    """Medusa tolerates it (CONTRACT section 6)."""
    payment = captured_at(fake)
    refund_payment(payment, amount=Decimal("100.49"))
    refund_payment(payment, amount=Decimal("0.01"))

    with pytest.raises(RefundExceedsRefundable, match="not allowed"):
        refund_payment(payment, amount=Decimal("0.01"))


def test_the_default_amount_after_a_part_was_refunded_says_so(fake: StagedProvider) -> None:
    payment = captured_at(fake)
    refund_payment(payment, amount=TEN)

    with pytest.raises(RefundExceedsRefundable, match="cannot refund more than what is captured"):
        refund_payment(payment)


def test_what_is_only_held_is_not_refunded(fake: StagedProvider) -> None:
    with pytest.raises(RefundExceedsRefundable):
        refund_payment(authorized_at(fake), amount=TEN)


def test_only_what_was_captured_is_refunded(fake: StagedProvider) -> None:
    payment = authorized_at(fake)
    capture_payment(payment, amount=Decimal("40"))

    with pytest.raises(RefundExceedsRefundable):
        refund_payment(payment, amount=Decimal("40.01"))
    refund_payment(payment, amount=Decimal("40"))

    assert payment_totals(payment).refundable_minor == 0


@pytest.mark.parametrize(
    ("status", "refundable"), [("open", 7050), ("lost", 7050), ("won", AMOUNT_MINOR)]
)
def test_disputed_money_is_not_refundable(
    status: str, refundable: int, fake: StagedProvider
) -> None:
    payment = captured_at(fake)
    Dispute.objects.create(
        payment=payment,
        provider_reference="dp_1",
        amount_minor=3000,
        status=status,
        evidence="webhook",
    )

    assert payment_totals(payment).refundable_minor == refundable


@pytest.mark.parametrize("amount", ["0", "-10", "0.005"])
def test_an_amount_that_is_none_is_refused(amount: str, fake: StagedProvider) -> None:
    with pytest.raises(InvalidAmount):
        refund_payment(captured_at(fake), amount=Decimal(amount))


def test_a_reason_a_note_and_an_actor_are_kept(fake: StagedProvider) -> None:
    reason = RefundReason.objects.create(label="Broken", code="broken")

    refund = refund_payment(
        captured_at(fake), reason=reason, note="in two", actor=Actor("anna", Door.ADMIN)
    )

    assert (refund.refund_reason, refund.note, refund.created_by) == (reason, "in two", "anna")


def test_what_nobody_asked_for_is_created_by_nobody(fake: StagedProvider) -> None:
    assert refund_payment(captured_at(fake), actor=SWEEP).created_by is None


def test_a_refused_refund_gave_nothing_back(fake: StagedProvider) -> None:
    payment = captured_at(fake)
    fake.script("refund_payment", Failed(kind=FailureKind.REFUSED))

    with pytest.raises(RefundRefused) as caught:
        refund_payment(payment)

    refund = Refund.objects.get()
    assert caught.value.refund_id == refund.pk
    assert (refund.status, refund.evidence) == ("failed", "response")
    assert payment_totals(payment).refundable_minor == AMOUNT_MINOR


@pytest.mark.parametrize(
    "kind", [FailureKind.RATE_LIMITED, FailureKind.UNAVAILABLE, FailureKind.MISCONFIGURED]
)
def test_an_unreachable_provider_is_told_apart(kind: FailureKind, fake: StagedProvider) -> None:
    payment = captured_at(fake)
    fake.script("refund_payment", Failed(kind=kind))

    with pytest.raises(PaymentProviderUnavailable):
        refund_payment(payment)


def test_a_refund_that_stripe_refuses_because_all_was_refunded_is_recorded_as_it_is(
    stripe: StripeSimulator,
) -> None:
    payment = captured_at_stripe(stripe)
    stripe.dashboard_refund(payment.payment_session.provider_reference)

    with pytest.raises(RefundRefused):
        refund_payment(payment)

    statuses = dict(Refund.objects.values_list("is_external", "status"))
    assert statuses == {True: "succeeded", False: "failed"}
    assert reloaded(payment.payment_collection).refunded_minor == AMOUNT_MINOR
    assert Discrepancy.objects.filter(kind="status").count() == 1


def test_a_refund_born_failed_has_failed(stripe: StripeSimulator) -> None:
    payment = captured_at_stripe(stripe)
    stripe.next_refund_status("failed")

    with pytest.raises(RefundRefused):
        refund_payment(payment)

    assert Refund.objects.get().status == "failed"


@pytest.mark.parametrize("born", ["pending", "requires_action"])
def test_a_pending_refund_counts_and_waits(born: str, stripe: StripeSimulator) -> None:
    payment = captured_at_stripe(stripe)
    stripe.next_refund_status(born)

    refund = refund_payment(payment, amount=TEN)

    assert refund.status == "pending"
    assert reloaded(payment.payment_collection).refunded_minor == 1000
    assert only_call("refund").next_attempt_at is not None
    stripe.succeed_refund(refund.provider_reference)
    deliver(stripe, stripe.events(["refund.updated"])[-1]["id"])
    assert reloaded(refund).status == "succeeded"
    assert only_call("refund").next_attempt_at is None


def test_a_pending_refund_whose_event_was_lost_is_found_by_the_sweep(
    stripe: StripeSimulator,
) -> None:
    payment = captured_at_stripe(stripe)
    stripe.next_refund_status("pending")
    refund = refund_payment(payment, amount=TEN)
    stripe.fail_refund(refund.provider_reference)

    reconcile_all()

    assert reloaded(refund).status == "failed"
    assert reloaded(payment.payment_collection).refunded_minor == 0


# Request keys


def test_one_key_is_one_act_for_ever(fake: StagedProvider) -> None:
    payment = captured_at(fake)

    refunds = [refund_payment(payment, amount=TEN, request_key="k") for _ in range(3)]

    assert len({refund.pk for refund in refunds}) == 1
    assert len(fake.asked_for("refund_payment")) == 1


def test_without_a_key_equal_acts_are_separate_acts(fake: StagedProvider) -> None:
    payment = captured_at(fake)

    refunds = [refund_payment(payment, amount=TEN) for _ in range(2)]

    assert len({refund.pk for refund in refunds}) == 2
    assert fake.payment_of(payment.payment_session_id).refunded_minor == 2000


def test_equal_acts_in_flight_without_a_key_are_separate_acts(fake: StagedProvider) -> None:
    payment = captured_at(fake)
    fake.before["refund_payment"] = lambda request: refund_payment(payment, amount=TEN)

    refund_payment(payment, amount=TEN)

    assert Refund.objects.count() == 2
    assert fake.payment_of(payment.payment_session_id).refunded_minor == 2000


def test_a_key_names_one_act_of_one_payment(fake: StagedProvider) -> None:
    refunds = [refund_payment(captured_at(fake), request_key="k") for _ in range(2)]

    assert len({refund.pk for refund in refunds}) == 2


def test_a_key_is_not_used_for_another_amount(fake: StagedProvider) -> None:
    payment = captured_at(fake)
    refund_payment(payment, amount=TEN, request_key="k")

    with pytest.raises(RequestKeyReused):
        refund_payment(payment, amount=Decimal("11"), request_key="k")


def test_a_key_is_not_used_for_another_reason(fake: StagedProvider) -> None:
    payment = captured_at(fake)
    reasons = [RefundReason.objects.create(label=code, code=code) for code in ("a", "b")]
    refund_payment(payment, amount=TEN, request_key="k", reason=reasons[0])

    with pytest.raises(RequestKeyReused):
        refund_payment(payment, amount=TEN, request_key="k", reason=reasons[1])


def test_a_key_whose_act_is_in_flight_is_a_conflict(fake: StagedProvider) -> None:
    payment = captured_at(fake)
    refused: list[type[Exception]] = []

    def click_again(request: object) -> None:
        try:
            refund_payment(payment, amount=TEN, request_key="k")
        except Conflict as error:
            refused.append(type(error))

    fake.before["refund_payment"] = click_again
    refund_payment(payment, amount=TEN, request_key="k")

    assert refused == [Conflict]
    assert Refund.objects.count() == 1


def _lost(fake: StagedProvider) -> Payment:
    payment = captured_at(fake)
    fake.script("refund_payment", Indeterminate())
    fake.script("lookup", NoAnswer())
    assert refund_payment(payment, amount=TEN, request_key="one").status == "indeterminate"
    return payment


@pytest.mark.parametrize("key", ["one", "two", ""])
def test_an_uncertain_act_is_taken_up_under_any_key(key: str, fake: StagedProvider) -> None:
    payment = _lost(fake)

    refund = refund_payment(payment, amount=TEN, request_key=key)

    assert refund.status == "succeeded"
    assert Refund.objects.count() == 1
    assert len(set(fake.keys("refund_payment"))) == 1


def test_another_amount_is_another_act_while_one_is_uncertain(fake: StagedProvider) -> None:
    payment = _lost(fake)

    refund_payment(payment, amount=Decimal("11"))

    assert sorted(Refund.objects.values_list("status", flat=True)) == [
        "indeterminate",
        "succeeded",
    ]


def test_an_act_left_open_by_a_dead_process_is_taken_up_when_its_lease_ends(
    fake: StagedProvider,
) -> None:
    from tests.laws.scenes import Crash

    def crash(request: object) -> None:
        raise Crash

    payment = captured_at(fake)
    fake.before["refund_payment"] = crash
    with pytest.raises(Crash):
        refund_payment(payment, amount=TEN, request_key="k")
    with pytest.raises(Conflict):
        refund_payment(payment, amount=TEN, request_key="k")

    let_leases_end()
    refund = refund_payment(payment, amount=TEN, request_key="k")

    assert refund.status == "succeeded"
    assert Refund.objects.count() == 1


def test_the_answer_of_a_key_whose_act_was_refused_is_the_refusal(fake: StagedProvider) -> None:
    payment = captured_at(fake)
    fake.script("refund_payment", Failed(kind=FailureKind.REFUSED))

    for _ in range(2):
        with pytest.raises(RefundRefused):
            refund_payment(payment, amount=TEN, request_key="k")

    assert len(fake.asked_for("refund_payment")) == 1


def test_a_refund_that_is_found_under_our_id_is_never_doubled(stripe: StripeSimulator) -> None:
    payment = captured_at_stripe(stripe)
    stripe.fault("drop_after", operation="refunds.create")

    refund = refund_payment(payment, amount=TEN)
    for event in stripe.events():
        deliver(stripe, event["id"])

    assert refund.status == "succeeded"
    assert (refund.evidence, only_call("refund").evidence) == ("lookup", "lookup")
    assert Refund.objects.count() == 1
    assert MovementStatus(refund.status) is MovementStatus.SUCCEEDED
