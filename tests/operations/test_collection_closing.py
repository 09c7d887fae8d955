"""Completing, canceling and changing collections; what the shop keeps beside payments."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from medusa_payments.errors import (
    Conflict,
    NotAllowed,
    NotFound,
    PaymentIndeterminate,
    UnknownProvider,
)
from medusa_payments.models import PaymentCollection
from medusa_payments.operations import collection_closing
from medusa_payments.operations.captures import capture_payment
from medusa_payments.operations.collection_closing import (
    cancel_payment_collection,
    complete_payment_collection,
)
from medusa_payments.operations.collections import (
    delete_payment_collection,
    update_payment_collection,
    upsert_payment_collection,
)
from medusa_payments.operations.enabled_providers import disable_provider, enable_provider
from medusa_payments.operations.payments import update_payment
from medusa_payments.operations.webhooks import webhook_action_and_data
from medusa_payments.providers.types import Failed, FailureKind, Indeterminate, NoAnswer
from medusa_payments.reconciliation.sweep import reconcile_all
from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.conftest import WEBHOOK_SECRET
from tests.laws.scenes import (
    AMOUNT,
    FAKE,
    STRIPE,
    Crash,
    StagedProvider,
    authorized_at,
    authorized_at_stripe,
    breaks,
    captured_at,
    collection_of,
    reloaded,
    session_at,
)

pytestmark = pytest.mark.django_db(transaction=True)

TEN = Decimal("10")


# Canceling


def test_canceling_releases_what_is_held(stripe: StripeSimulator) -> None:
    payment = authorized_at_stripe(stripe)

    canceled = cancel_payment_collection(payment.payment_collection)

    (intent,) = stripe.ledger()["intents"].values()
    assert (canceled.status, intent["status"]) == ("canceled", "canceled")
    assert reloaded(payment).is_canceled
    assert breaks(canceled) == []


def test_canceling_closes_a_session_that_nobody_has_paid(stripe: StripeSimulator) -> None:
    session = session_at(STRIPE)

    canceled = cancel_payment_collection(session.payment_collection)

    (intent,) = stripe.ledger()["intents"].values()
    assert (canceled.status, intent["status"]) == ("canceled", "canceled")
    assert reloaded(session).resolution == "closed"


def test_a_canceled_collection_takes_no_new_session(fake: StagedProvider) -> None:
    collection = collection_of()
    cancel_payment_collection(collection)

    with pytest.raises(NotAllowed, match="was canceled"):
        session_at(FAKE, reloaded(collection))

    assert fake.asked == []


def test_what_was_captured_stays_captured(fake: StagedProvider) -> None:
    payment = authorized_at(fake)
    capture_payment(payment, amount=TEN)

    canceled = cancel_payment_collection(payment.payment_collection)

    assert canceled.status == "partially_captured"
    assert canceled.captured_amount == TEN


def test_what_is_over_is_not_canceled(fake: StagedProvider) -> None:
    completed = reloaded(captured_at(fake).payment_collection)
    canceled = cancel_payment_collection(collection_of())
    deleted = delete_payment_collection(collection_of())

    for collection in (completed, canceled):
        with pytest.raises(NotAllowed, match="cannot be canceled"):
            cancel_payment_collection(collection)
    with pytest.raises(NotFound):
        cancel_payment_collection(deleted)


def test_a_payment_that_cannot_be_canceled_keeps_the_status_until_it_can(
    fake: StagedProvider,
) -> None:
    payment = authorized_at(fake)
    fake.script("cancel_payment", Failed(kind=FailureKind.UNAVAILABLE))

    first = cancel_payment_collection(payment.payment_collection)
    second = cancel_payment_collection(first)

    assert (first.status, second.status) == ("authorized", "canceled")


def test_an_uncertain_cancel_ends_canceled_when_the_truth_is_known(fake: StagedProvider) -> None:
    payment = authorized_at(fake)
    fake.script("cancel_payment", Indeterminate(ask_again=False), executes=True)
    fake.script("lookup", NoAnswer(), NoAnswer())

    uncertain = cancel_payment_collection(payment.payment_collection)
    reconcile_all()

    assert uncertain.status == "authorized"
    assert reloaded(uncertain).status == "canceled"


def test_money_that_comes_in_after_the_cancel_goes_back(fake: StagedProvider) -> None:
    collection = collection_of()
    fake.script("initiate_payment", Indeterminate(ask_again=False), executes=True)
    with pytest.raises(PaymentIndeterminate):
        session_at(FAKE, collection)
    (reference,) = fake.payments

    canceled = cancel_payment_collection(collection)
    fake.pay(reference)
    reconcile_all()

    assert reloaded(canceled).status == "canceled"
    assert fake.payments[reference].held_minor == 0


# Completing


def test_completing_notes_the_time_and_nothing_else(fake: StagedProvider) -> None:
    collection = collection_of()

    first = complete_payment_collection(collection)
    second = complete_payment_collection(collection)

    assert first.completed_at == second.completed_at is not None
    assert first.status == "not_paid"


def test_a_deleted_collection_is_not_completed() -> None:
    deleted = delete_payment_collection(collection_of())

    with pytest.raises(NotFound):
        complete_payment_collection(deleted)


# Updating


def test_an_update_changes_what_it_names() -> None:
    collection = collection_of(order_reference="order_1", metadata={"a": 1})

    updated = update_payment_collection(collection, amount=TEN, metadata={"b": 2})

    row = reloaded(updated)
    assert (row.amount, row.currency_code, row.metadata) == (TEN, "eur", {"b": 2})
    assert row.order_reference == "order_1"
    assert update_payment_collection(row, order_reference="order_2").order_reference == "order_2"


def test_a_currency_alone_keeps_the_amount() -> None:
    updated = update_payment_collection(collection_of(), currency_code="usd")

    assert (updated.amount, updated.currency_code) == (AMOUNT, "usd")


def test_upsert_creates_without_an_id_and_updates_with_one() -> None:
    created = upsert_payment_collection(amount=AMOUNT, currency_code="eur")
    updated = upsert_payment_collection(collection_id=created.pk, amount=TEN)

    assert updated.pk == PaymentCollection.objects.get().pk
    assert updated.amount == TEN
    with pytest.raises(NotFound, match="pay_col_nobody"):
        upsert_payment_collection(collection_id="pay_col_nobody", amount=TEN)


def test_a_payments_metadata_asks_no_provider(fake: StagedProvider) -> None:
    payment = authorized_at(fake)
    asked = len(fake.asked)

    assert update_payment(payment, metadata={"gift": True}).metadata == {"gift": True}

    assert reloaded(payment).metadata == {"gift": True}
    assert len(fake.asked) == asked


# Providers


def test_a_provider_is_switched_off_and_on_again(fake: StagedProvider) -> None:
    for _ in range(2):
        disable_provider(FAKE)
    with pytest.raises(UnknownProvider):
        session_at(FAKE)

    enable_provider(FAKE)

    assert session_at(FAKE).provider_id == FAKE
    with pytest.raises(UnknownProvider):
        disable_provider("pp_nobody")


def test_a_webhooks_action_and_data_are_medusas(stripe: StripeSimulator) -> None:
    session = session_at(STRIPE)
    stripe.pay(session.provider_reference)
    event = next(
        e for e in stripe.events() if e["type"] == "payment_intent.amount_capturable_updated"
    )

    action, data = webhook_action_and_data(
        STRIPE, *stripe.signed(event["id"], secret=WEBHOOK_SECRET)
    )

    assert action == "authorized"
    assert data is not None
    assert (data.session_id, data.amount) == (session.pk, AMOUNT)
    assert reloaded(session).status == "pending"


def test_money_that_was_just_taken_is_kept_and_the_collection_completed(
    stripe: StripeSimulator,
) -> None:
    """Its event is lost, or still on the way."""
    session = session_at(STRIPE, capture_method="automatic")
    stripe.pay(session.provider_reference)

    with pytest.raises(NotAllowed, match="completed"):
        cancel_payment_collection(session.payment_collection)

    reconcile_all()
    (intent,) = stripe.ledger()["intents"].values()
    assert intent["kept"] == 10050
    assert reloaded(session.payment_collection).status == "completed"


# What can go wrong while a collection is canceled


def test_a_silent_provider_does_not_leave_a_canceled_collection_payable(
    stripe: StripeSimulator,
) -> None:
    session = session_at(STRIPE)
    stripe.fault("drop_before", operation="payment_intents.retrieve", times=None)
    stripe.fault("drop_before", operation="payment_intents.cancel", times=None)

    canceled = cancel_payment_collection(session.payment_collection)
    stripe.clear_faults()
    reconcile_all()

    (intent,) = stripe.ledger()["intents"].values()
    assert (canceled.status, intent["status"]) == ("canceled", "canceled")
    assert reloaded(session).resolution == "closed"


def test_a_crash_after_the_cancel_was_written_leaves_nothing_payable(
    fake: StagedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = session_at(FAKE)

    def die(*args: Any, **options: Any) -> None:
        raise Crash

    monkeypatch.setattr(collection_closing, "follow", die)
    with pytest.raises(Crash):
        cancel_payment_collection(session.payment_collection)
    monkeypatch.undo()

    reconcile_all()

    assert reloaded(session).resolution == "closed"


@pytest.mark.parametrize("data", [{}, {"confirm": True}])
def test_a_payment_that_is_just_being_started_is_closed_too(
    fake: StagedProvider, data: dict[str, Any]
) -> None:
    collection = collection_of()

    def cancel(request: Any) -> None:
        cancel_payment_collection(reloaded(collection))

    fake.after["initiate_payment"] = cancel
    with pytest.raises(Conflict):
        session_at(FAKE, collection, **data)

    reconcile_all()

    (there,) = fake.payments.values()
    assert (there.state, there.held_minor) == ("canceled", 0)
    assert reloaded(collection).status == "canceled"


def test_a_canceled_collection_lets_its_cart_go(fake: StagedProvider) -> None:
    canceled = cancel_payment_collection(collection_of(cart_reference="cart_1"))

    other = collection_of(cart_reference="cart_1")

    assert other.pk != canceled.pk
    assert session_at(FAKE, other).is_live


def test_nothing_more_is_captured_for_a_canceled_collection(fake: StagedProvider) -> None:
    payment = authorized_at(fake)
    capture_payment(payment, amount=TEN)
    cancel_payment_collection(payment.payment_collection)

    with pytest.raises(NotAllowed, match="was canceled"):
        capture_payment(reloaded(payment), amount=TEN)
