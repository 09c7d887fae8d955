"""Law 7: money under a soft-deleted session goes back, exactly once, whatever state it is in.

Each case deletes a session whose object nobody could close at that moment, lets the buyer or the
bank act, and then lets the evidence in, by the sweep or by webhooks.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from medusa_payments.errors import (
    Conflict,
    MedusaPaymentsError,
    NotAllowed,
    PaymentIndeterminate,
)
from medusa_payments.models import (
    Discrepancy,
    Payment,
    PaymentSession,
    Proposal,
    ProviderCall,
    Refund,
)
from medusa_payments.operations.actors import Actor
from medusa_payments.operations.authorizations import authorize_payment_session
from medusa_payments.operations.captures import capture_payment
from medusa_payments.operations.proposals import approve_proposal
from medusa_payments.operations.sessions import delete_payment_session
from medusa_payments.providers.types import Failed, FailureKind, Indeterminate
from medusa_payments.reconciliation.sweep import reconcile_all, reconcile_due
from medusa_payments.statuses import Door, ProviderState
from medusa_payments.testing.stripe_simulator import StripeSimulator

from .fixtures import configure
from .scenes import (
    AMOUNT_MINOR,
    FAKE,
    STRIPE,
    StagedProvider,
    authorized_at,
    breaks,
    collection_of,
    deliver,
    let_time_pass,
    only_call,
    only_session,
    reloaded,
    session_at,
)

pytestmark = pytest.mark.django_db(transaction=True)


# How a session comes to be deleted while its object stays open


def _replaced(stripe: StripeSimulator) -> PaymentSession:
    session: PaymentSession = session_at(STRIPE)
    stripe.fault("drop_before", operation="payment_intents.cancel")
    session_at(STRIPE, session.payment_collection)
    return reloaded(session)


def _deleted(stripe: StripeSimulator) -> PaymentSession:
    session: PaymentSession = session_at(STRIPE)
    stripe.fault("drop_before", operation="payment_intents.cancel")
    delete_payment_session(session)
    return reloaded(session)


def _indeterminate(stripe: StripeSimulator) -> PaymentSession:
    collection = collection_of()
    stripe.fault("drop_after", operation="payment_intents.create")
    with pytest.raises(PaymentIndeterminate):
        session_at(STRIPE, collection)
    return only_session(collection)


REASONS: dict[str, Callable[[StripeSimulator], PaymentSession]] = {
    "replaced": _replaced,
    "deleted": _deleted,
    "indeterminate": _indeterminate,
}


# What the buyer and the bank then do


def _action_required(stripe: StripeSimulator, intent: str) -> None:
    stripe.pay(intent, "pm_card_threeDSecure2Required")
    assert stripe.object(intent)["status"] == "requires_action"


def _captured(stripe: StripeSimulator, intent: str) -> None:
    stripe.pay(intent)
    stripe.dashboard_capture(intent)


def _partly_captured(stripe: StripeSimulator, intent: str) -> None:
    stripe.pay(intent)
    stripe.dashboard_capture(intent, 4000)


def _partly_refunded(stripe: StripeSimulator, intent: str) -> None:
    _captured(stripe, intent)
    stripe.dashboard_refund(intent, 3000)


STATES: dict[str, tuple[Callable[[StripeSimulator, str], Any], str, int]] = {
    # name: what happens, the resolution, what was taken
    "payable": (lambda stripe, intent: None, "closed", 0),
    "action required": (_action_required, "closed", 0),
    "held": (lambda stripe, intent: stripe.pay(intent), "closed", 0),
    "captured": (_captured, "refunded", AMOUNT_MINOR),
    "partly captured": (_partly_captured, "refunded", 4000),
    "partly refunded": (_partly_refunded, "refunded", AMOUNT_MINOR),
    "canceled": (lambda stripe, intent: stripe.dashboard_cancel(intent), "closed", 0),
}


def _intent_of(stripe: StripeSimulator, session: PaymentSession) -> dict[str, Any]:
    (line,) = (
        line for line in stripe.ledger()["intents"].values() if line["session_id"] == session.pk
    )
    return dict(line)


def _tell_all(stripe: StripeSimulator) -> None:
    """Every event, also those of the undoing that the earlier ones set off."""
    told = 0
    while told < len(events := stripe.events()):
        for event in events[told:]:
            deliver(stripe, event["id"])
        told = len(events)


def _cases() -> list[Any]:
    """All by the sweep; by webhooks, every state in the default run, every reason in the long."""
    cases = []
    for reason, state, door in product(REASONS, STATES, ("sweep", "webhooks")):
        is_long = door == "webhooks" and reason != "indeterminate"
        marks = [pytest.mark.slow] if is_long else []
        cases.append(pytest.param(reason, state, door, marks=marks))
    return cases


@pytest.mark.parametrize(("reason", "state", "door"), _cases())
def test_it_goes_back_for_every_reason_and_from_every_state(
    reason: str, state: str, door: str, stripe: StripeSimulator
) -> None:
    happens, resolution, taken = STATES[state]
    session = REASONS[reason](stripe)
    happens(stripe, _intent_of(stripe, session)["id"])

    if door == "webhooks":
        _tell_all(stripe)
    reconcile_all()

    intent, row = _intent_of(stripe, session), reloaded(session)
    assert (row.deleted_reason, row.resolution) == (reason, resolution)
    assert row.resolved_at is not None
    assert intent["amount_received"] == intent["amount_refunded"] == taken
    assert (intent["held"], intent["kept"], intent["payable"]) == (0, 0, False)
    undone = [refund for refund in intent["refunds"] if "refund_id" in refund["metadata"]]
    assert len(undone) == bool(taken)
    assert not reconcile_all().unresolved
    assert breaks(row.payment_collection) == []


@pytest.mark.parametrize("reason", REASONS)
def test_processing_that_cannot_be_canceled_is_waited_for_and_then_given_back(
    reason: str, stripe: StripeSimulator
) -> None:
    session = REASONS[reason](stripe)
    intent = _intent_of(stripe, session)["id"]
    stripe.pay(intent, "pm_simulator_async")
    assert stripe.object(intent)["status"] == "processing"

    for _ in range(10):
        reconcile_all()
    waiting = reloaded(session)
    refusals = len(stripe.requests("payment_intents.cancel"))
    stripe.finish_processing(intent)
    if stripe.object(intent)["status"] == "requires_capture":
        stripe.dashboard_capture(intent)
    reconcile_all()

    assert waiting.resolution == ""
    assert waiting.provider_state == ProviderState.PROCESSING
    assert refusals <= 3
    assert reloaded(session).resolution == "refunded"
    assert _intent_of(stripe, session)["kept"] == 0
    assert not Discrepancy.objects.exists()


def test_processing_is_looked_at_daily(fake: StagedProvider) -> None:
    session = session_at(FAKE)
    fake.script("cancel_payment", Failed(kind=FailureKind.REFUSED))
    delete_payment_session(session)
    fake.payments[session.provider_reference].state = ProviderState.PROCESSING
    reconcile_all()
    looks = len(fake.asked_for("lookup"))

    let_time_pass(hours=23)
    reconcile_due()
    too_early = len(fake.asked_for("lookup"))
    let_time_pass(hours=2)
    reconcile_due()

    assert too_early == looks
    assert len(fake.asked_for("lookup")) == looks + 1


def test_processing_is_canceled_where_the_provider_allows_it(stripe: StripeSimulator) -> None:
    stripe.configure(allow_cancel_processing=True)
    session = _indeterminate(stripe)
    stripe.pay(_intent_of(stripe, session)["id"], "pm_simulator_async")

    reconcile_all()

    assert reloaded(session).resolution == "closed"
    assert _intent_of(stripe, session)["status"] == "canceled"


def test_partly_captured_goes_back_by_a_refund_and_a_cancel(fake: StagedProvider) -> None:
    """A provider that takes several captures holds the rest meanwhile."""
    session = session_at(FAKE)
    fake.script("cancel_payment", Failed(kind=FailureKind.RATE_LIMITED))
    delete_payment_session(session)
    payment = fake.payments[session.provider_reference]
    payment.state, payment.captured_minor, payment.held_minor = ProviderState.HELD, 4000, 6050
    fake.tell(payment.reference)

    reconcile_all()

    assert (payment.held_minor, payment.refunded_minor) == (0, 4000)
    assert reloaded(session).resolution == "refunded"


# Disputes


def test_disputed_money_is_not_given_back_beside_the_dispute(stripe: StripeSimulator) -> None:
    session = _indeterminate(stripe)
    intent = _intent_of(stripe, session)["id"]
    _captured(stripe, intent)
    dispute = stripe.dispute(intent)
    reconcile_all()

    assert reloaded(session).resolution == ""
    assert stripe.requests("refunds.create") == []
    stripe.close_dispute(dispute["id"], won=True)
    reconcile_all()

    assert reloaded(session).resolution == "refunded"
    assert _intent_of(stripe, session)["amount_refunded"] == AMOUNT_MINOR


def test_money_that_the_bank_took_back_for_good_is_back(stripe: StripeSimulator) -> None:
    session = _indeterminate(stripe)
    intent = _intent_of(stripe, session)["id"]
    _captured(stripe, intent)
    dispute = stripe.dispute(intent)
    reconcile_all()

    stripe.close_dispute(dispute["id"], won=False)
    report = reconcile_all()

    assert reloaded(session).resolution == "refunded"
    assert report.unresolved == 0
    assert stripe.requests("refunds.create") == []


# Refunds that do not end at once


def test_a_pending_refund_is_waited_for(stripe: StripeSimulator) -> None:
    session = _indeterminate(stripe)
    _captured(stripe, _intent_of(stripe, session)["id"])
    stripe.next_refund_status("pending")
    for _ in range(3):
        reconcile_all()
    waiting = reloaded(session).resolution

    (refund,) = stripe.requests("refunds.create")
    stripe.succeed_refund(_intent_of(stripe, session)["refunds"][0]["id"])
    _tell_all(stripe)
    reconcile_all()

    assert waiting == ""
    assert refund["executed"]
    assert reloaded(session).resolution == "refunded"
    assert len(stripe.requests("refunds.create")) == 1
    assert not Discrepancy.objects.filter(kind="unresolved").exists()


@pytest.mark.parametrize("door", ["sweep", "webhooks"])
def test_a_refund_that_fails_later_starts_it_again(door: str, stripe: StripeSimulator) -> None:
    session = _indeterminate(stripe)
    _captured(stripe, _intent_of(stripe, session)["id"])
    stripe.next_refund_status("pending")
    reconcile_all()
    stripe.fail_refund(_intent_of(stripe, session)["refunds"][0]["id"])

    if door == "webhooks":
        _tell_all(stripe)
    reconcile_all()

    assert _intent_of(stripe, session)["amount_refunded"] == AMOUNT_MINOR
    assert reloaded(session).resolution == "refunded"
    statuses = list(Refund.objects.order_by("pk").values_list("status", flat=True))
    assert statuses == ["failed", "succeeded"]


def test_a_refund_that_had_succeeded_and_fails_reopens_the_session(
    stripe: StripeSimulator,
) -> None:
    session = _indeterminate(stripe)
    _captured(stripe, _intent_of(stripe, session)["id"])
    reconcile_all()
    assert reloaded(session).resolution == "refunded"
    stripe.fail_refund(_intent_of(stripe, session)["refunds"][0]["id"])
    (failed,) = stripe.events(["refund.failed"])

    deliver(stripe, failed["id"])
    between = reloaded(session)
    reconcile_all()

    assert (between.resolution, between.resolved_at) == ("", None)
    assert reloaded(session).resolution == "refunded"
    assert _intent_of(stripe, session)["amount_refunded"] == AMOUNT_MINOR


# Exactly once


@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "error_500_after", "rate_limit"])
@pytest.mark.parametrize(
    ("happens", "operation"),
    [(_captured, "refunds.create"), (STATES["held"][0], "payment_intents.cancel")],
    ids=["refund", "cancel"],
)
def test_an_undoing_whose_answer_is_lost_happens_once(
    happens: Any, operation: str, fault: str, stripe: StripeSimulator
) -> None:
    session = _indeterminate(stripe)
    happens(stripe, _intent_of(stripe, session)["id"])
    stripe.fault(fault, operation=operation)

    reconcile_all()
    let_time_pass(hours=2)
    reconcile_all()

    intent = _intent_of(stripe, session)
    assert (intent["held"], intent["kept"]) == (0, 0)
    assert intent["amount_refunded"] == intent["amount_received"]
    assert reloaded(session).resolution in ("closed", "refunded")
    executed = [request for request in stripe.requests(operation) if request["executed"]]
    assert len(executed) == 1


def test_webhook_and_sweep_together_undo_once(stripe: StripeSimulator) -> None:
    session = _indeterminate(stripe)
    _captured(stripe, _intent_of(stripe, session)["id"])

    for _ in range(2):
        _tell_all(stripe)
        reconcile_all()

    assert len(stripe.requests("refunds.create")) == 1
    assert Refund.objects.filter(is_undoing=True).count() == 1


def test_what_goes_back_is_planned_from_a_look_and_not_from_an_event_alone(
    stripe: StripeSimulator,
) -> None:
    """Somebody has given part of it back meanwhile, and no event has told of that."""
    session = _indeterminate(stripe)
    _partly_refunded(stripe, _intent_of(stripe, session)["id"])

    deliver(stripe, stripe.events(["payment_intent.succeeded"])[0]["id"])

    (asked,) = stripe.requests("refunds.create")
    assert (asked["params"]["amount"], asked["status"]) == (str(AMOUNT_MINOR - 3000), 200)
    assert _intent_of(stripe, session)["kept"] == 0


def test_an_undoing_that_was_refused_is_tried_again(fake: StagedProvider) -> None:
    session = session_at(FAKE)
    fake.script("cancel_payment", Failed(kind=FailureKind.RATE_LIMITED))
    delete_payment_session(session)
    assert only_call("cancel").state == "failed"

    let_time_pass(minutes=5)
    reconcile_due()

    assert fake.payments[session.provider_reference].state == ProviderState.CANCELED
    assert reloaded(session).resolution == "closed"
    assert ProviderCall.objects.filter(kind="cancel").count() == 2


def test_an_undoing_that_is_refused_for_ever_is_shown_and_never_ends(
    shop: Any, stripe: StripeSimulator
) -> None:
    configure(shop, RECONCILE_SCHEDULE=(10, 60))
    session = session_at(STRIPE)
    stripe.fault("rate_limit", operation="payment_intents.cancel", times=None)
    delete_payment_session(session)
    for _ in range(6):
        let_time_pass(hours=1)
        reconcile_due()
    blocked = Discrepancy.objects.get(kind="undo_blocked")
    assert (blocked.state, blocked.payment_session_id) == ("open", session.pk)

    stripe.clear_faults()
    let_time_pass(hours=1)
    reconcile_due()

    assert reloaded(session).resolution == "closed"
    assert (reloaded(blocked).state, reloaded(blocked).closed_by) == ("closed", "sweep")


# Answers that arrive late


def test_an_answer_that_arrives_after_its_session_was_replaced_is_undone(
    fake: StagedProvider,
) -> None:
    collection = collection_of()
    fake.after["initiate_payment"] = lambda request: session_at(FAKE, collection)

    with pytest.raises(Conflict):
        session_at(FAKE, collection)

    replaced = PaymentSession.deleted_objects.get()
    live = PaymentSession.objects.get()
    assert (replaced.deleted_reason, replaced.resolution) == ("replaced", "closed")
    assert fake.payment_of(replaced.pk).state == ProviderState.CANCELED
    assert fake.payment_of(live.pk).state == ProviderState.PAYABLE


def test_money_taken_under_a_session_that_was_replaced_meanwhile_goes_back(
    fake: StagedProvider,
) -> None:
    collection = collection_of()

    def replace_and_pay(request: Any) -> None:
        session_at(FAKE, collection)
        reference = fake.payment_of(request.session_id).reference
        fake.pay(reference, capture=True)
        fake.tell(reference)

    fake.after["initiate_payment"] = replace_and_pay
    with pytest.raises(Conflict):
        session_at(FAKE, collection)
    reconcile_all()

    replaced = PaymentSession.deleted_objects.get()
    assert replaced.resolution == "refunded"
    assert fake.payment_of(replaced.pk).refunded_minor == AMOUNT_MINOR


def test_an_object_that_appears_after_it_was_believed_absent_is_undone(
    shop: Any, stripe: StripeSimulator
) -> None:
    configure(shop, NOT_FOUND_HORIZON=0)
    collection = collection_of()
    stripe.fault("drop_before", operation="payment_intents.create")
    with pytest.raises(PaymentIndeterminate):
        session_at(STRIPE, collection)
    reconcile_all()
    session = only_session(collection)
    assert session.resolution == "not_created"
    assert only_call("initiate").is_provisional

    stripe.foreign_intent(AMOUNT_MINOR, metadata={"session_id": session.pk})
    _tell_all(stripe)
    reconcile_all()

    assert reloaded(session).resolution == "refunded"
    assert stripe.ledger()["totals"]["eur"]["kept"] == 0
    initiate = only_call("initiate")
    assert (initiate.state, initiate.is_provisional) == ("succeeded", False)


def test_an_adopted_session_keeps_its_money(fake: StagedProvider) -> None:
    session = session_at(FAKE)
    fake.script("cancel_payment", Failed(kind=FailureKind.RATE_LIMITED))
    deleted = delete_payment_session(session)
    PaymentSession.all_objects.filter(pk=session.pk).update(
        resolution="adopted", resolved_at=deleted.deleted
    )

    fake.pay(session.provider_reference)
    fake.tell(session.provider_reference)
    reconcile_all()

    assert fake.payments[session.provider_reference].held_minor == AMOUNT_MINOR
    assert len(fake.asked_for("cancel_payment")) == 1


def test_money_that_goes_back_cannot_be_captured_meanwhile(fake: StagedProvider) -> None:
    payment = authorized_at(fake)
    fake.script("cancel_payment", Failed(kind=FailureKind.RATE_LIMITED))
    delete_payment_session(payment.payment_session)

    with pytest.raises(NotAllowed):
        capture_payment(payment)

    assert fake.asked_for("capture_payment") == []


def test_a_deleted_session_is_not_authorized_for_whoever_still_holds_it(
    fake: StagedProvider,
) -> None:
    """The shop would complete an order whose money is going back."""
    session = session_at(FAKE)
    held_by_another_request = reloaded(session)
    fake.script("cancel_payment", Failed(kind=FailureKind.RATE_LIMITED))
    delete_payment_session(session)
    fake.pay(session.provider_reference)

    with pytest.raises(MedusaPaymentsError):
        authorize_payment_session(held_by_another_request)

    let_time_pass(hours=1)
    reconcile_all()
    assert reloaded(session).resolution == "closed"
    assert fake.payments[session.provider_reference].held_minor == 0


def test_a_live_session_is_never_undone(stripe: StripeSimulator) -> None:
    session = session_at(STRIPE)
    stripe.pay(session.provider_reference)

    _tell_all(stripe)
    reconcile_all()

    assert Payment.objects.get().payment_session_id == session.pk
    assert stripe.requests("payment_intents.cancel") == []


def test_the_object_of_a_declined_payment_is_closed_even_if_that_is_refused_at_first(
    stripe: StripeSimulator,
) -> None:
    stripe.fault("rate_limit", operation="payment_intents.cancel", times=1)
    with pytest.raises(MedusaPaymentsError):
        session_at(STRIPE, confirm=True, payment_method="pm_card_chargeDeclined")

    let_time_pass(hours=1)
    reconcile_all()

    (line,) = stripe.ledger()["intents"].values()
    assert line["status"] == "canceled"


def test_an_indeterminate_undoing_is_not_asked_beside(fake: StagedProvider) -> None:
    """While a cancel is not resolved, the next step is not planned."""
    session = session_at(FAKE)
    fake.script("cancel_payment", Indeterminate())
    fake.after["cancel_payment"] = lambda request: fake.script("lookup", RuntimeError())
    delete_payment_session(session)
    assert only_call("cancel").state == "indeterminate"
    fake.pay(session.provider_reference, capture=True)

    fake.tell(session.provider_reference)
    reconcile_all()

    payment = fake.payments[session.provider_reference]
    assert payment.refunded_minor == AMOUNT_MINOR
    assert len(fake.asked_for("refund_payment")) == 1
    assert reloaded(only_call("cancel")).state == "failed"
    assert reloaded(session).resolution == "refunded"


# Adopted, or given back: decided once


def test_a_late_success_at_stripe_is_adopted_or_given_back_and_never_both(
    stripe: StripeSimulator, shop: Any
) -> None:
    shop.MEDUSA_PAYMENTS["LATE_SUCCESS"] = "adopt"
    session = _indeterminate(stripe)
    live = session_at(STRIPE, session.payment_collection)
    _captured(stripe, _intent_of(stripe, session)["id"])

    _tell_all(stripe)
    reconcile_all()

    assert reloaded(session).resolution == "adopted"
    assert (reloaded(live).deleted_reason, reloaded(live).resolution) == ("replaced", "closed")
    assert (_intent_of(stripe, session)["kept"], _intent_of(stripe, live)["payable"]) == (
        AMOUNT_MINOR,
        False,
    )
    assert stripe.requests("refunds.create") == []
    assert reloaded(session.payment_collection).captured_minor == AMOUNT_MINOR
    assert not reconcile_all().unresolved
    assert breaks(session.payment_collection) == []


@pytest.mark.parametrize("mode", ["propose", "observe"])
def test_what_policy_holds_back_is_neither_asked_nor_forgotten(
    mode: str, stripe: StripeSimulator, shop: Any
) -> None:
    shop.MEDUSA_PAYMENTS["POLICIES"] = ({"MODE": mode, "KIND": "refund"},)
    session = _indeterminate(stripe)
    _captured(stripe, _intent_of(stripe, session)["id"])
    _tell_all(stripe)
    held_back = reconcile_all()

    shop.MEDUSA_PAYMENTS["POLICIES"] = ()
    for proposal in Proposal.objects.all():
        approve_proposal(proposal, actor=Actor("ann", Door.ADMIN), reason="A ghost.")
    reconcile_all()

    assert held_back.unresolved == 1
    assert reloaded(session).resolution == "refunded"
    assert _intent_of(stripe, session)["amount_refunded"] == AMOUNT_MINOR
    assert len(stripe.requests("refunds.create")) == 1
    assert breaks(session.payment_collection) == []
