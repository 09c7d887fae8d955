"""Law 8: what may have moved counts as moved; capture and cancel exclude each other till then."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from medusa_payments.errors import (
    CaptureExceedsCapturable,
    NotAllowed,
    RefundExceedsRefundable,
)
from medusa_payments.models import Payment
from medusa_payments.operations.actors import Actor
from medusa_payments.operations.cancellations import cancel_payment
from medusa_payments.operations.captures import capture_payment
from medusa_payments.operations.proposals import approve_proposal
from medusa_payments.operations.refunds import refund_payment
from medusa_payments.operations.sessions import delete_payment_session
from medusa_payments.operations.totals import payment_totals
from medusa_payments.operations.verdicts import give_verdict
from medusa_payments.providers.types import Failed, FailureKind, Indeterminate, NoAnswer
from medusa_payments.reconciliation.sweep import reconcile_all
from medusa_payments.statuses import Door, MovementStatus, Verdict

from .scenes import Crash, StagedProvider, authorized_at, captured_at, only_call, reloaded

pytestmark = pytest.mark.django_db(transaction=True)


def _lost(fake: StagedProvider, method: str, *, executes: bool = False) -> None:
    """The next answer is lost, and so is that of the lookup right after it."""
    fake.script(method, Indeterminate(), executes=executes)
    fake.script("lookup", NoAnswer())


def _crash(request: object) -> None:
    raise Crash


@pytest.mark.parametrize("executes", [False, True])
def test_a_refund_of_unknown_outcome_holds_its_amount(executes: bool, fake: StagedProvider) -> None:
    payment = captured_at(fake)
    _lost(fake, "refund_payment", executes=executes)
    refund_payment(payment, amount=Decimal("60"))

    with pytest.raises(RefundExceedsRefundable):
        refund_payment(payment, amount=Decimal("40.51"))
    rest = refund_payment(payment, amount=Decimal("40.50"))

    assert rest.status == "succeeded"
    assert payment_totals(payment).refundable_minor == 0
    reconcile_all()
    assert fake.payment_of(payment.payment_session_id).refunded_minor == 10050


def test_a_refund_in_flight_holds_its_amount(fake: StagedProvider) -> None:
    payment = captured_at(fake)
    fake.before["refund_payment"] = _crash
    with pytest.raises(Crash):
        refund_payment(payment, amount=Decimal("60"))

    with pytest.raises(RefundExceedsRefundable):
        refund_payment(payment, amount=Decimal("50"))

    assert len(fake.asked_for("refund_payment")) == 0


def test_a_pending_refund_holds_its_amount(fake: StagedProvider) -> None:
    payment = captured_at(fake)
    fake.refund_status = MovementStatus.PENDING
    assert refund_payment(payment, amount=Decimal("60")).status == "pending"

    with pytest.raises(RefundExceedsRefundable):
        refund_payment(payment, amount=Decimal("50"))


def test_a_refund_that_failed_gives_its_amount_free(fake: StagedProvider) -> None:
    payment = captured_at(fake)
    fake.script("refund_payment", Failed(kind=FailureKind.REFUSED))
    with pytest.raises(NotAllowed):
        refund_payment(payment, amount=Decimal("60"))

    assert refund_payment(payment).status == "succeeded"


@pytest.mark.parametrize("executes", [False, True])
def test_a_capture_of_unknown_outcome_holds_its_amount(
    executes: bool, fake: StagedProvider
) -> None:
    payment = authorized_at(fake)
    _lost(fake, "capture_payment", executes=executes)
    capture_payment(payment, amount=Decimal("60"))

    with pytest.raises(CaptureExceedsCapturable):
        capture_payment(payment, amount=Decimal("50"))
    rest = capture_payment(payment, amount=Decimal("40.50"))

    assert rest is not None
    assert rest.status == "succeeded"
    reconcile_all()
    assert fake.payment_of(payment.payment_session_id).captured_minor == 10050


def test_one_uncertain_capture_is_the_only_one_of_a_single_capture_provider(
    fake_single: StagedProvider,
) -> None:
    payment = authorized_at(fake_single, fake_single.id)
    _lost(fake_single, "capture_payment")
    capture_payment(payment, amount=Decimal("60"))

    with pytest.raises(NotAllowed):
        capture_payment(payment, amount=Decimal("10"))

    assert len(fake_single.asked_for("capture_payment")) == 1


@pytest.mark.parametrize("executes", [False, True])
def test_no_cancel_leaves_while_a_capture_is_unresolved(
    executes: bool, fake: StagedProvider
) -> None:
    payment = authorized_at(fake)
    _lost(fake, "capture_payment", executes=executes)
    capture_payment(payment)

    with pytest.raises(NotAllowed):
        cancel_payment(payment)

    assert fake.asked_for("cancel_payment") == []


def test_no_session_is_deleted_while_a_capture_of_it_is_unresolved(fake: StagedProvider) -> None:
    payment = authorized_at(fake)
    _lost(fake, "capture_payment")
    capture_payment(payment)

    with pytest.raises(NotAllowed):
        delete_payment_session(payment.payment_session)

    assert reloaded(payment.payment_session).is_live
    assert fake.asked_for("cancel_payment") == []


@pytest.mark.parametrize("executes", [False, True])
def test_no_capture_leaves_while_a_cancel_is_unresolved(
    executes: bool, fake: StagedProvider
) -> None:
    payment = authorized_at(fake)
    _lost(fake, "cancel_payment", executes=executes)
    cancel_payment(payment)

    with pytest.raises(NotAllowed):
        capture_payment(payment)

    assert fake.asked_for("capture_payment") == []


def test_no_capture_leaves_while_a_cancel_is_in_flight(fake: StagedProvider) -> None:
    payment = authorized_at(fake)
    refused: list[type[Exception]] = []

    def capture_now(request: object) -> None:
        try:
            capture_payment(payment)
        except NotAllowed as error:
            refused.append(type(error))

    fake.before["cancel_payment"] = capture_now
    cancel_payment(payment)

    assert refused == [NotAllowed]
    assert fake.payment_of(payment.payment_session_id).captured_minor == 0


def test_a_capture_may_leave_once_the_cancel_is_known_to_have_failed(
    fake: StagedProvider,
) -> None:
    payment = authorized_at(fake)
    fake.script("cancel_payment", Failed(kind=FailureKind.REFUSED))
    with pytest.raises(NotAllowed):
        cancel_payment(payment)
    assert only_call("cancel").state == "failed"

    capture_payment(payment)

    assert Payment.objects.get(pk=payment.pk).captured_at is not None


def test_two_lost_captures_are_tied_to_their_own_rows(fake: StagedProvider) -> None:
    payment = authorized_at(fake)
    for amount in ("40", "20"):
        _lost(fake, "capture_payment", executes=True)
        capture_payment(payment, amount=Decimal(amount))

    reconcile_all()

    rows = payment.captures.order_by("amount_minor")
    assert list(rows.values_list("amount_minor", "status", "is_external")) == [
        (2000, "succeeded", False),
        (4000, "succeeded", False),
    ]


def test_an_amount_stays_reserved_until_the_second_person_has_spoken(
    fake: StagedProvider, shop: Any
) -> None:
    shop.MEDUSA_PAYMENTS["TWO_PERSONS_ABOVE"] = {"eur": 0}
    payment = captured_at(fake)
    _lost(fake, "refund_payment")
    refund_payment(payment, amount=Decimal("60"))

    proposal = give_verdict(
        only_call("refund"),
        verdict=Verdict.NOT_HAPPENED,
        actor=Actor("ann", Door.ADMIN),
        reason="The customer waits.",
        proof="Case 4711",
    )
    waiting = payment_totals(payment).refundable_minor
    approve_proposal(proposal, actor=Actor("bob", Door.ADMIN), reason="I saw it too.")

    assert (waiting, payment_totals(payment).refundable_minor) == (4050, 10050)
