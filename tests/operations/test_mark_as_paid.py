from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

import pytest

from medusa_payments.errors import (
    CaptureRefused,
    Conflict,
    NotAllowed,
    NotFound,
    PaymentIndeterminate,
    PaymentProviderUnavailable,
)
from medusa_payments.models import AuditEntry, Capture, Payment, PaymentSession
from medusa_payments.operations.authorizations import authorize_payment_session
from medusa_payments.operations.captures import capture_payment
from medusa_payments.operations.collections import (
    delete_payment_collection,
    reprice_payment_collection,
)
from medusa_payments.operations.mark_as_paid import mark_as_paid
from medusa_payments.providers.registry import get_provider
from medusa_payments.providers.types import Failed, FailureKind, Indeterminate, NoAnswer
from tests.laws.fixtures import configure
from tests.laws.scenes import (
    AMOUNT,
    FAKE,
    SYSTEM,
    Crash,
    StagedProvider,
    collection_of,
    reloaded,
    session_at,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("shop")]

NOT_NOT_PAID = "Can only mark 'not_paid' payment collection as paid"


def pays_when_started(fake: StagedProvider) -> None:
    """The money is there by the time that the provider is asked whether it is."""
    fake.before["authorize_payment"] = lambda request: fake.pay(request.reference)


def test_a_collection_is_paid_in_full_by_the_shops_own_provider() -> None:
    collection = collection_of()

    capture = mark_as_paid(collection)

    assert capture is not None
    assert (capture.status, capture.amount) == ("succeeded", AMOUNT)
    current = reloaded(collection)
    assert (current.status, current.captured_amount) == ("completed", AMOUNT)
    assert PaymentSession.objects.get().provider_id == SYSTEM


def test_the_session_that_was_there_is_replaced(fake: StagedProvider) -> None:
    collection = collection_of()
    old = session_at(FAKE, collection)

    mark_as_paid(collection)

    assert reloaded(old).deleted_reason == "replaced"
    assert fake.payment_of(old.pk).state == "canceled"


def test_what_is_paid_is_not_marked_again() -> None:
    collection = collection_of()
    mark_as_paid(collection)

    with pytest.raises(NotAllowed, match=NOT_NOT_PAID):
        mark_as_paid(collection)

    assert Capture.objects.count() == Payment.objects.count() == 1


def test_what_a_buyer_authorized_is_not_marked_and_not_captured(fake: StagedProvider) -> None:
    collection = collection_of()
    session = session_at(FAKE, collection)
    fake.pay(session.provider_reference)
    authorize_payment_session(session)

    with pytest.raises(NotAllowed, match=NOT_NOT_PAID):
        mark_as_paid(collection, provider_id=FAKE)

    assert not Capture.objects.exists()


def test_a_deleted_collection_is_not_found() -> None:
    collection = collection_of()
    delete_payment_collection(collection)

    with pytest.raises(NotFound):
        mark_as_paid(collection)


def test_a_lost_start_is_set_aside_and_the_next_call_starts_again(fake: StagedProvider) -> None:
    collection = collection_of()
    fake.script("initiate_payment", Indeterminate(code="lost"), executes=True)

    with pytest.raises(PaymentIndeterminate):
        mark_as_paid(collection, provider_id=FAKE)
    pays_when_started(fake)
    capture = mark_as_paid(collection, provider_id=FAKE)

    assert capture is not None
    assert capture.status == "succeeded"
    assert reloaded(collection).status == "completed"
    assert PaymentSession.all_objects.filter(indeterminate=True).count() == 1


def test_a_provider_that_has_not_authorized_is_told_and_may_be_asked_again(
    fake: StagedProvider,
) -> None:
    collection = collection_of()

    with pytest.raises(NotAllowed, match="was not authorized with the provider"):
        mark_as_paid(collection, provider_id=FAKE)
    pays_when_started(fake)
    mark_as_paid(collection, provider_id=FAKE)

    assert reloaded(collection).status == "completed"


def test_after_an_authorization_without_an_answer_a_second_call_goes_on(
    fake: StagedProvider,
) -> None:
    collection = collection_of()
    fake.script("authorize_payment", NoAnswer(code="timeout"))

    with pytest.raises(PaymentProviderUnavailable):
        mark_as_paid(collection, provider_id=FAKE)
    pays_when_started(fake)
    mark_as_paid(collection, provider_id=FAKE)

    assert reloaded(collection).status == "completed"
    assert Capture.objects.count() == 1


def test_a_capture_of_unknown_outcome_is_taken_up_by_the_second_call(fake: StagedProvider) -> None:
    collection = collection_of()
    pays_when_started(fake)
    fake.script("capture_payment", Indeterminate(code="lost"))
    fake.script("lookup", NoAnswer(code="timeout"))

    first = mark_as_paid(collection, provider_id=FAKE)
    assert first is not None
    assert (first.status, reloaded(collection).status) == ("indeterminate", "authorized")
    second = mark_as_paid(collection, provider_id=FAKE)

    assert second is not None
    assert (second.pk, second.status) == (first.pk, "succeeded")
    assert reloaded(collection).status == "completed"
    assert len(set(fake.keys("capture_payment"))) == 1


@pytest.mark.parametrize("method", ["authorize_payment", "capture_payment"])
def test_a_marking_that_died_is_finished_by_the_next_call(shop: Any, method: str) -> None:
    configure(shop, LEASE_SECONDS=0.01)
    fake = get_provider(FAKE)
    assert isinstance(fake, StagedProvider)
    collection = collection_of()

    def die(request: Any) -> None:
        raise Crash

    pays_when_started(fake)
    fake.after[method] = die
    with pytest.raises(Crash):
        mark_as_paid(collection, provider_id=FAKE)
    time.sleep(0.02)  # until the lease of the dead is over
    pays_when_started(fake)
    mark_as_paid(collection, provider_id=FAKE)

    assert reloaded(collection).status == "completed"
    assert Capture.objects.count() == Payment.objects.count() == 1
    assert len(set(fake.keys("capture_payment"))) == 1


def test_a_refused_capture_stays_refused(fake: StagedProvider) -> None:
    collection = collection_of()
    pays_when_started(fake)
    fake.script("capture_payment", Failed(kind=FailureKind.REFUSED, code="no"))

    for _ in range(2):
        with pytest.raises(CaptureRefused):
            mark_as_paid(collection, provider_id=FAKE)

    payment = Payment.objects.get()
    assert capture_payment(payment, request_key="by hand").status == "succeeded"  # type: ignore[union-attr]


def test_a_marking_that_was_cut_short_and_then_repriced_pays_the_new_price(
    fake: StagedProvider,
) -> None:
    collection = collection_of()
    with pytest.raises(NotAllowed, match="was not authorized"):
        mark_as_paid(collection, provider_id=FAKE)
    reprice_payment_collection(collection, amount=Decimal(120))
    pays_when_started(fake)

    capture = mark_as_paid(collection, provider_id=FAKE)

    assert capture is not None
    assert capture.amount == Decimal(120)
    assert reloaded(collection).status == "completed"


def test_of_two_markings_at_once_the_replaced_one_is_told(fake: StagedProvider) -> None:
    collection = collection_of()
    fake.before["authorize_payment"] = lambda request: session_at(SYSTEM, collection)

    with pytest.raises(Conflict):
        mark_as_paid(collection, provider_id=FAKE)

    assert not Payment.objects.exists()


def test_the_audit_trail_says_what_was_meant() -> None:
    mark_as_paid(collection_of(Decimal(7)))

    actions = list(AuditEntry.objects.order_by("number").values_list("action", flat=True))

    assert actions.index("session.marked_as_paid") < actions.index("payment.created")
