"""What banks do, and people in the provider's dashboard, is imported with the audit entries and
signals that an act of ours would have; also when no event ever told of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from decimal import Decimal
from typing import Any

import pytest

from medusa_payments import signals
from medusa_payments.errors import PaymentIndeterminate, RefundExceedsRefundable, RefundRefused
from medusa_payments.models import (
    AuditEntry,
    Capture,
    Discrepancy,
    Dispute,
    Payment,
    PaymentSession,
    Refund,
)
from medusa_payments.operations.actors import SWEEP
from medusa_payments.operations.refunds import refund_payment
from medusa_payments.operations.sightings import see
from medusa_payments.operations.totals import payment_totals
from medusa_payments.reconciliation.sweep import reconcile_all
from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.laws.scenes import (
    AMOUNT_MINOR,
    CONFIRMED,
    STRIPE,
    authorized_at_stripe,
    breaks,
    captured_at_stripe,
    collection_of,
    deliver,
    listening,
    only_session,
    reloaded,
    session_at,
)

pytestmark = pytest.mark.django_db(transaction=True)

TEN = Decimal("10")


def intent_of(payment: Payment) -> str:
    reference: str = payment.payment_session.provider_reference
    return reference


def by_events(stripe: StripeSimulator, session: PaymentSession) -> None:
    """All events arrive, the last ones first."""
    for event in reversed(stripe.events()):
        deliver(stripe, event["id"])


def by_sight(stripe: StripeSimulator, session: PaymentSession) -> None:
    """No event ever arrived; somebody looks."""
    see(session, actor=SWEEP)


WAYS = pytest.mark.parametrize("way", [by_events, by_sight])
FEWER_WAYS = pytest.mark.parametrize(
    "way", [pytest.param(by_events, marks=pytest.mark.slow), by_sight]
)
Way = Callable[[StripeSimulator, PaymentSession], None]


def found(**conditions: Any) -> list[tuple[str, str]]:
    rows = Discrepancy.objects.filter(**conditions)
    return sorted(rows.values_list("kind", "state"))


def told_while(act: Callable[[], Any]) -> dict[str, int]:
    """How often each signal for the shop was sent."""
    with ExitStack() as stack:
        heard = {
            name: stack.enter_context(listening(signal))
            for name, signal in signals.FOR_THE_SHOP.items()
        }
        act()
    return {name: len(facts) for name, facts in heard.items() if facts}


def audited(action: str) -> int:
    return AuditEntry.objects.filter(action=action).count()


# In the dashboard


@WAYS
def test_a_capture_made_there_is_imported(way: Way, stripe: StripeSimulator) -> None:
    payment = authorized_at_stripe(stripe)
    stripe.dashboard_capture(intent_of(payment))

    told = told_while(lambda: way(stripe, payment.payment_session))

    assert told == {"payment_captured": 1, "discrepancy_opened": 1}
    assert [(each.amount_minor, each.is_external) for each in Capture.objects.all()] == [
        (AMOUNT_MINOR, True)
    ]
    assert audited("capture.recorded") == 1
    assert reloaded(payment.payment_collection).status == "completed"
    assert breaks(payment.payment_collection) == []


@FEWER_WAYS
def test_a_refund_made_there_is_imported(way: Way, stripe: StripeSimulator) -> None:
    payment = captured_at_stripe(stripe)
    stripe.dashboard_refund(intent_of(payment), 4000)

    told = told_while(lambda: way(stripe, payment.payment_session))

    assert told == {"payment_refunded": 1, "discrepancy_opened": 1}
    assert [(each.amount_minor, each.status) for each in Refund.objects.all()] == [
        (4000, "succeeded")
    ]
    assert audited("refund.recorded") == audited("refund.succeeded") == 1
    assert reloaded(payment.payment_collection).refunded_minor == 4000
    with pytest.raises(RefundExceedsRefundable):
        refund_payment(payment, amount=Decimal("60.51"))


@FEWER_WAYS
@pytest.mark.parametrize("act", ["dashboard_cancel", "expire_authorization"])
def test_a_hold_that_was_released_there_is_imported(
    act: str, way: Way, stripe: StripeSimulator
) -> None:
    payment = authorized_at_stripe(stripe)
    getattr(stripe, act)(intent_of(payment))

    told = told_while(lambda: way(stripe, payment.payment_session))

    assert told == {"payment_canceled": 1, "discrepancy_opened": 1}
    assert reloaded(payment).is_canceled
    assert audited("payment.canceled") == 1
    assert reloaded(payment.payment_collection).authorized_minor == 0


def test_the_sweep_of_everything_finds_what_became_of_held_payments(
    stripe: StripeSimulator,
) -> None:
    captured, canceled = authorized_at_stripe(stripe), authorized_at_stripe(stripe)
    stripe.dashboard_capture(intent_of(captured))
    stripe.expire_authorization(intent_of(canceled))

    reconcile_all()

    assert reloaded(captured).is_captured
    assert reloaded(canceled).is_canceled


def test_canceling_what_goes_back_anyway_is_no_discrepancy(stripe: StripeSimulator) -> None:
    collection = collection_of()
    stripe.fault("drop_after", "payment_intents.create", times=None)
    with pytest.raises(PaymentIndeterminate):
        session_at(STRIPE, collection, **CONFIRMED)
    stripe.fault("rate_limit", "payment_intents.retrieve", times=None)
    (intent,) = stripe.ledger()["intents"]
    stripe.dashboard_cancel(intent)

    for kind in ("payment_intent.amount_capturable_updated", "payment_intent.canceled"):
        deliver(stripe, stripe.events([kind])[0]["id"])

    assert Payment.objects.get().is_canceled
    assert only_session(collection).resolution == "closed"
    assert found() == []


# Refunds that fail


@WAYS
def test_a_refund_that_fails_after_it_was_made_is_told(way: Way, stripe: StripeSimulator) -> None:
    payment = captured_at_stripe(stripe)
    refund = refund_payment(payment, amount=TEN)
    assert refund.status == "succeeded"
    stripe.fail_refund(refund.provider_reference)

    told = told_while(lambda: way(stripe, payment.payment_session))

    assert told == {"refund_failed": 1}
    assert reloaded(refund).status == "failed"
    assert audited("refund.failed") == 1
    assert payment_totals(payment).refundable_minor == AMOUNT_MINOR


def test_a_refund_that_is_refused_is_told_once(stripe: StripeSimulator) -> None:
    payment = captured_at_stripe(stripe)
    stripe.next_refund_status("failed")

    def refund_and_hear() -> None:
        with pytest.raises(RefundRefused):
            refund_payment(payment, amount=TEN)
        by_events(stripe, payment.payment_session)

    assert told_while(refund_and_hear) == {"refund_failed": 1}


# Disputes


@WAYS
def test_a_dispute_counts_against_what_can_be_refunded(way: Way, stripe: StripeSimulator) -> None:
    payment = captured_at_stripe(stripe)
    stripe.dispute(intent_of(payment), 4000)

    told = told_while(lambda: way(stripe, payment.payment_session))

    assert told == {"dispute_opened": 1, "discrepancy_opened": 1}
    assert Dispute.objects.get().status == "open"
    assert audited("dispute.recorded") == 1
    assert payment_totals(payment).refundable_minor == AMOUNT_MINOR - 4000
    with pytest.raises(RefundExceedsRefundable):
        refund_payment(payment)


@FEWER_WAYS
@pytest.mark.parametrize(("won", "status"), [(True, "won"), (False, "lost")])
def test_a_dispute_is_told_when_it_ends(
    won: bool, status: str, way: Way, stripe: StripeSimulator
) -> None:
    payment = captured_at_stripe(stripe)
    dispute = stripe.dispute(intent_of(payment), 4000)
    see(payment.payment_session, actor=SWEEP)
    stripe.close_dispute(dispute["id"], won=won)

    told = told_while(lambda: way(stripe, payment.payment_session))

    assert told == {"dispute_closed": 1}
    assert Dispute.objects.get().status == status
    assert payment_totals(payment).refundable_minor == AMOUNT_MINOR - (0 if won else 4000)
    assert found() == [("dispute", "closed" if won else "open")]


@FEWER_WAYS
@pytest.mark.parametrize(
    "decisions", [(False, True), pytest.param((True, False), marks=pytest.mark.slow)]
)
def test_a_bank_may_think_again(
    decisions: tuple[bool, ...], way: Way, stripe: StripeSimulator
) -> None:
    payment = captured_at_stripe(stripe)
    dispute = stripe.dispute(intent_of(payment), 4000)
    for won in decisions:
        stripe.close_dispute(dispute["id"], won=won)
        see(payment.payment_session, actor=SWEEP)

    way(stripe, payment.payment_session)

    won = decisions[-1]
    assert Dispute.objects.get().status == ("won" if won else "lost")
    assert payment_totals(payment).refundable_minor == AMOUNT_MINOR - (0 if won else 4000)
    assert found(state="open") == ([] if won else [("dispute", "open")])


@FEWER_WAYS
def test_an_inquiry_is_told_and_withdraws_nothing(way: Way, stripe: StripeSimulator) -> None:
    payment = captured_at_stripe(stripe)
    stripe.dispute(intent_of(payment), 4000, is_inquiry=True)

    told = told_while(lambda: way(stripe, payment.payment_session))

    assert told == {"dispute_opened": 1, "discrepancy_opened": 1}
    assert Dispute.objects.get().status == "inquiry"
    assert refund_payment(payment).amount_minor == AMOUNT_MINOR


@FEWER_WAYS
def test_an_inquiry_that_escalates_withdraws(way: Way, stripe: StripeSimulator) -> None:
    payment = captured_at_stripe(stripe)
    inquiry = stripe.dispute(intent_of(payment), 4000, is_inquiry=True)
    see(payment.payment_session, actor=SWEEP)
    stripe.escalate_dispute(inquiry["id"])

    way(stripe, payment.payment_session)

    assert Dispute.objects.get().status == "open"
    assert payment_totals(payment).refundable_minor == AMOUNT_MINOR - 4000


@FEWER_WAYS
def test_an_inquiry_that_ends_in_nothing_closes_its_discrepancy(
    way: Way, stripe: StripeSimulator
) -> None:
    payment = captured_at_stripe(stripe)
    inquiry = stripe.dispute(intent_of(payment), 4000, is_inquiry=True)
    see(payment.payment_session, actor=SWEEP)
    stripe.close_dispute(inquiry["id"], won=False)

    way(stripe, payment.payment_session)

    assert Dispute.objects.get().status == "won"
    assert found() == [("dispute", "closed")]


@WAYS
def test_several_disputes_of_one_charge_count_together(way: Way, stripe: StripeSimulator) -> None:
    payment = captured_at_stripe(stripe)
    stripe.dispute(intent_of(payment), 4000)
    lost = stripe.dispute(intent_of(payment), 3000)
    stripe.close_dispute(lost["id"], won=False)

    way(stripe, payment.payment_session)

    assert payment_totals(payment).disputed_minor == 7000
    assert payment_totals(payment).refundable_minor == AMOUNT_MINOR - 7000
    assert found() == [("dispute", "open")] * 2


def test_a_dispute_that_comes_before_the_payment_is_recorded(stripe: StripeSimulator) -> None:
    """The first that is ever heard of a payment is that its customer's bank disputes it."""
    session = session_at(STRIPE, capture_method="automatic")
    stripe.pay(session.provider_reference)
    stripe.dispute(session.provider_reference, 4000)

    deliver(stripe, stripe.events(["charge.dispute.created"])[0]["id"])

    payment = Payment.objects.get()
    assert payment_totals(payment).disputed_minor == 4000
    assert reloaded(session.payment_collection).status == "completed"


def test_the_shop_is_told_of_a_dispute_until_its_receiver_returns(stripe: StripeSimulator) -> None:
    payment = captured_at_stripe(stripe)
    stripe.dispute(intent_of(payment), 4000)
    calls: list[Dispute] = []

    def fails_once(payment: Payment, dispute: Dispute) -> None:
        calls.append(dispute)
        if len(calls) == 1:
            raise RuntimeError

    with listening(signals.dispute_opened, fails_once):
        deliver(stripe, stripe.events(["charge.dispute.created"])[0]["id"])
        reconcile_all()
        reconcile_all()

    assert [each.provider_reference for each in calls] == [
        Dispute.objects.get().provider_reference
    ] * 2


# Bank transfers that bring a part


def _transfer_session(stripe: StripeSimulator) -> PaymentSession:
    session: PaymentSession = session_at(STRIPE, collection_of(), capture_method="automatic")
    return session


@WAYS
def test_a_part_that_was_paid_in_is_recorded_and_told_once(
    way: Way, stripe: StripeSimulator
) -> None:
    session = _transfer_session(stripe)

    def two_transfers() -> None:
        for amount in (4000, 6000):
            stripe.partially_fund(session.provider_reference, amount)
            way(stripe, session)

    told = told_while(two_transfers)

    assert told == {"discrepancy_opened": 1}
    row, discrepancy = reloaded(session), Discrepancy.objects.get()
    assert (row.status, row.funded_minor, row.captured_minor) == ("requires_more", 6000, 0)
    assert (discrepancy.kind, discrepancy.amount_minor) == ("status", 6000)
    assert audited("session.funded") == 2
    assert not Payment.objects.exists()
    assert not reloaded(session.payment_collection).authorized_minor


@FEWER_WAYS
@pytest.mark.parametrize("end", ["pay", "dashboard_cancel"])
def test_a_part_payment_that_ends_closes_its_discrepancy(
    end: str, way: Way, stripe: StripeSimulator
) -> None:
    session = _transfer_session(stripe)
    stripe.partially_fund(session.provider_reference, 4000)
    see(session, actor=SWEEP)
    assert reloaded(session).funded_minor == 4000
    getattr(stripe, end)(session.provider_reference)

    way(stripe, session)

    assert reloaded(session).funded_minor == 0
    assert reloaded(session).captured_minor == (AMOUNT_MINOR if end == "pay" else 0)
    assert ("status", "closed") in found(open_key=None)
    assert found(open_key__contains="funded") == []


def test_an_event_of_a_part_that_comes_late_opens_nothing(stripe: StripeSimulator) -> None:
    session = _transfer_session(stripe)
    stripe.partially_fund(session.provider_reference, 4000)
    stripe.pay(session.provider_reference)

    by_events(stripe, session)

    assert (reloaded(session).funded_minor, reloaded(session).captured_minor) == (0, AMOUNT_MINOR)
    assert found() == []
