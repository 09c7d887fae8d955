"""Updating what an unpaid session asks for, and every way in which the answer can be lost."""

from __future__ import annotations

import contextlib
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from medusa_payments.errors import (
    Conflict,
    InvalidAmount,
    NotAllowed,
    NotFound,
    OpenTransaction,
    PaymentIndeterminate,
    PaymentProviderUnavailable,
    RequestKeySpent,
    UpdateRefused,
)
from medusa_payments.ids import new_id
from medusa_payments.models import Discrepancy, Payment, PaymentSession, ProviderCall
from medusa_payments.operations import session_updates
from medusa_payments.operations.authorizations import authorize_payment_session
from medusa_payments.operations.collections import reprice_payment_collection
from medusa_payments.operations.session_updates import update_payment_session
from medusa_payments.operations.sessions import create_payment_session, delete_payment_session
from medusa_payments.providers.types import (
    Failed,
    FailureKind,
    Indeterminate,
    NoAnswer,
    Succeeded,
)
from medusa_payments.reconciliation.sweep import reconcile_all
from medusa_payments.testing.fake_provider import FakeProvider
from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.laws.scenes import (
    AMOUNT_MINOR,
    FAKE,
    STRIPE,
    SYSTEM,
    Crash,
    StagedProvider,
    authorized_at,
    breaks,
    collection_of,
    deliver,
    let_leases_end,
    only_call,
    reloaded,
    session_at,
)

pytestmark = pytest.mark.django_db(transaction=True)

TEN = Decimal("10")
KEYED = new_id("payses")


def _repriced(session: PaymentSession, amount: Decimal = TEN) -> PaymentSession:
    """The same session is asked for again, after the cart has got another price."""
    collection = reloaded(session.payment_collection)
    reprice_payment_collection(collection, amount=amount)
    return session_at(session.provider_id, reloaded(collection))


def _intents(stripe: StripeSimulator) -> list[Any]:
    return list(stripe.ledger()["intents"].values())


# A repriced cart


def test_another_amount_updates_the_live_intent(stripe: StripeSimulator) -> None:
    session = session_at(STRIPE)

    updated = _repriced(session)

    (intent,) = _intents(stripe)
    assert updated.pk == session.pk
    assert (updated.amount_minor, intent["amount"], intent["status"]) == (
        1000,
        1000,
        "requires_payment_method",
    )
    assert updated.data["client_secret"] == session.data["client_secret"]
    assert only_call("update").state == "succeeded"
    assert breaks(session.payment_collection) == []


def test_the_updated_intent_is_paid_as_any_other(stripe: StripeSimulator) -> None:
    session = _repriced(session_at(STRIPE))
    stripe.pay(session.provider_reference)

    payment = authorize_payment_session(session)

    assert payment is not None
    assert payment.amount_minor == 1000
    assert reloaded(session.payment_collection).status == "authorized"
    assert not Discrepancy.objects.exists()


def test_events_from_before_an_update_change_nothing(stripe: StripeSimulator) -> None:
    session = _repriced(session_at(STRIPE))

    for event in reversed(stripe.events()):
        deliver(stripe, event["id"])

    session = reloaded(session)
    assert (session.amount_minor, session.provider_amount_minor) == (1000, 1000)
    assert not Discrepancy.objects.exists()


def test_other_data_makes_another_session(stripe: StripeSimulator) -> None:
    session = session_at(STRIPE)
    collection = reloaded(session.payment_collection)
    reprice_payment_collection(collection, amount=TEN)

    other = session_at(STRIPE, reloaded(collection), setup_future_usage="off_session")

    assert other.pk != session.pk
    assert reloaded(session).deleted_reason == "replaced"
    assert sorted(intent["status"] for intent in _intents(stripe)) == [
        "canceled",
        "requires_payment_method",
    ]


def test_the_same_amount_makes_another_session_as_in_medusa(stripe: StripeSimulator) -> None:
    session = session_at(STRIPE)

    assert session_at(STRIPE, reloaded(session.payment_collection)).pk != session.pk


def test_a_provider_that_cannot_change_a_payment_starts_another(
    fake: StagedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeProvider, "supports", lambda self, method: method != "update_payment")
    session = session_at(FAKE)

    other = _repriced(session)

    assert other.pk != session.pk
    assert reloaded(session).resolution == "closed"


def test_a_session_that_waits_for_the_buyers_bank_is_replaced(stripe: StripeSimulator) -> None:
    session = session_at(STRIPE)
    intent = stripe.pay(session.provider_reference, "pm_card_authenticationRequired")
    assert intent["status"] == "requires_action"

    assert _repriced(session).pk != session.pk
    assert reloaded(session).deleted_reason == "replaced"


def test_money_that_came_in_before_the_update_is_kept(stripe: StripeSimulator) -> None:
    session = session_at(STRIPE)
    stripe.pay(session.provider_reference)

    with pytest.raises(NotAllowed, match="already covered"):
        _repriced(session)

    assert Payment.objects.get().amount_minor == AMOUNT_MINOR
    assert not ProviderCall.objects.filter(kind="update").exists()


# Asked for by the shop's own server


@pytest.mark.parametrize("provider_id", [STRIPE, SYSTEM, FAKE])
def test_the_shop_changes_an_amount(
    stripe: StripeSimulator, fake: StagedProvider, provider_id: str
) -> None:
    session = session_at(provider_id)

    updated = update_payment_session(session, amount=Decimal("20.50"), metadata={"cart": "new"})

    assert (updated.pk, updated.amount, updated.metadata) == (
        session.pk,
        Decimal("20.50"),
        {"cart": "new"},
    )
    assert only_call("update").evidence == "response"


def test_the_amount_that_is_asked_for_already_asks_nobody(stripe: StripeSimulator) -> None:
    session = session_at(STRIPE)

    update_payment_session(session, amount=session.amount)

    assert not ProviderCall.objects.filter(kind="update").exists()


def test_metadata_alone_asks_nobody(fake: StagedProvider) -> None:
    session = session_at(FAKE)
    asked = len(fake.asked)

    update_payment_session(session, metadata={"gift": True})

    assert reloaded(session).metadata == {"gift": True}
    assert len(fake.asked) == asked


def test_what_cannot_be_updated_is_refused_and_asks_nobody(fake: StagedProvider) -> None:
    paid = authorized_at(fake).payment_session
    deleted = delete_payment_session(session_at(FAKE))
    session = session_at(FAKE)
    asked = len(fake.asked_for("update_payment"))

    with pytest.raises(NotAllowed):
        update_payment_session(paid, amount=TEN)
    with pytest.raises(NotFound):
        update_payment_session(deleted, amount=TEN)
    with pytest.raises(InvalidAmount):
        update_payment_session(session, amount=Decimal(-1))
    with pytest.raises(OpenTransaction), transaction.atomic():
        update_payment_session(session, amount=TEN)
    assert len(fake.asked_for("update_payment")) == asked == 0


# Refused


def test_a_refused_update_leaves_the_session_as_it_was(fake: StagedProvider) -> None:
    session = session_at(FAKE)
    fake.script("update_payment", Failed(kind=FailureKind.REFUSED))

    with pytest.raises(UpdateRefused):
        update_payment_session(session, amount=TEN)

    assert reloaded(session).amount_minor == AMOUNT_MINOR
    assert only_call("update").state == "failed"


def test_a_provider_out_of_reach_changes_nothing(fake: StagedProvider) -> None:
    session = session_at(FAKE)
    fake.script("update_payment", Failed(kind=FailureKind.UNAVAILABLE))

    with pytest.raises(PaymentProviderUnavailable):
        update_payment_session(session, amount=TEN)

    assert reloaded(session).amount_minor == AMOUNT_MINOR


# The answer is lost


@pytest.mark.parametrize("fault", ["drop_after", "error_500_after", "truncated_json"])
def test_a_lost_answer_is_found_within_the_request(stripe: StripeSimulator, fault: str) -> None:
    session = session_at(STRIPE)
    stripe.fault(fault, operation="payment_intents.update", times=None)

    updated = _repriced(session)

    assert (updated.pk, updated.amount_minor) == (session.pk, 1000)
    assert updated.data["client_secret"]
    assert only_call("update").evidence == "lookup"


@pytest.fixture
def uncertain(stripe: StripeSimulator) -> PaymentSession:
    """Stripe changed the amount; neither its answer nor a look at the intent came through."""
    session = session_at(STRIPE)
    stripe.fault("drop_after", operation="payment_intents.update", times=None)
    _lose_looks_after_the_first(stripe)
    with pytest.raises(PaymentIndeterminate, match="amount of your payment"):
        _repriced(session)
    stripe.clear_faults()
    return reloaded(session)


def _lose_looks_after_the_first(stripe: StripeSimulator) -> None:
    """The first look is before the update: whether it may be asked at all."""
    stripe.fault("drop_before", operation="payment_intents.retrieve", times=None, after=1)


def test_an_uncertain_update_keeps_the_session_and_does_not_hand_it_out(
    uncertain: PaymentSession,
) -> None:
    assert uncertain.is_live
    assert not uncertain.indeterminate
    assert uncertain.amount_minor == AMOUNT_MINOR
    assert "client_secret" not in uncertain.data
    assert only_call("update").state == "indeterminate"


def test_the_sweep_finds_out_and_hands_it_out_again(
    uncertain: PaymentSession, stripe: StripeSimulator
) -> None:
    report = reconcile_all()

    session = reloaded(uncertain)
    assert (report.resolved, report.unresolved) == (1, 0)
    assert session.amount_minor == session.provider_amount_minor == 1000
    assert session.data["client_secret"]


def test_the_same_request_again_takes_the_update_up(
    uncertain: PaymentSession, stripe: StripeSimulator
) -> None:
    again = session_at(STRIPE, reloaded(uncertain.payment_collection))

    assert again.pk == uncertain.pk
    assert again.amount_minor == 1000
    assert again.data["client_secret"]
    assert only_call("update").state == "succeeded"


def test_the_webhook_proves_it(uncertain: PaymentSession, stripe: StripeSimulator) -> None:
    stripe.pay(uncertain.provider_reference)

    for event in stripe.events():
        deliver(stripe, event["id"])

    assert Payment.objects.get().amount_minor == 1000
    assert reloaded(uncertain).amount_minor == 1000
    assert only_call("update").state == "succeeded"
    assert not Discrepancy.objects.exists()


def test_another_provider_may_be_chosen_meanwhile(
    uncertain: PaymentSession, stripe: StripeSimulator
) -> None:
    other = session_at(SYSTEM, reloaded(uncertain.payment_collection))
    reconcile_all()

    assert other.amount_minor == 1000
    assert reloaded(uncertain).resolution == "closed"
    assert [intent["status"] for intent in _intents(stripe)] == ["canceled"]


def _unexecuted(fake: StagedProvider) -> PaymentSession:
    """The provider never got the update, and nobody knows."""
    session = session_at(FAKE)
    fake.script("update_payment", Indeterminate(ask_again=False))
    fake.after["update_payment"] = lambda request: fake.script("lookup", NoAnswer())
    with pytest.raises(PaymentIndeterminate):
        _repriced(session)
    return reloaded(session)


def test_an_update_that_did_not_happen_is_sent_again_with_the_same_key(
    fake: StagedProvider,
) -> None:
    session = _unexecuted(fake)

    reconcile_all()

    assert reloaded(session).amount_minor == 1000
    assert fake.payments[session.provider_reference].amount_minor == 1000
    assert len(fake.keys("update_payment")) == 2
    assert len(set(fake.keys("update_payment"))) == 1


def test_money_that_comes_in_at_the_old_amount_is_recorded_and_shown(
    fake: StagedProvider,
) -> None:
    session = _unexecuted(fake)
    fake.pay(session.provider_reference)

    reconcile_all()

    assert Payment.objects.get().amount_minor == AMOUNT_MINOR
    assert only_call("update").state == "failed"
    assert len(fake.asked_for("update_payment")) == 1
    discrepancy = Discrepancy.objects.get()
    assert (discrepancy.kind, discrepancy.amount_minor) == ("amount", AMOUNT_MINOR - 1000)
    assert "amount before the change" in discrepancy.detail


def test_an_update_of_a_deleted_session_is_not_sent_again(fake: StagedProvider) -> None:
    session = _unexecuted(fake)

    delete_payment_session(session)
    reconcile_all()

    assert len(fake.asked_for("update_payment")) == 1
    assert reloaded(session).resolution == "closed"
    assert only_call("update").state == "failed"


def test_an_update_is_not_sent_while_its_deleted_session_is_being_closed(
    fake: StagedProvider,
) -> None:
    session = _unexecuted(fake)
    fake.script("delete_payment", Indeterminate(ask_again=False))
    fake.script("cancel_payment", Indeterminate(ask_again=False))

    delete_payment_session(session)
    reconcile_all()

    assert len(fake.asked_for("update_payment")) == 1
    assert reloaded(session).resolution == "closed"


def test_an_event_that_proves_it_brings_the_session_back_by_a_look(fake: StagedProvider) -> None:
    session = session_at(FAKE)
    fake.script("update_payment", Indeterminate(ask_again=False), executes=True)
    fake.after["update_payment"] = lambda request: fake.script("lookup", NoAnswer())
    with pytest.raises(PaymentIndeterminate):
        _repriced(session)
    looks = len(fake.asked_for("lookup"))

    fake.tell(session.provider_reference)

    assert reloaded(session).amount_minor == 1000
    assert only_call("update").evidence == "webhook"
    assert len(fake.asked_for("lookup")) == looks + 1


def test_the_sweep_finishes_an_update_whose_process_died(fake: StagedProvider) -> None:
    session = session_at(FAKE)

    def die(request: Any) -> None:
        raise Crash

    fake.after["update_payment"] = die
    with pytest.raises(Crash):
        _repriced(session)
    let_leases_end()

    reconcile_all()

    assert reloaded(session).amount_minor == 1000
    assert only_call("update").evidence == "lookup"


def test_the_same_request_takes_up_an_update_whose_process_died(fake: StagedProvider) -> None:
    session = session_at(FAKE)

    def die(request: Any) -> None:
        raise Crash

    fake.before["update_payment"] = die
    with pytest.raises(Crash):
        _repriced(session)
    collection = reloaded(session.payment_collection)
    with pytest.raises(Conflict):
        session_at(FAKE, collection)
    let_leases_end()

    again = session_at(FAKE, collection)

    assert (again.pk, again.amount_minor) == (session.pk, 1000)
    assert len(set(fake.keys("update_payment"))) == 1


def test_one_update_at_a_time(fake: StagedProvider) -> None:
    session = session_at(FAKE)
    refused: list[Exception] = []

    def change_beside(request: Any) -> None:
        for amount in (TEN, Decimal("30")):
            try:
                update_payment_session(reloaded(session), amount=amount)
            except Conflict as error:
                refused.append(error)

    fake.before["update_payment"] = change_beside

    updated = update_payment_session(session, amount=Decimal("20"))

    assert len(refused) == 2
    assert updated.amount_minor == 2000
    assert len(fake.asked_for("update_payment")) == 1


def test_a_session_is_not_replaced_while_it_is_updated(fake: StagedProvider) -> None:
    session = session_at(FAKE)
    refused: list[Exception] = []

    def replace(request: Any) -> None:
        try:
            session_at(SYSTEM, collection_of_session)
        except Conflict as error:
            refused.append(error)

    collection_of_session = reloaded(session.payment_collection)
    fake.before["update_payment"] = replace

    update_payment_session(session, amount=TEN)

    assert len(refused) == 1
    assert reloaded(session).is_live


def test_a_second_collection_is_not_touched(stripe: StripeSimulator) -> None:
    other = session_at(STRIPE, collection_of())

    _repriced(session_at(STRIPE))

    assert reloaded(other).amount_minor == AMOUNT_MINOR


# Beside each other


def test_a_slow_answer_does_not_undo_a_newer_update(fake: StagedProvider) -> None:
    """Another request sees the first update done before its answer has arrived."""
    session = session_at(FAKE)

    def change_again(request: Any) -> None:
        with contextlib.suppress(Conflict):
            update_payment_session(reloaded(session), amount=Decimal("20"))

    fake.after["update_payment"] = change_again

    update_payment_session(session, amount=TEN)

    there = fake.payments[session.provider_reference].amount_minor
    assert reloaded(session).amount_minor == there


def test_reading_the_session_does_not_hand_it_out(fake: StagedProvider) -> None:
    session = _unexecuted(fake)

    with pytest.raises(NotAllowed):
        authorize_payment_session(session)

    assert only_call("update").state == "indeterminate"
    assert "client_secret" not in reloaded(session).data


def test_a_sweep_that_dies_before_it_sends_again_hands_nothing_out(fake: StagedProvider) -> None:
    session = _unexecuted(fake)

    def die(request: Any) -> None:
        raise Crash

    fake.before["update_payment"] = die
    with pytest.raises(Crash):
        reconcile_all()

    assert "client_secret" not in reloaded(session).data


def test_an_update_that_ended_meanwhile_is_not_sent_again(
    fake: StagedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sweep holds its lease when the buyer's request reads it."""
    session = _unexecuted(fake)
    look = session_updates.look

    def swept(call: ProviderCall, **options: Any) -> None:
        monkeypatch.setattr(session_updates, "look", look)
        reconcile_all()
        call.lease_token = reloaded(call).lease_token

    monkeypatch.setattr(session_updates, "look", swept)

    session_at(FAKE, reloaded(session.payment_collection))

    assert len(fake.asked_for("update_payment")) == 2


def test_an_update_answered_without_its_object_is_what_the_provider_asks_for(
    fake: StagedProvider,
) -> None:
    session = session_at(FAKE)
    fake.script("update_payment", Succeeded(), executes=True)
    update_payment_session(session, amount=TEN)
    fake.script("update_payment", Indeterminate(ask_again=False))
    fake.script("lookup", NoAnswer(code="not_supported"), NoAnswer())

    with pytest.raises(PaymentIndeterminate):
        update_payment_session(reloaded(session), amount=Decimal("100.50"))

    assert reloaded(session).amount_minor == 1000


# Under one key


def test_one_key_changes_a_session_once(fake: StagedProvider) -> None:
    session = session_at(FAKE)
    collection = reloaded(session.payment_collection)
    reprice_payment_collection(collection, amount=TEN)

    first, again = (
        create_payment_session(reloaded(collection), provider_id=FAKE, session_id=KEYED)
        for _ in range(2)
    )

    assert first.pk == again.pk == session.pk
    assert len(fake.asked_for("update_payment")) == 1


def test_a_key_whose_change_was_refused_tells_so_again(fake: StagedProvider) -> None:
    session = session_at(FAKE)
    collection = reloaded(session.payment_collection)
    reprice_payment_collection(collection, amount=TEN)
    fake.script("update_payment", Failed(kind=FailureKind.REFUSED))

    for _ in range(2):
        with pytest.raises(UpdateRefused):
            create_payment_session(reloaded(collection), provider_id=FAKE, session_id=KEYED)

    assert reloaded(session).is_live
    assert len(fake.asked_for("update_payment")) == 1


def test_a_key_whose_changed_session_was_replaced_is_spent(fake: StagedProvider) -> None:
    collection = reloaded(session_at(FAKE).payment_collection)
    reprice_payment_collection(collection, amount=TEN)
    create_payment_session(reloaded(collection), provider_id=FAKE, session_id=KEYED)
    other = session_at(FAKE, reloaded(collection), other="data")

    with pytest.raises(RequestKeySpent):
        create_payment_session(reloaded(collection), provider_id=FAKE, session_id=KEYED)

    assert reloaded(other).is_live


def test_a_key_whose_change_is_uncertain_takes_it_up(fake: StagedProvider) -> None:
    session = session_at(FAKE)
    collection = reloaded(session.payment_collection)
    reprice_payment_collection(collection, amount=TEN)
    fake.script("update_payment", Indeterminate(ask_again=False))
    fake.after["update_payment"] = lambda request: fake.script("lookup", NoAnswer())
    with pytest.raises(PaymentIndeterminate):
        create_payment_session(reloaded(collection), provider_id=FAKE, session_id=KEYED)

    again = create_payment_session(reloaded(collection), provider_id=FAKE, session_id=KEYED)

    assert (again.pk, again.amount_minor) == (session.pk, 1000)
    assert len(set(fake.keys("update_payment"))) == 1
