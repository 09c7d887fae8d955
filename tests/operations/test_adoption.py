"""Late success: a session that was set aside pays after all, where that is just what is owed."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from medusa_payments.errors import PaymentIndeterminate
from medusa_payments.models import Payment, PaymentSession, ProviderCall
from medusa_payments.operations.automation import stop_automation
from medusa_payments.operations.cancellations import cancel_payment
from medusa_payments.operations.captures import capture_payment
from medusa_payments.operations.collection_closing import cancel_payment_collection
from medusa_payments.operations.collections import update_payment_collection
from medusa_payments.operations.refunds import refund_payment
from medusa_payments.operations.sessions import delete_payment_session
from medusa_payments.providers.types import Failed, FailureKind, Indeterminate, NoAnswer
from medusa_payments.reconciliation.sweep import reconcile_all
from medusa_payments.signals import payment_authorized, payment_captured, session_resolved
from medusa_payments.statuses import ProviderState
from medusa_payments.testing.fake_provider import FakePayment
from tests.laws.scenes import (
    AMOUNT_MINOR,
    FAKE,
    StagedProvider,
    breaks,
    collection_of,
    let_time_pass,
    listening,
    only_session,
    reloaded,
    session_at,
)
from tests.operations.ghosts import (
    ANN,
    amend,
    ghost_at,
    pay,
    refunded_elsewhere,
    set_aside_at,
    sweep_when_due,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def adopt(shop: Any, fake: StagedProvider) -> None:
    amend(shop, LATE_SUCCESS="adopt")


def _moved(fake: StagedProvider) -> list[str]:
    return [name for name, _ in fake.asked if name in ("cancel_payment", "refund_payment")]


@pytest.mark.parametrize("state", ["held", "captured"])
def test_a_late_success_pays_its_collection(state: str, fake: StagedProvider) -> None:
    session = set_aside_at(fake)
    pay(fake, session, state)

    with (
        listening(payment_authorized) as authorized,
        listening(payment_captured) as captured,
        listening(session_resolved) as resolved,
    ):
        sweep_when_due()
        reconcile_all()

    row, collection = reloaded(session), reloaded(session.payment_collection)
    assert (row.resolution, row.deleted_reason, row.deleted) == (
        "adopted",
        "indeterminate",
        session.deleted,
    )
    assert row.resolved_at is not None
    assert (len(authorized), len(resolved), len(captured)) == (1, 1, state == "captured")
    assert collection.status == ("completed" if state == "captured" else "authorized")
    assert (collection.authorized_minor, collection.captured_minor) == (
        AMOUNT_MINOR,
        AMOUNT_MINOR * (state == "captured"),
    )
    assert _moved(fake) == []
    assert not reconcile_all().unresolved
    assert breaks(collection) == []


def test_an_event_alone_does_not_decide(fake: StagedProvider) -> None:
    session = set_aside_at(fake)
    pay(fake, session, "held")
    lookups = len(fake.asked_for("lookup"))

    fake.tell(fake.payment_of(session.pk).reference)

    assert reloaded(session).resolution == "adopted"
    assert len(fake.asked_for("lookup")) == lookups + 1


@pytest.mark.parametrize(
    "act", [capture_payment, cancel_payment, refund_payment], ids=lambda act: act.__name__
)
def test_an_adopted_payment_is_captured_canceled_and_refunded_as_any(
    act: Callable[..., Any], fake: StagedProvider
) -> None:
    session = ghost_at(fake, "captured" if act is refund_payment else "held")
    payment = Payment.objects.get(payment_session=session)

    act(payment)
    reconcile_all()

    assert reloaded(session).resolution == "adopted"
    collection = reloaded(session.payment_collection)
    assert collection.status == ("not_paid" if act is cancel_payment else "completed")
    assert breaks(collection) == []


def test_the_live_unpaid_session_is_closed_so_that_nobody_pays_twice(
    fake: StagedProvider,
) -> None:
    ghost = set_aside_at(fake)
    live = session_at(FAKE, ghost.payment_collection)
    pay(fake, ghost, "captured")

    sweep_when_due()

    row = reloaded(live)
    assert reloaded(ghost).resolution == "adopted"
    assert (row.deleted_reason, row.resolution) == ("replaced", "closed")
    assert fake.payment_of(live.pk).state == "canceled"
    assert reloaded(ghost.payment_collection).status == "completed"
    assert breaks(ghost.payment_collection) == []


@pytest.mark.parametrize("state", ["action_required", "processing", "held", "captured"])
def test_while_the_buyer_pays_the_live_session_the_ghost_is_given_back(
    state: str, fake: StagedProvider
) -> None:
    """Its state at the provider counts, not the one that was recorded last."""
    ghost = set_aside_at(fake)
    live = session_at(FAKE, ghost.payment_collection)
    pay(fake, ghost, "captured")
    if state in ("held", "captured"):
        pay(fake, live, state)
    else:
        fake.payment_of(live.pk).state = ProviderState(state)

    sweep_when_due()

    assert reloaded(ghost).resolution == "refunded"
    assert reloaded(live).is_live
    assert fake.payment_of(live.pk).state == state
    assert breaks(ghost.payment_collection) == []


def test_a_live_session_that_is_paid_right_after_the_decision_goes_back(
    fake: StagedProvider,
) -> None:
    ghost = set_aside_at(fake)
    live = session_at(FAKE, ghost.payment_collection)
    pay(fake, ghost, "captured")
    fake.before["cancel_payment"] = lambda request: pay(fake, live, "captured")

    sweep_when_due()
    reconcile_all()

    assert reloaded(ghost).resolution == "adopted"
    assert reloaded(live).resolution == "refunded"
    kept = {
        each.session_id: each.captured_minor - each.refunded_minor
        for each in fake.payments.values()
    }
    assert kept == {ghost.pk: AMOUNT_MINOR, live.pk: 0}


def test_a_live_session_that_cannot_be_read_is_waited_for(fake: StagedProvider) -> None:
    ghost = set_aside_at(fake)
    live = session_at(FAKE, ghost.payment_collection)
    pay(fake, ghost, "held")
    _silent(fake, live)

    sweep_when_due()
    undecided = reloaded(ghost).resolution
    lookups = len(fake.asked_for("lookup"))
    del fake.__dict__["lookup"]
    let_time_pass(hours=1)
    sweep_when_due()

    assert undecided == ""
    assert lookups < 10
    assert reloaded(ghost).resolution == "adopted"
    assert _moved(fake) == ["cancel_payment"]


def _silent(fake: StagedProvider, session: PaymentSession) -> None:
    """The provider answers for everything but this session."""
    ask = fake.lookup

    def lookup(request: Any) -> Any:
        return NoAnswer() if request.session_id == session.pk else ask(request)

    fake.lookup = lookup  # type: ignore[method-assign]


def _repriced(fake: StagedProvider, ghost: PaymentSession) -> None:
    update_payment_collection(ghost.payment_collection, amount=Decimal("90"))


def _canceled(fake: StagedProvider, ghost: PaymentSession) -> None:
    cancel_payment_collection(ghost.payment_collection)


def _paid_otherwise(fake: StagedProvider, ghost: PaymentSession) -> None:
    live = session_at(FAKE, ghost.payment_collection)
    fake.pay(live.provider_reference)
    fake.tell(live.provider_reference)


def _partly_paid(fake: StagedProvider, ghost: PaymentSession) -> None:
    payment = fake.payment_of(ghost.pk)
    payment.amount_minor = payment.captured_minor = AMOUNT_MINOR - 1


def _refunded_in_part(fake: StagedProvider, ghost: PaymentSession) -> None:
    refunded_elsewhere(fake, ghost, 1)


@pytest.mark.parametrize(
    "changed", [_repriced, _canceled, _paid_otherwise, _partly_paid, _refunded_in_part]
)
def test_what_is_not_just_what_is_owed_goes_back(
    changed: Callable[[StagedProvider, PaymentSession], Any], fake: StagedProvider
) -> None:
    ghost = set_aside_at(fake)
    pay(fake, ghost, "captured")
    changed(fake, ghost)

    sweep_when_due()

    payment = fake.payment_of(ghost.pk)
    assert reloaded(ghost).resolution == "refunded"
    assert payment.captured_minor == payment.refunded_minor
    assert breaks(ghost.payment_collection) == []


@pytest.mark.parametrize("reason", ["replaced", "deleted"])
def test_only_what_was_set_aside_is_adopted(reason: str, fake: StagedProvider) -> None:
    session = session_at(FAKE)
    fake.script("cancel_payment", Failed(kind=FailureKind.RATE_LIMITED))
    if reason == "deleted":
        delete_payment_session(session)
    else:
        session_at(FAKE, session.payment_collection, other=True)
    pay(fake, session, "captured")

    reconcile_all()

    assert reloaded(session).resolution == "refunded"


def test_what_was_begun_to_be_given_back_is_not_adopted(fake: StagedProvider, shop: Any) -> None:
    amend(shop, LATE_SUCCESS="refund")
    fake.script("refund_payment", Failed(kind=FailureKind.REFUSED))
    session = ghost_at(fake, "captured")
    amend(shop, LATE_SUCCESS="adopt")

    reconcile_all()

    assert reloaded(session).resolution == "refunded"


def test_while_automation_is_stopped_nothing_is_decided(fake: StagedProvider) -> None:
    stop_automation(reason="r", actor=ANN)

    session = ghost_at(fake, "captured")

    assert reloaded(session).resolution == ""
    assert _moved(fake) == []
    assert ProviderCall.objects.get().next_attempt_at is not None


def test_proof_that_comes_after_not_created_is_adopted_too(fake: StagedProvider, shop: Any) -> None:
    amend(shop, NOT_FOUND_HORIZON=0)
    collection = collection_of()
    fake.script("initiate_payment", Indeterminate())
    with pytest.raises(PaymentIndeterminate):
        session_at(FAKE, collection)
    sweep_when_due()
    session = only_session(collection)
    assert session.resolution == "not_created"

    late = FakePayment(session_id=session.pk, amount_minor=AMOUNT_MINOR, currency_code="eur")
    fake.payments[late.reference] = late
    fake.pay(late.reference, capture=True)
    fake.tell(late.reference)

    assert reloaded(session).resolution == "adopted"
    assert reloaded(collection).status == "completed"
