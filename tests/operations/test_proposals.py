"""What waits for people: who may decide, how many it takes, and what is done then."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from medusa_payments.errors import AlreadyDecided, InvalidData, PersonRequired, SecondWord
from medusa_payments.models import AuditEntry, Discrepancy, Proposal, Refund
from medusa_payments.operations.actors import SWEEP, SYSTEM, WEBHOOK, Actor
from medusa_payments.operations.automation import stop_automation
from medusa_payments.operations.discrepancies import close_discrepancy
from medusa_payments.operations.proposals import approve_proposal, reject_proposal
from medusa_payments.providers.types import Failed, FailureKind, Indeterminate
from medusa_payments.reconciliation.sweep import reconcile_all
from medusa_payments.signals import session_resolved
from medusa_payments.statuses import Door, MovementStatus
from tests.laws.scenes import (
    AMOUNT_MINOR,
    StagedProvider,
    breaks,
    let_time_pass,
    listening,
    reloaded,
)
from tests.operations.ghosts import (
    ANN,
    BOB,
    amend,
    ghost_at,
    pay,
    refunded_elsewhere,
    set_aside_at,
    sweep_when_due,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def propose(shop: Any, fake: StagedProvider) -> None:
    amend(shop, POLICIES=({"MODE": "propose"},))


@pytest.mark.parametrize(
    ("state", "kind", "resolution"),
    [
        ("payable", "cancel", "closed"),
        ("held", "cancel", "closed"),
        ("captured", "refund", "refunded"),
    ],
)
def test_what_is_proposed_is_asked_only_after_a_person_has_approved(
    state: str, kind: str, resolution: str, fake: StagedProvider
) -> None:
    session = ghost_at(fake, state)
    for _ in range(2):
        reconcile_all()
    (proposal,) = Proposal.objects.all()
    asked = [name for name, _ in fake.asked if name in ("cancel_payment", "refund_payment")]

    done = approve_proposal(proposal, actor=ANN, reason="It is a ghost.")

    assert asked == []
    assert (proposal.kind, proposal.state, proposal.amount_minor) == (kind, "open", AMOUNT_MINOR)
    assert session.provider_reference in proposal.detail
    assert (done.state, done.open_key) == ("done", None)
    assert reloaded(session).resolution == resolution
    assert fake.payment_of(session.pk).held_minor == 0
    assert not reconcile_all().unresolved
    assert breaks(session.payment_collection) == []


def test_the_trail_names_who_approved_and_why(fake: StagedProvider) -> None:
    session = ghost_at(fake)

    approve_proposal(Proposal.objects.get(), actor=ANN, reason="It is a ghost.")

    entry = AuditEntry.objects.get(action="proposal.approved")
    assert (entry.actor, entry.door, entry.cause) == ("ann", "admin", "approve: It is a ghost.")
    assert AuditEntry.objects.get(action="call.refund").actor == "ann"
    assert breaks(session.payment_collection) == []


def test_above_the_limit_it_takes_two_different_persons(fake: StagedProvider, shop: Any) -> None:
    amend(shop, TWO_PERSONS_ABOVE={"eur": Decimal("100")})
    session = ghost_at(fake)
    proposal = Proposal.objects.get()

    first = approve_proposal(proposal, actor=ANN, reason="It is a ghost.")
    with pytest.raises(SecondWord, match="Ann"):
        approve_proposal(proposal, actor=Actor("Ann ", Door.COMMAND), reason="Once more.")
    still = reloaded(session)
    second = approve_proposal(proposal, actor=BOB, reason="I see it too.")

    assert (first.state, first.approvals_needed, still.resolution) == ("open", 2, "")
    assert second.state == "done"
    assert reloaded(session).resolution == "refunded"
    assert list(proposal.approvals.order_by("pk").values_list("actor", flat=True)) == ["ann", "bob"]
    assert breaks(session.payment_collection) == []


def test_no_part_of_the_system_decides(fake: StagedProvider) -> None:
    ghost_at(fake)

    for actor in (SYSTEM, SWEEP, WEBHOOK, Actor(" ", Door.ADMIN), Actor("b", Door.STORE_API)):
        for decide in (approve_proposal, reject_proposal):
            with pytest.raises(PersonRequired):
                decide(Proposal.objects.get(), actor=actor, reason="r")

    assert Proposal.objects.get().state == "open"
    assert not Refund.objects.exists()


def test_a_decision_needs_a_reason(fake: StagedProvider) -> None:
    ghost_at(fake)

    for decide in (approve_proposal, reject_proposal):
        with pytest.raises(InvalidData, match="reason"):
            decide(Proposal.objects.get(), actor=ANN, reason=" ")


def test_what_is_decided_is_not_decided_again(fake: StagedProvider) -> None:
    ghost_at(fake)
    proposal = Proposal.objects.get()
    approve_proposal(proposal, actor=ANN, reason="r")

    with pytest.raises(AlreadyDecided):
        reject_proposal(proposal, actor=BOB, reason="r")
    assert len(fake.asked_for("refund_payment")) == 1


def test_rejected_money_stays_where_it_is_by_a_named_person(fake: StagedProvider) -> None:
    session = ghost_at(fake)

    with listening(session_resolved) as told:
        rejected = reject_proposal(Proposal.objects.get(), actor=ANN, reason="The buyer wants it.")
    let_time_pass(days=3)
    reconcile_all()

    row = reloaded(session)
    assert (rejected.state, row.resolution, row.captured_minor) == (
        "rejected",
        "written_off",
        AMOUNT_MINOR,
    )
    assert [each["session"].pk for each in told] == [session.pk]
    assert AuditEntry.objects.get(action="session.resolved_written_off").actor == "ann"
    assert not fake.asked_for("refund_payment")
    assert Proposal.objects.count() == 1
    assert not reconcile_all().unresolved
    assert breaks(session.payment_collection) == []


@pytest.mark.parametrize(("state", "kind"), [("held", "cancel"), ("captured", "refund")])
def test_money_that_comes_in_after_a_rejection_is_another_matter(
    state: str, kind: str, fake: StagedProvider
) -> None:
    session = ghost_at(fake, "payable")
    reject_proposal(Proposal.objects.get(), actor=ANN, reason="Nobody will pay it.")

    pay(fake, session, state)
    fake.tell(fake.payment_of(session.pk).reference)

    assert reloaded(session).resolution == ""
    assert Proposal.objects.get(state="open").kind == kind
    assert breaks(session.payment_collection) == []


def test_what_is_given_back_elsewhere_closes_its_proposal(fake: StagedProvider) -> None:
    session = ghost_at(fake)
    refunded_elsewhere(fake, session, AMOUNT_MINOR)

    let_time_pass(days=2)
    sweep_when_due()

    assert Proposal.objects.get().state == "done"
    assert reloaded(session).resolution == "refunded"
    assert not fake.asked_for("refund_payment")
    assert breaks(session.payment_collection) == []


def test_only_what_is_still_needed_is_given_back(fake: StagedProvider) -> None:
    session = ghost_at(fake)
    refunded_elsewhere(fake, session, 3000)

    done = approve_proposal(Proposal.objects.get(), actor=ANN, reason="r")

    assert done.state == "done"
    assert fake.asked_for("refund_payment")[0].amount_minor == AMOUNT_MINOR - 3000
    assert reloaded(session).resolution == "refunded"


def test_a_larger_amount_than_was_approved_is_proposed_anew(fake: StagedProvider) -> None:
    """What somebody had given back in the dashboard fails at the bank meanwhile."""
    session = set_aside_at(fake)
    pay(fake, session, "captured")
    refunded_elsewhere(fake, session, 3000)
    sweep_when_due()
    smaller = Proposal.objects.get()
    refunds = fake.payment_of(session.pk).refunds
    refunds[0] = replace(refunds[0], status=MovementStatus.FAILED)

    approve_proposal(smaller, actor=ANN, reason="r")

    larger = Proposal.objects.get(state="open")
    assert (smaller.amount_minor, larger.amount_minor) == (AMOUNT_MINOR - 3000, AMOUNT_MINOR)
    assert reloaded(smaller).state == "done"
    assert not fake.asked_for("refund_payment")
    assert approve_proposal(larger, actor=ANN, reason="r").state == "done"
    assert breaks(session.payment_collection) == []


def test_another_kind_than_was_approved_is_proposed_anew(fake: StagedProvider) -> None:
    session = ghost_at(fake, "held")
    approve = Proposal.objects.get(kind="cancel")
    pay(fake, session, "captured")

    approve_proposal(approve, actor=ANN, reason="Release it.")

    assert not fake.asked_for("refund_payment")
    assert reloaded(approve).state == "done"
    assert Proposal.objects.get(state="open").kind == "refund"
    assert breaks(session.payment_collection) == []


def test_a_failed_try_goes_on_under_the_same_approval(fake: StagedProvider) -> None:
    session = ghost_at(fake)
    fake.script("refund_payment", Failed(kind=FailureKind.REFUSED))

    approved = approve_proposal(Proposal.objects.get(), actor=ANN, reason="r")
    sweep_when_due()

    assert approved.state == "approved"
    assert Proposal.objects.get().state == "done"
    assert reloaded(session).resolution == "refunded"
    assert fake.payment_of(session.pk).refunded_minor == AMOUNT_MINOR
    assert breaks(session.payment_collection) == []


def test_an_approved_refund_whose_answer_is_lost_is_made_once(fake: StagedProvider) -> None:
    session = ghost_at(fake)
    fake.script("refund_payment", Indeterminate(), executes=True)

    approve_proposal(Proposal.objects.get(), actor=ANN, reason="r")
    sweep_when_due()

    assert Proposal.objects.get().state == "done"
    assert fake.payment_of(session.pk).refunded_minor == AMOUNT_MINOR


def test_a_person_may_approve_while_automation_is_stopped(fake: StagedProvider) -> None:
    session = ghost_at(fake)
    stop_automation(reason="r", actor=BOB)

    approve_proposal(Proposal.objects.get(), actor=ANN, reason="r")

    assert reloaded(session).resolution == "refunded"


def test_a_discrepancy_is_closed_by_a_named_person_with_a_reason(
    fake: StagedProvider, shop: Any
) -> None:
    amend(shop, POLICIES=({"MODE": "observe"},))
    session = ghost_at(fake)
    discrepancy = Discrepancy.objects.get()

    with pytest.raises(PersonRequired):
        close_discrepancy(discrepancy, actor=SYSTEM, reason="r")
    with pytest.raises(InvalidData):
        close_discrepancy(discrepancy, actor=ANN, reason="")
    closed = close_discrepancy(discrepancy, actor=ANN, reason="Given back in cash.")
    with pytest.raises(AlreadyDecided, match="ann"):
        close_discrepancy(discrepancy, actor=BOB, reason="r")

    assert (closed.state, closed.closed_by) == ("closed", "ann")
    assert closed.closing_reason == "Given back in cash."
    entry = AuditEntry.objects.get(action="discrepancy.closed")
    assert (entry.actor, entry.cause) == ("ann", "closed: Given back in cash.")
    assert breaks(session.payment_collection) == []


def test_a_discrepancy_outside_of_any_chain_can_be_closed(shop: Any) -> None:
    ghost = Discrepancy.objects.create(kind="ghost", open_key="ghost:pi_1", detail="d")

    closed = close_discrepancy(ghost, actor=ANN, reason="A test shop with the live key.")

    assert (closed.state, closed.closed_by, closed.open_key) == ("closed", "ann", None)
    assert closed.closed_at is not None
    with pytest.raises(AlreadyDecided):
        close_discrepancy(ghost, actor=ANN, reason="r")
