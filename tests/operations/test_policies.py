"""What the shop's policies let reconciliation undo by itself, and what happens otherwise."""

from __future__ import annotations

from typing import Any

import pytest

from medusa_payments.errors import PaymentDeclined
from medusa_payments.ids import new_id
from medusa_payments.models import Discrepancy, PaymentSession, Proposal, ProviderCall
from medusa_payments.operations.discrepancies import close_discrepancy
from medusa_payments.operations.proposals import approve_proposal, reject_proposal
from medusa_payments.operations.sessions import create_payment_session, delete_payment_session
from medusa_payments.providers.types import Failed, FailureKind
from medusa_payments.reconciliation.sweep import reconcile_all, reconcile_due
from medusa_payments.testing.fake_provider import FakePayment
from tests.laws.scenes import (
    AMOUNT_MINOR,
    FAKE,
    StagedProvider,
    breaks,
    collection_of,
    let_time_pass,
    only_session,
    reloaded,
    session_at,
)
from tests.operations.ghosts import ANN, amend, ghost_at, refunded_elsewhere

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("state", ["payable", "held", "captured"])
def test_observed_money_is_asked_for_nothing_and_told_of_once(
    state: str, fake: StagedProvider, shop: Any
) -> None:
    amend(shop, POLICIES=({"MODE": "observe"},))
    session = ghost_at(fake, state)

    for _ in range(3):
        reconcile_all()

    (told,) = Discrepancy.objects.all()
    assert (told.kind, told.amount_minor) == ("undo_blocked", AMOUNT_MINOR)
    assert told.severity == ("info" if state == "payable" else "warning")
    assert session.provider_reference in told.detail
    assert reloaded(session).resolution == ""
    assert not fake.asked_for("cancel_payment")
    assert not fake.asked_for("refund_payment")
    assert not Proposal.objects.exists()
    assert breaks(session.payment_collection) == []


def test_observed_money_is_looked_at_daily(fake: StagedProvider, shop: Any) -> None:
    amend(shop, POLICIES=({"MODE": "observe"},))
    session = ghost_at(fake, "captured")
    looks = len(fake.asked_for("lookup"))

    let_time_pass(hours=23)
    reconcile_due()
    too_early = len(fake.asked_for("lookup"))
    let_time_pass(hours=2)
    refunded_elsewhere(fake, session, AMOUNT_MINOR)
    reconcile_due()

    assert too_early == looks
    assert reloaded(session).resolution == "refunded"
    assert Discrepancy.objects.get(kind="undo_blocked").state == "closed"
    assert breaks(session.payment_collection) == []


def test_what_a_person_closed_is_not_told_again(fake: StagedProvider, shop: Any) -> None:
    amend(shop, POLICIES=({"MODE": "observe"},))
    session = ghost_at(fake, "captured")
    close_discrepancy(Discrepancy.objects.get(), actor=ANN, reason="Seen.")

    let_time_pass(days=2)
    reconcile_due()

    assert Discrepancy.objects.count() == 1
    assert reloaded(session).resolution == ""


def test_what_a_person_asks_for_needs_no_policy(fake: StagedProvider, shop: Any) -> None:
    amend(shop, POLICIES=({"MODE": "observe"},))
    session = session_at(FAKE)
    fake.pay(session.provider_reference)

    delete_payment_session(session)

    assert reloaded(session).resolution == "closed"
    assert fake.payment_of(session.pk).held_minor == 0


def test_a_session_that_the_buyer_replaces_is_closed_whatever_the_policy(
    fake: StagedProvider, shop: Any
) -> None:
    amend(shop, POLICIES=({"MODE": "observe"},))
    session = session_at(FAKE)

    create_payment_session(session.payment_collection, provider_id=FAKE, data={"other": True})

    assert reloaded(session).resolution == "closed"


@pytest.mark.parametrize("mode", ["observe", "propose"])
def test_the_object_of_a_declined_payment_is_left_payable(
    mode: str, fake: StagedProvider, shop: Any
) -> None:
    """The session is live: nobody is told of each declined card."""
    amend(shop, POLICIES=({"MODE": mode},))
    session = _declined(fake)

    for _ in range(2):
        reconcile_all()

    assert not fake.asked_for("cancel_payment")
    assert not Discrepancy.objects.exists()
    assert Proposal.objects.count() == (mode == "propose")
    assert breaks(session.payment_collection) == []


def test_the_object_of_a_declined_payment_is_closed_once_a_person_has_approved(
    fake: StagedProvider, shop: Any
) -> None:
    amend(shop, POLICIES=({"MODE": "propose"},))
    session = _declined(fake)

    approve_proposal(Proposal.objects.get(), actor=ANN, reason="Nobody shall pay it.")

    assert fake.payment_of(session.pk).state == "canceled"
    assert Proposal.objects.get().state == "done"
    assert reloaded(session).is_live
    assert breaks(session.payment_collection) == []


def test_the_object_of_a_declined_payment_is_left_alone_once_a_person_has_refused(
    fake: StagedProvider, shop: Any
) -> None:
    amend(shop, POLICIES=({"MODE": "propose"},))
    session = _declined(fake)

    reject_proposal(Proposal.objects.get(), actor=ANN, reason="The buyer is on the phone.")
    amend(shop, POLICIES=())
    reconcile_all()

    assert not fake.asked_for("cancel_payment")
    assert Proposal.objects.get().state == "rejected"
    assert reloaded(session).resolution == ""


def test_the_object_of_a_declined_payment_is_closed_where_the_policy_is_to_act(
    fake: StagedProvider, shop: Any
) -> None:
    amend(shop, POLICIES=({"MODE": "act", "KIND": "cancel"}, {"MODE": "observe"}))
    session = _declined(fake)

    assert fake.payment_of(session.pk).state == "canceled"


def _declined(fake: StagedProvider) -> PaymentSession:
    """A payment that was declined when it was started, and whose object can still be paid."""
    collection, session_id = collection_of(), new_id("payses")
    payment = FakePayment(session_id=session_id, amount_minor=AMOUNT_MINOR, currency_code="eur")
    fake.payments[payment.reference] = payment
    fake.script("initiate_payment", Failed(kind=FailureKind.DECLINED, payment=payment.snapshot()))
    with pytest.raises(PaymentDeclined):
        create_payment_session(collection, provider_id=FAKE, session_id=session_id)
    return only_session(collection)


def test_policies_of_undoing_write_no_call_that_is_not_asked(
    fake: StagedProvider, shop: Any
) -> None:
    amend(shop, POLICIES=({"MODE": "propose"},))
    ghost_at(fake, "captured")

    assert set(ProviderCall.objects.values_list("kind", flat=True)) == {"initiate"}
