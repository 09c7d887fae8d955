"""Amount, currency, session and object in every answer and event are held against what was asked;
a difference is shown to a person, and is never a success."""

from __future__ import annotations

import copy
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from medusa_payments import signals
from medusa_payments.errors import NotAllowed, PaymentIndeterminate, PaymentProviderUnavailable
from medusa_payments.models import (
    Capture,
    Discrepancy,
    Dispute,
    Payment,
    PaymentCollection,
    PaymentSession,
    ProviderCall,
    Refund,
    WebhookEvent,
)
from medusa_payments.operations.authorizations import authorize_payment_session
from medusa_payments.operations.cancellations import cancel_payment
from medusa_payments.operations.captures import capture_payment
from medusa_payments.operations.refunds import refund_payment
from medusa_payments.operations.session_updates import update_payment_session
from medusa_payments.operations.sessions import delete_payment_session
from medusa_payments.providers.types import Indeterminate
from medusa_payments.reconciliation.sweep import reconcile_all
from medusa_payments.statuses import ProviderState
from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.laws.fixtures import configure_stripe
from tests.laws.scenes import (
    AMOUNT_MINOR,
    CONFIRMED,
    FAKE,
    STRIPE,
    TAKEN,
    StagedProvider,
    authorized_at,
    authorized_at_stripe,
    breaks,
    captured_at_stripe,
    collection_of,
    deliver_changed,
    let_leases_end,
    let_time_pass,
    listening,
    only_call,
    only_session,
    reloaded,
    session_at,
)

pytestmark = pytest.mark.django_db(transaction=True)

ANOTHER = "another"  # stands for the id of another session's intent
TEN = Decimal("10")


def found() -> list[tuple[str, str]]:
    return sorted(Discrepancy.objects.values_list("kind", "state"))


def altered(
    stripe: StripeSimulator, operation: str, changes: dict[str, Any], *, times: int | None = 1
) -> None:
    if ANOTHER in changes.values():
        other = session_at(STRIPE).provider_reference
        changes = {path: other if to == ANOTHER else to for path, to in changes.items()}
    stripe.fault("altered", operation, changes=changes, times=times)


def ends_as_the_ledger_says(stripe: StripeSimulator) -> None:
    """Every session's facts, captures and refunds are those of its intent, and all is known."""
    for session in PaymentSession.all_objects.all():
        line = stripe.ledger()["intents"][session.provider_reference]
        own = {"payment__payment_session": session, "status": "succeeded"}
        assert line["session_id"] == session.pk
        assert (line["amount_received"], line["held"]) == (
            session.captured_minor,
            session.held_minor,
        )
        assert line["amount_received"] == sum(
            each.amount_minor for each in Capture.objects.filter(**own)
        )
        assert line["amount_refunded"] == sum(
            each.amount_minor for each in Refund.objects.filter(**own)
        )
        assert session.is_live or (line["kept"], line["held"], line["payable"]) == (0, 0, False)
    assert not ProviderCall.objects.filter(state__in=("open", "indeterminate")).exists()
    assert [each for each in PaymentCollection.objects.all() if breaks(each)] == []


# Answers


OF_THE_OBJECT = [
    ({"id": ANOTHER}, "status"),
    ({"metadata.session_id": "payses_of_another"}, "status"),
    ({"currency": "usd"}, "currency"),
]


SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    ("data", "changes", "kind"),
    [
        pytest.param(TAKEN, {"id": ANOTHER}, "status"),
        pytest.param(TAKEN, {"currency": "usd"}, "currency"),
        pytest.param({}, {"metadata.session_id": "payses_of_another"}, "status"),
        pytest.param({}, {"amount": 5}, "amount"),
        pytest.param(CONFIRMED, {"amount": 5}, "amount", marks=SLOW),
        pytest.param(TAKEN, {"amount": 5}, "amount", marks=SLOW),
        *(pytest.param(CONFIRMED, *each, marks=SLOW) for each in OF_THE_OBJECT),
    ],
)
def test_a_session_whose_first_answer_differs_is_set_aside_and_given_back(
    data: dict[str, Any], changes: dict[str, Any], kind: str, stripe: StripeSimulator
) -> None:
    collection = collection_of()
    altered(stripe, "payment_intents.create", changes)

    with pytest.raises(PaymentIndeterminate):
        session_at(STRIPE, collection, **data)

    session = only_session(collection)
    assert (session.deleted_reason, session.provider_reference) == ("indeterminate", "")
    assert found() == [(kind, "open")]
    assert not reloaded(collection).authorized_minor
    reconcile_all()
    assert reloaded(session).resolution == ("refunded" if data == TAKEN else "closed")
    assert found() == [(kind, "closed")]
    ends_as_the_ledger_says(stripe)


def _captures(payment: Payment) -> Any:
    return capture_payment(payment)


def _cancels(payment: Payment) -> Any:
    return cancel_payment(payment)


def _refunds(payment: Payment) -> Any:
    return refund_payment(payment, amount=TEN)


ANSWERS = [
    ("capture", {"id": ANOTHER}, "status"),
    ("capture", {"amount_received": 5}, "amount"),
    ("cancel", {"id": ANOTHER}, "status"),
    ("refund", {"payment_intent": ANOTHER}, "status"),
    ("refund", {"metadata.refund_id": "ref_of_another"}, "status"),
    ("refund", {"currency": "usd"}, "currency"),
    ("refund", {"amount": 5}, "amount"),
    *(pytest.param("capture", *each, marks=SLOW) for each in OF_THE_OBJECT[1:]),
    pytest.param("capture", {"amount": 5}, "amount", marks=SLOW),
    pytest.param("capture", {"amount_received": 2 * AMOUNT_MINOR}, "amount", marks=SLOW),
    *(pytest.param("cancel", *each, marks=SLOW) for each in OF_THE_OBJECT[1:]),
    pytest.param("cancel", {"amount": 5}, "amount", marks=SLOW),
]
ACTS: dict[str, tuple[Callable[[Payment], Any], str, Callable[[StripeSimulator], Payment]]] = {
    "capture": (_captures, "payment_intents.capture", authorized_at_stripe),
    "cancel": (_cancels, "payment_intents.cancel", authorized_at_stripe),
    "refund": (_refunds, "refunds.create", captured_at_stripe),
}


@pytest.mark.parametrize(("act", "changes", "kind"), ANSWERS)
def test_an_answer_that_differs_is_no_success_until_a_lookup_shows_what_is_true(
    act: str, changes: dict[str, Any], kind: str, stripe: StripeSimulator
) -> None:
    perform, operation, stage = ACTS[act]
    payment = stage(stripe)
    altered(stripe, operation, changes, times=None)
    stripe.fault("rate_limit", "payment_intents.retrieve", times=None)

    perform(payment)

    call = only_call(act)
    assert call.state == "indeterminate"
    assert call.attempts[-1]["code"] == "unlike_asked"
    assert found() == [(kind, "open")]
    assert reloaded(payment).canceled_at is None
    assert "succeeded" not in {each.status for each in _movements_of(call)}
    stripe.clear_faults()
    reconcile_all()
    assert reloaded(call).state == "succeeded"
    assert found() == [(kind, "closed")]
    ends_as_the_ledger_says(stripe)


def _movements_of(call: ProviderCall) -> list[Capture | Refund]:
    return [each for each in (call.capture, call.refund) if each is not None]


def test_an_answer_that_names_an_earlier_refund_is_no_second_one(stripe: StripeSimulator) -> None:
    payment = captured_at_stripe(stripe)
    first = refund_payment(payment, amount=TEN)
    stripe.fault("altered", "refunds.create", changes={"id": first.provider_reference})

    second = refund_payment(payment, amount=TEN)

    assert reloaded(second).status == "succeeded"
    assert reloaded(second).provider_reference != first.provider_reference
    assert found() == [("status", "closed")]
    ends_as_the_ledger_says(stripe)


@pytest.mark.parametrize(
    ("changes", "kind"), [*OF_THE_OBJECT, ({"amount": AMOUNT_MINOR}, "amount")]
)
def test_an_update_whose_answer_differs_is_looked_up(
    changes: dict[str, Any], kind: str, stripe: StripeSimulator
) -> None:
    session = session_at(STRIPE)
    altered(stripe, "payment_intents.update", changes)

    updated = update_payment_session(session, amount=Decimal("20"))

    assert (updated.amount_minor, updated.provider_amount_minor) == (2000, 2000)
    assert updated.data["client_secret"]
    assert found() == [(kind, "closed")]
    ends_as_the_ledger_says(stripe)


def test_a_refund_made_at_another_amount_is_recorded_as_made(stripe: StripeSimulator) -> None:
    """The provider itself says so, not only one answer."""
    payment = captured_at_stripe(stripe)
    for operation in ("refunds.create", "refunds.list"):
        path = "amount" if operation == "refunds.create" else "data.amount"
        stripe.fault("altered", operation, changes={path: 300}, times=None)
    path = "latest_charge.refunds.data.amount"
    stripe.fault("altered", "payment_intents.retrieve", changes={path: 300}, times=None)

    refund = refund_payment(payment, amount=TEN)

    assert (reloaded(refund).status, reloaded(refund).amount_minor) == ("succeeded", 300)
    assert ("amount", "open") in found()


def test_an_answer_of_another_account_is_no_answer(shop: Any, stripe: StripeSimulator) -> None:
    configure_stripe(shop, ACCOUNT_ID="acct_of_this_shop")
    payment = authorized_at_stripe(stripe)
    changes = {"headers.Stripe-Account": "acct_of_another_shop"}
    stripe.fault("altered", "*", changes=changes, times=None)

    capture_payment(payment)

    assert only_call("capture").state == "indeterminate"
    stripe.clear_faults()
    reconcile_all()
    ends_as_the_ledger_says(stripe)


# Lookups


@pytest.mark.parametrize("changes", [{"id": ANOTHER}, {"metadata.session_id": "payses_of_another"}])
def test_a_lookup_that_shows_another_object_teaches_nothing(
    changes: dict[str, Any], stripe: StripeSimulator
) -> None:
    payment = authorized_at_stripe(stripe)
    altered(stripe, "payment_intents.retrieve", changes, times=None)
    stripe.fault("drop_after", "payment_intents.capture", times=None)

    capture_payment(payment)

    call, before = only_call("capture"), reloaded(payment.payment_session)
    assert call.state == "indeterminate"
    assert (before.captured_minor, before.held_minor) == (0, AMOUNT_MINOR)
    assert found() == [("status", "open")]
    stripe.clear_faults()
    reconcile_all()
    assert reloaded(call).state == "succeeded"
    ends_as_the_ledger_says(stripe)


def test_a_refund_is_not_believed_absent_on_the_sight_of_another_object(
    stripe: StripeSimulator,
) -> None:
    payment, other = captured_at_stripe(stripe), captured_at_stripe(stripe)
    changes = {"id": other.payment_session.provider_reference, "latest_charge.refunds.data": []}
    stripe.fault("altered", "payment_intents.retrieve", changes=changes, times=None)
    stripe.fault("drop_after", "refunds.create", times=None)
    refund = refund_payment(payment, amount=TEN)

    let_time_pass(hours=30)  # its key is forgotten, and the horizon is over
    reconcile_all()

    assert reloaded(refund).status == "indeterminate"
    stripe.clear_faults()
    reconcile_all()
    assert reloaded(refund).status == "succeeded"
    ends_as_the_ledger_says(stripe)


def test_a_session_is_not_closed_on_the_sight_of_another_object(stripe: StripeSimulator) -> None:
    session = session_at(STRIPE)
    altered(stripe, "payment_intents.retrieve", {"id": ANOTHER})

    with pytest.raises(PaymentProviderUnavailable):
        delete_payment_session(session)

    assert reloaded(session).is_live


def test_of_two_objects_with_our_mark_the_known_one_is_the_sessions(
    stripe: StripeSimulator,
) -> None:
    """The listing of a sweep shows the second, which was taken, before the one that is held."""
    payments = [authorized_at_stripe(stripe) for _ in range(3)]
    marked = {"session_id": payments[0].payment_session_id}
    stripe.foreign_intent(700, metadata=marked)
    for _ in payments:
        stripe.fault("drop_after", "payment_intents.capture")
    stripe.fault("rate_limit", "payment_intents.retrieve", times=None)
    for payment in payments:
        capture_payment(payment)
    stripe.clear_faults()

    let_time_pass(minutes=5)
    reconcile_all()

    assert [each.captured_minor for each in PaymentSession.objects.all()] == [AMOUNT_MINOR] * 3
    assert set(found()) <= {("duplicate", "open")}
    assert not Refund.objects.exists()


# What the provider holds or took otherwise than asked


def _by_event(fake: StagedProvider, session: PaymentSession) -> None:
    fake.tell(session.provider_reference)


def _by_lookup(fake: StagedProvider, session: PaymentSession) -> None:
    reconcile_all()


WAYS = pytest.mark.parametrize("way", [_by_event, _by_lookup])


@WAYS
@pytest.mark.parametrize("capture", [False, True], ids=["held", "taken"])
def test_money_at_less_than_asked_is_recorded_and_covers_only_that(
    capture: bool, way: Callable[..., None], fake: StagedProvider
) -> None:
    session = session_at(FAKE)
    fake.payments[session.provider_reference].amount_minor = 5000
    fake.pay(session.provider_reference, capture=capture)

    way(fake, session)

    collection = reloaded(session.payment_collection)
    assert Payment.objects.get().amount_minor == 5000
    assert (collection.status, collection.authorized_minor) == ("partially_authorized", 5000)
    assert collection.captured_minor == (5000 if capture else 0)
    assert ("amount", "open") in found()


@WAYS
def test_of_more_than_asked_no_more_is_captured_than_was_asked(
    way: Callable[..., None], fake: StagedProvider
) -> None:
    session = session_at(FAKE)
    fake.payments[session.provider_reference].amount_minor = 5 * AMOUNT_MINOR
    fake.pay(session.provider_reference)
    way(fake, session)

    capture_payment(Payment.objects.get())

    assert fake.payments[session.provider_reference].captured_minor == AMOUNT_MINOR
    assert found() == [("amount", "open")]


@WAYS
@pytest.mark.parametrize("capture", [False, True], ids=["held", "taken"])
def test_money_in_another_currency_is_recorded_and_pays_for_nothing(
    capture: bool, way: Callable[..., None], fake: StagedProvider
) -> None:
    session = session_at(FAKE)
    fake.payments[session.provider_reference].currency_code = "usd"
    fake.pay(session.provider_reference, capture=capture)

    with (
        listening(signals.payment_authorized) as authorized,
        listening(signals.payment_captured) as captured,
        listening(signals.discrepancy_opened) as told,
    ):
        way(fake, session)

    collection, payment = reloaded(session.payment_collection), Payment.objects.get()
    assert (payment.currency_code, payment.amount_minor) == ("usd", AMOUNT_MINOR)
    assert (collection.authorized_minor, collection.captured_minor) == (0, 0)
    assert collection.status == "awaiting"
    assert reloaded(session).status == "error"
    assert (authorized, captured) == ([], [])
    (discrepancy,) = [
        each["discrepancy"] for each in told if each["discrepancy"].kind == "currency"
    ]
    assert (discrepancy.amount_minor, discrepancy.currency_code) == (AMOUNT_MINOR, "usd")
    with pytest.raises(NotAllowed, match="usd"):
        authorize_payment_session(session)


def test_money_in_another_currency_can_be_given_back(fake: StagedProvider) -> None:
    session = session_at(FAKE)
    fake.payments[session.provider_reference].currency_code = "usd"
    fake.pay(session.provider_reference, capture=True)
    fake.tell(session.provider_reference)

    refund = refund_payment(Payment.objects.get())

    assert (refund.status, refund.amount_minor) == ("succeeded", AMOUNT_MINOR)
    assert fake.asked_for("refund_payment")[0].currency_code == "usd"
    assert reloaded(session.payment_collection).refunded_minor == 0


def test_money_of_a_lost_start_in_another_currency_goes_back(fake: StagedProvider) -> None:
    collection = collection_of()
    fake.script("initiate_payment", Indeterminate(), executes=True)
    with pytest.raises(PaymentIndeterminate):
        session_at(FAKE, collection)
    seen = fake.payment_of(only_session(collection).pk)
    seen.currency_code = "jpy"
    fake.pay(seen.reference, capture=True)

    reconcile_all()

    assert only_session(collection).resolution == "refunded"
    assert seen.refunded_minor == AMOUNT_MINOR
    assert fake.asked_for("refund_payment")[0].currency_code == "jpy"


@pytest.mark.parametrize(
    "change", [{"amount_minor": 5000}, {"currency_code": "usd"}], ids=["amount", "currency"]
)
def test_an_object_that_asks_for_something_else_is_not_handed_out(
    change: dict[str, Any], fake: StagedProvider
) -> None:
    session = session_at(FAKE)
    (name, value), *_ = change.items()
    setattr(fake.payments[session.provider_reference], name, value)

    reconcile_all()

    assert "client_secret" not in reloaded(session).data
    assert [state for _, state in found()] == ["open"]


def test_what_was_held_in_one_currency_is_not_taken_in_another(fake: StagedProvider) -> None:
    payment = authorized_at(fake)
    seen = fake.payment_of(payment.payment_session_id)
    seen.currency_code, seen.state, seen.held_minor = "usd", ProviderState.CAPTURED, 0
    seen.captured_minor = AMOUNT_MINOR

    fake.tell(seen.reference)
    reconcile_all()

    assert not Capture.objects.exists()
    assert reloaded(payment.payment_session).captured_minor == 0
    assert found() == [("currency", "open")]


# Events


def _object_of(stripe: StripeSimulator, kind: str) -> tuple[dict[str, Any], dict[str, Any]]:
    event = stripe.events([kind])[-1]
    return event, copy.deepcopy(event["data"]["object"])


@pytest.mark.parametrize("is_known", [True, False])
def test_an_event_that_names_one_session_and_anothers_object_is_evidence_of_nothing(
    is_known: bool, stripe: StripeSimulator
) -> None:
    ours, other = session_at(STRIPE), session_at(STRIPE)
    stripe.pay(other.provider_reference)
    if not is_known:
        PaymentSession.objects.filter(pk=ours.pk).update(provider_reference="")
    event, told = _object_of(stripe, "payment_intent.amount_capturable_updated")
    told["metadata"]["session_id"] = ours.pk

    deliver_changed(event, data={"object": told})

    assert WebhookEvent.objects.get().state == "quarantined"
    assert {each.provider_state for each in PaymentSession.objects.all()} == {"payable"}
    assert not Payment.objects.exists()
    assert found() == [("status", "open")]
    assert Discrepancy.objects.get().payment_session_id == ours.pk


@pytest.mark.parametrize("named", ["payses_of_nobody", "ours"])
def test_a_refund_that_names_one_session_and_anothers_payment_is_recorded_for_none(
    named: str, stripe: StripeSimulator
) -> None:
    ours, other = captured_at_stripe(stripe), captured_at_stripe(stripe)
    stripe.dashboard_refund(other.payment_session.provider_reference, 1000)
    event, told = _object_of(stripe, "refund.created")
    told["metadata"] = {"session_id": ours.payment_session_id if named == "ours" else named}

    deliver_changed(event, data={"object": told})

    assert not Refund.objects.exists()
    assert WebhookEvent.objects.get().state == "quarantined"
    assert [kind for kind, _ in found()] == ["status"]


def test_a_refund_in_another_currency_is_shown_and_not_counted(stripe: StripeSimulator) -> None:
    payment = captured_at_stripe(stripe)
    stripe.dashboard_refund(payment.payment_session.provider_reference, 1000)
    event, told = _object_of(stripe, "refund.created")

    deliver_changed(event, data={"object": {**told, "currency": "usd"}})

    assert not Refund.objects.exists()
    assert found() == [("currency", "open")]
    assert Discrepancy.objects.get().currency_code == "usd"


def test_a_dispute_that_is_recorded_for_one_payment_is_not_moved_to_another(
    stripe: StripeSimulator,
) -> None:
    ours, other = captured_at_stripe(stripe), captured_at_stripe(stripe)
    dispute = stripe.dispute(ours.payment_session.provider_reference, 1000)
    event, told = _object_of(stripe, "charge.dispute.created")
    deliver_changed(event)
    told |= {"payment_intent": other.payment_session.provider_reference, "status": "won"}

    deliver_changed(event, id="evt_second", data={"object": told})

    recorded = Dispute.objects.get(provider_reference=dispute["id"])
    assert (recorded.payment_id, recorded.status) == (ours.pk, "open")
    assert ("status", "open") in found()


def test_a_dispute_in_another_currency_leaves_nothing_refundable(stripe: StripeSimulator) -> None:
    payment = captured_at_stripe(stripe)
    stripe.dispute(payment.payment_session.provider_reference, 1000)
    event, told = _object_of(stripe, "charge.dispute.created")
    stripe.fault("rate_limit", "payment_intents.retrieve", times=None)

    deliver_changed(event, data={"object": {**told, "currency": "usd"}})

    assert Dispute.objects.get().amount_minor == AMOUNT_MINOR
    assert [kind for kind, _ in found()] == ["currency", "dispute"]


def test_an_object_whose_session_is_being_started_waits_for_its_answer(
    stripe: StripeSimulator,
) -> None:
    """A refund in the dashboard names the intent, and nobody has told yet whose that is."""
    collection = collection_of()
    stripe.fault("drop_after", "payment_intents.create", times=None)
    stripe.fault("rate_limit", "payment_intents.list", times=None)
    with pytest.raises(PaymentIndeterminate):
        session_at(STRIPE, collection, **TAKEN)
    (intent,) = stripe.ledger()["intents"]
    stripe.dashboard_refund(intent, 1000)
    deliver_changed(stripe.events(["refund.created"])[0])
    assert WebhookEvent.objects.get().state == "parked"
    stripe.clear_faults()

    reconcile_all()

    assert WebhookEvent.objects.get().state == "applied"
    assert only_session(collection).resolution == "refunded"
    ends_as_the_ledger_says(stripe)


def test_an_object_that_turns_out_to_be_nobodys_is_quarantined(stripe: StripeSimulator) -> None:
    session = session_at(STRIPE)
    ProviderCall.objects.update(state="open", next_attempt_at="2026-01-01T00:00:00Z")
    PaymentSession.objects.update(provider_reference="")
    stripe.foreign_intent(700)
    deliver_changed(stripe.events(["payment_intent.succeeded"])[0])
    assert WebhookEvent.objects.get().state == "parked"

    let_leases_end()
    reconcile_all()

    assert WebhookEvent.objects.get().state == "quarantined"
    assert reloaded(session).provider_reference != ""
    assert not Payment.objects.exists()
