"""Creating, replacing and deleting sessions (INTERFACE "What HTTP answers mean")."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from medusa_payments.errors import (
    Conflict,
    InitiateRefused,
    InvalidAmount,
    InvalidData,
    NotAllowed,
    NotFound,
    PaymentDeclined,
    PaymentIndeterminate,
    PaymentProviderUnavailable,
    UnknownProvider,
    UnsupportedCurrency,
)
from medusa_payments.models import (
    Discrepancy,
    Payment,
    PaymentCollection,
    PaymentProvider,
    PaymentSession,
    ProviderCall,
)
from medusa_payments.operations.authorizations import authorize_payment_session
from medusa_payments.operations.collections import (
    create_payment_collection,
    delete_payment_collection,
)
from medusa_payments.operations.sessions import create_payment_session, delete_payment_session
from medusa_payments.providers.types import Failed, FailureKind, Indeterminate, NoAnswer
from medusa_payments.reconciliation.sweep import reconcile_all
from medusa_payments.statuses import ProviderState
from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.laws.scenes import (
    AMOUNT_MINOR,
    CONFIRMED,
    FAKE,
    STRIPE,
    SYSTEM,
    TAKEN,
    StagedProvider,
    authorized_at,
    collection_of,
    only_session,
    reloaded,
    session_at,
)

pytestmark = pytest.mark.django_db(transaction=True)

# BEGIN and COMMIT included; the design allows 24. A figure that rises needs a reason: the 20th asks
# whether the object that the answer names is another session's already.
STATEMENTS_OF_A_FIRST_SESSION = 20


def test_a_session_gives_the_front_end_what_it_needs(stripe: StripeSimulator) -> None:
    session = session_at(STRIPE)

    assert (session.status, session.amount_minor, session.currency_code) == (
        "pending",
        AMOUNT_MINOR,
        "eur",
    )
    assert session.data["id"] == session.provider_reference
    assert session.data["client_secret"].startswith(f"{session.provider_reference}_secret_")
    (line,) = stripe.ledger()["intents"].values()
    assert line["metadata"]["session_id"] == session.pk


@pytest.mark.parametrize("provider_id", [STRIPE, SYSTEM])
def test_the_first_session_keeps_to_its_statement_budget(
    provider_id: str, stripe: StripeSimulator
) -> None:
    collection = collection_of()

    with CaptureQueriesContext(connection) as queries:
        session_at(provider_id, collection)

    assert len(queries) <= STATEMENTS_OF_A_FIRST_SESSION


@pytest.mark.parametrize("card", ["pm_card_chargeDeclined"])
def test_a_declined_payment_leaves_a_session_with_an_error_and_a_closed_intent(
    card: str, stripe: StripeSimulator
) -> None:
    collection = collection_of()

    with pytest.raises(PaymentDeclined) as caught:
        session_at(STRIPE, collection, confirm=True, payment_method=card)

    session = only_session(collection)
    assert caught.value.session_id == session.pk
    assert caught.value.decline_code
    assert (session.status, session.is_live) == ("error", True)
    assert session.failure_code == caught.value.decline_code
    (line,) = stripe.ledger()["intents"].values()
    assert line["status"] == "canceled"


def test_an_unreachable_provider_leaves_a_session_with_an_error(stripe: StripeSimulator) -> None:
    collection = collection_of()
    stripe.stop()

    with pytest.raises(PaymentProviderUnavailable):
        session_at(STRIPE, collection)

    session = only_session(collection)
    assert (session.status, session.is_live, session.provider_reference) == ("error", True, "")
    stripe.start()
    assert session_at(STRIPE, collection).status == "pending"
    assert reloaded(session).resolution == "not_created"


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (FailureKind.RATE_LIMITED, PaymentProviderUnavailable),
        (FailureKind.MISCONFIGURED, PaymentProviderUnavailable),
        (FailureKind.REFUSED, InitiateRefused),
    ],
)
def test_a_refusal_is_told_by_its_kind(
    kind: FailureKind, error: type[Exception], fake: StagedProvider
) -> None:
    fake.script("initiate_payment", Failed(kind=kind))

    with pytest.raises(error):
        session_at(FAKE)


def test_data_that_the_provider_does_not_take_is_refused_by_name(
    stripe: StripeSimulator,
) -> None:
    collection = collection_of()

    for is_trusted, data in ((False, CONFIRMED), (True, {"amount": 1})):
        with pytest.raises(InvalidData, match=r"'(confirm|amount)'"):
            create_payment_session(collection, provider_id=STRIPE, data=data, is_trusted=is_trusted)

    assert not PaymentSession.all_objects.exists()
    assert stripe.requests() == []


def test_a_session_confirmed_at_once_and_taken_has_its_payment(stripe: StripeSimulator) -> None:
    session = session_at(STRIPE, **TAKEN)

    payment = Payment.objects.get(payment_session=session)
    assert payment.is_captured
    assert session.status == "authorized"
    assert reloaded(session.payment_collection).status == "completed"


def test_an_unknown_or_switched_off_provider_starts_nothing(fake: StagedProvider) -> None:
    PaymentProvider.objects.create(id=SYSTEM, is_enabled=False)

    for provider_id in ("pp_nobody", SYSTEM):
        with pytest.raises(UnknownProvider):
            session_at(provider_id)

    assert not PaymentSession.all_objects.exists()


def test_a_provider_switched_off_still_finishes_what_it_began(fake: StagedProvider) -> None:
    session = session_at(FAKE)
    PaymentProvider.objects.create(id=FAKE, is_enabled=False)
    fake.pay(session.provider_reference)

    assert authorize_payment_session(session) is not None


@pytest.mark.parametrize(
    ("amount", "currency", "error"),
    [
        ("1.234", "kwd", InvalidAmount),
        ("1000000", "eur", InvalidAmount),
        ("10", "kpw", InvalidData),
    ],
)
def test_an_amount_that_stripe_cannot_take_exactly_is_refused_before_it_is_asked(
    amount: str, currency: str, error: type[Exception], stripe: StripeSimulator
) -> None:
    collection = create_payment_collection(amount=Decimal(amount), currency_code=currency)

    with pytest.raises((error, UnsupportedCurrency)):
        session_at(STRIPE, collection)

    assert stripe.requests() == []
    assert not PaymentSession.all_objects.exists()


def test_a_deleted_collection_gets_no_session(fake: StagedProvider) -> None:
    collection = collection_of()
    stale = reloaded(collection)
    delete_payment_collection(collection)

    with pytest.raises(NotFound):
        session_at(FAKE, stale)


# Replacing


def test_an_open_session_is_replaced_and_its_intent_closed(stripe: StripeSimulator) -> None:
    old = session_at(STRIPE)

    new = session_at(STRIPE, old.payment_collection)

    row = reloaded(old)
    assert (row.deleted_reason, row.resolution) == ("replaced", "closed")
    assert "client_secret" not in row.data
    assert PaymentSession.objects.get() == new
    statuses = [line["status"] for line in stripe.ledger()["intents"].values()]
    assert statuses == ["canceled", "requires_payment_method"]


@pytest.mark.parametrize("provider_id", [FAKE, SYSTEM])
def test_a_session_is_replaced_across_providers(
    provider_id: str, fake: StagedProvider, stripe: StripeSimulator
) -> None:
    old = session_at(STRIPE)

    new = session_at(provider_id, old.payment_collection)

    assert new.provider_id == provider_id
    assert reloaded(old).resolution == "closed"


def _held(stripe: StripeSimulator, intent: str) -> None:
    stripe.pay(intent)


def _taken(stripe: StripeSimulator, intent: str) -> None:
    stripe.pay(intent)
    stripe.dashboard_capture(intent)


def _processing(stripe: StripeSimulator, intent: str) -> None:
    stripe.pay(intent, "pm_simulator_async")


@pytest.mark.parametrize("happens", [_held, _taken, _processing])
def test_a_session_that_was_paid_meanwhile_is_not_replaced(
    happens: Any, stripe: StripeSimulator
) -> None:
    old = session_at(STRIPE)
    happens(stripe, old.provider_reference)

    with pytest.raises(NotAllowed):
        session_at(STRIPE, old.payment_collection)

    assert PaymentSession.all_objects.get().is_live
    assert stripe.requests("payment_intents.cancel") == []
    assert len(stripe.requests("payment_intents.create")) == 1


def test_what_was_seen_before_replacing_is_recorded(stripe: StripeSimulator) -> None:
    """The buyer paid and no webhook came: the refusal itself has found the payment."""
    old = session_at(STRIPE)
    stripe.pay(old.provider_reference)

    with pytest.raises(NotAllowed):
        session_at(STRIPE, old.payment_collection)

    assert Payment.objects.get().payment_session == old
    assert reloaded(old.payment_collection).status == "authorized"


def test_nothing_is_changed_when_the_old_intent_cannot_be_read(stripe: StripeSimulator) -> None:
    old = session_at(STRIPE)
    before = reloaded(old)
    stripe.fault("truncated_json_clean", operation="payment_intents.retrieve", times=None)

    with pytest.raises(PaymentProviderUnavailable, match="Nothing was changed"):
        session_at(STRIPE, old.payment_collection)

    after = reloaded(old)
    assert after.is_live
    assert (after.updated_at, after.data) == (before.updated_at, before.data)
    assert ProviderCall.objects.count() == 1
    assert len(stripe.requests("payment_intents.create")) == 1


@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "html_502_after"])
def test_the_new_session_is_returned_while_canceling_the_old_one_is_uncertain(
    fault: str, stripe: StripeSimulator
) -> None:
    old = session_at(STRIPE)
    stripe.fault(fault, operation="payment_intents.cancel", times=None)

    new = session_at(STRIPE, old.payment_collection)
    stripe.clear_faults()
    reconcile_all()

    assert (new.status, new.is_live) == ("pending", True)
    assert reloaded(old).resolution == "closed"
    assert stripe.object(old.provider_reference)["status"] == "canceled"
    assert stripe.object(new.provider_reference)["status"] == "requires_payment_method"


@pytest.mark.parametrize("status", ["authorized", "completed"])
def test_a_covered_collection_gets_no_further_session(status: str, fake: StagedProvider) -> None:
    session = session_at(FAKE)
    fake.pay(session.provider_reference, capture=status == "completed")
    authorize_payment_session(session)
    assert reloaded(session.payment_collection).status == status

    with pytest.raises(NotAllowed):
        session_at(FAKE, session.payment_collection)

    assert len(fake.asked_for("initiate_payment")) == 1


def test_a_session_that_takes_money_right_now_is_not_replaced(fake: StagedProvider) -> None:
    collection = collection_of()
    refused: list[type[Exception]] = []

    def start_again(request: object) -> None:
        try:
            session_at(FAKE, collection)
        except Conflict as error:
            refused.append(type(error))

    fake.before["initiate_payment"] = start_again
    session_at(FAKE, collection, confirm=True)

    assert refused == [Conflict]
    assert PaymentSession.all_objects.count() == 1


def test_a_failed_session_is_replaced_without_asking(fake: StagedProvider) -> None:
    collection = collection_of()
    fake.script("initiate_payment", Failed(kind=FailureKind.REFUSED))
    with pytest.raises(InitiateRefused):
        session_at(FAKE, collection)

    session_at(FAKE, collection)

    assert {method for method, _ in fake.asked} == {"initiate_payment"}
    assert PaymentSession.deleted_objects.get().resolution == "not_created"


def test_many_replacements_leave_one_open_intent(stripe: StripeSimulator) -> None:
    collection = collection_of()

    for _ in range(4):
        session_at(STRIPE, collection)

    payable = [line for line in stripe.ledger()["intents"].values() if line["payable"]]
    assert len(payable) == 1
    assert PaymentSession.objects.get().provider_reference == payable[0]["id"]


# Deleting


def test_a_deleted_session_is_closed_at_the_provider(stripe: StripeSimulator) -> None:
    session = session_at(STRIPE)

    deleted = delete_payment_session(session)

    assert (deleted.deleted_reason, deleted.resolution) == ("deleted", "closed")
    assert "client_secret" not in deleted.data
    assert stripe.object(session.provider_reference)["status"] == "canceled"


def test_a_held_session_may_be_deleted_and_its_hold_is_released(fake: StagedProvider) -> None:
    payment = authorized_at(fake)

    delete_payment_session(payment.payment_session)

    assert fake.payment_of(payment.payment_session_id).held_minor == 0
    assert reloaded(payment).canceled_at is not None
    assert not Discrepancy.objects.exists()


def test_a_captured_session_is_not_deleted(stripe: StripeSimulator) -> None:
    session = session_at(STRIPE)
    _taken(stripe, session.provider_reference)

    with pytest.raises(NotAllowed, match="refund"):
        delete_payment_session(session)

    assert reloaded(session).is_live


def test_a_session_that_cannot_be_read_is_not_deleted(fake: StagedProvider) -> None:
    session = session_at(FAKE)
    fake.script("lookup", NoAnswer())

    with pytest.raises(PaymentProviderUnavailable):
        delete_payment_session(session)

    assert reloaded(session).is_live


def test_a_session_that_is_being_started_is_not_deleted(fake: StagedProvider) -> None:
    collection = collection_of()
    refused: list[type[Exception]] = []

    def delete(request: object) -> None:
        try:
            delete_payment_session(only_session(collection))
        except Conflict as error:
            refused.append(type(error))

    fake.before["initiate_payment"] = delete
    session = session_at(FAKE, collection)

    assert refused == [Conflict]
    assert reloaded(session).is_live


# Authorizing


def test_an_authorized_session_becomes_one_payment(stripe: StripeSimulator) -> None:
    session = session_at(STRIPE)
    stripe.pay(session.provider_reference)

    first, second = (authorize_payment_session(session) for _ in range(2))

    assert first == second
    assert first is not None
    assert first.amount_minor == AMOUNT_MINOR
    assert "client_secret" not in first.data
    assert reloaded(session).authorized_at is not None
    assert reloaded(session.payment_collection).status == "authorized"


@pytest.mark.parametrize("card", ["", "pm_card_chargeDeclined", "pm_card_threeDSecure2Required"])
def test_a_session_that_is_not_paid_is_not_authorized(card: str, stripe: StripeSimulator) -> None:
    session = session_at(STRIPE)
    if card:
        stripe.pay(session.provider_reference, card)

    with pytest.raises(NotAllowed, match="was not authorized with the provider"):
        authorize_payment_session(session)

    assert not Payment.objects.exists()
    assert reloaded(session).is_live


def test_a_payment_whose_result_comes_later_is_none_yet(stripe: StripeSimulator) -> None:
    session = session_at(STRIPE)
    _processing(stripe, session.provider_reference)

    assert authorize_payment_session(session) is None

    assert reloaded(session).status == "pending_authorization"
    stripe.finish_processing(session.provider_reference)
    assert authorize_payment_session(session) is not None


def test_a_deleted_session_is_not_found(fake: StagedProvider) -> None:
    session = delete_payment_session(session_at(FAKE))

    with pytest.raises(NotFound):
        authorize_payment_session(session)


def test_money_held_at_another_amount_is_recorded_and_shown(fake: StagedProvider) -> None:
    session = session_at(FAKE)
    fake.payments[session.provider_reference].amount_minor = 9000
    fake.pay(session.provider_reference)

    payment = authorize_payment_session(session)

    assert payment is not None
    assert payment.amount_minor == 9000
    (discrepancy,) = Discrepancy.objects.all()
    assert (discrepancy.kind, discrepancy.amount_minor) == ("amount", 1050)


def test_a_set_aside_session_does_not_hinder_the_next(fake: StagedProvider) -> None:
    collection = collection_of()
    for _ in range(3):
        fake.script("initiate_payment", Indeterminate(), executes=True)
        with pytest.raises(PaymentIndeterminate):
            session_at(FAKE, collection, confirm=True)

    session = session_at(FAKE, collection, confirm=True)
    reconcile_all()

    assert PaymentCollection.objects.get().status == "authorized"
    states = [fake.payment_of(row.pk).state for row in PaymentSession.deleted_objects.all()]
    assert states == [ProviderState.CANCELED] * 3
    assert fake.payment_of(session.pk).held_minor == AMOUNT_MINOR
