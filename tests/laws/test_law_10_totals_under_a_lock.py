"""Law 10: totals are computed from rows, under a lock that is the first statement and a write."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.test.utils import CaptureQueriesContext

from medusa_payments.errors import (
    CaptureExceedsCapturable,
    MedusaPaymentsError,
    NotAllowed,
    PaymentIndeterminate,
    RefundExceedsRefundable,
)
from medusa_payments.models import (
    Capture,
    Payment,
    PaymentCollection,
    PaymentSession,
    ProviderCall,
    ProviderGate,
    RecurringJob,
    Refund,
    WebhookEvent,
)
from medusa_payments.operations import totals
from medusa_payments.operations.actors import SWEEP
from medusa_payments.operations.authorizations import authorize_payment_session
from medusa_payments.operations.cancellations import cancel_payment
from medusa_payments.operations.captures import capture_payment
from medusa_payments.operations.collections import reprice_payment_collection
from medusa_payments.operations.performing import advance
from medusa_payments.operations.refunds import refund_payment
from medusa_payments.operations.sessions import create_payment_session, delete_payment_session
from medusa_payments.providers.registry import get_provider
from medusa_payments.providers.types import Failed, FailureKind, Indeterminate
from medusa_payments.reconciliation.sweep import reconcile_all
from medusa_payments.testing.stripe_simulator import StripeSimulator

from .scenes import (
    FAKE,
    STRIPE,
    TAKEN,
    StagedProvider,
    authorized_at,
    captured_at,
    collection_of,
    let_leases_end,
    only_session,
    reloaded,
    session_at,
)

pytestmark = pytest.mark.django_db(transaction=True)

TEN = Decimal("10")


# The lock


def _first_statements(sql: list[str]) -> list[str]:
    """What follows each BEGIN."""
    return [after for before, after in pairwise(sql) if before.startswith("BEGIN")]


def _acts(fake: StagedProvider) -> dict[str, Callable[[], Any]]:
    session, held, taken = session_at(FAKE), authorized_at(fake), captured_at(fake)
    collection = collection_of()
    fake.script("initiate_payment", Indeterminate(), executes=True)
    with pytest.raises(PaymentIndeterminate):
        session_at(FAKE, confirm=True)
    reference = session.provider_reference
    return {
        "create session": lambda: create_payment_session(collection, provider_id=FAKE),
        "authorize": lambda: authorize_payment_session(session),
        "delete session": lambda: delete_payment_session(session),
        "capture": lambda: capture_payment(held),
        "cancel": lambda: cancel_payment(held),
        "refund": lambda: refund_payment(taken),
        "reprice": lambda: reprice_payment_collection(collection, amount=TEN),
        "sweep": reconcile_all,
        "webhook": lambda: fake.tell(reference),
    }


ACTS = "create session|authorize|delete session|capture|cancel|refund|reprice|sweep|webhook"


@pytest.mark.skipif(
    connections[DEFAULT_DB_ALIAS].vendor == "mysql", reason="only where BEGIN is a statement"
)
@pytest.mark.parametrize("name", ACTS.split("|"))
def test_the_lock_is_the_first_statement_and_a_write(name: str, fake: StagedProvider) -> None:
    act = _acts(fake)[name]
    if name == "authorize":
        fake.pay(PaymentSession.objects.order_by("pk")[0].provider_reference)
    table = connection.ops.quote_name(PaymentCollection._meta.db_table)
    # An event is only stored; gates and jobs say when to look, never what is true.
    no_money = tuple(
        f"INSERT INTO {connection.ops.quote_name(model._meta.db_table)}"
        for model in (WebhookEvent, ProviderGate, RecurringJob)
    )

    with CaptureQueriesContext(connection) as queries:
        act()

    first = _first_statements([each["sql"] for each in queries.captured_queries])
    locks = [each for each in first if not each.startswith(no_money)]
    assert locks
    for statement in locks:
        assert statement.startswith(f"UPDATE {table} SET ")
        assert '"version" = (' in statement


def test_each_transaction_of_an_act_moves_the_version(fake: StagedProvider) -> None:
    payment = captured_at(fake)
    before = reloaded(payment.payment_collection).version

    refund_payment(payment)

    assert reloaded(payment.payment_collection).version == before + 2  # prepare and record


def _at_once(act: Callable[[int], Any], times: int) -> list[Any]:
    """What each of several threads, each with a connection of its own, was answered."""

    def run(number: int) -> Any:
        try:
            return act(number)
        except MedusaPaymentsError as error:
            return type(error)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(times) as threads:
        return list(threads.map(run, range(times)))


def test_six_captures_of_10_against_30_take_30(fake: StagedProvider) -> None:
    session = session_at(FAKE, collection_of(Decimal("30")))
    fake.pay(session.provider_reference)
    payment = authorize_payment_session(session)
    assert payment is not None

    answers = _at_once(
        lambda number: capture_payment(payment, amount=TEN, request_key=f"click {number}"), 6
    )

    taken = [answer for answer in answers if isinstance(answer, Capture)]
    assert len(taken) == 3
    refused = (CaptureExceedsCapturable, NotAllowed)
    assert sum(answer is None or answer in refused for answer in answers) == 3
    assert fake.payment_of(session.pk).captured_minor == 3000
    assert reloaded(session.payment_collection).captured_minor == 3000


def test_six_refunds_of_10_against_30_give_back_30(fake: StagedProvider) -> None:
    session = session_at(FAKE, collection_of(Decimal("30")))
    fake.pay(session.provider_reference)
    payment = authorize_payment_session(session)
    assert payment is not None
    capture_payment(payment)

    answers = _at_once(
        lambda number: refund_payment(payment, amount=TEN, request_key=f"click {number}"), 6
    )

    assert sum(isinstance(answer, Refund) for answer in answers) == 3
    assert answers.count(RefundExceedsRefundable) == 3
    assert fake.payment_of(session.pk).refunded_minor == 3000
    assert reloaded(session.payment_collection).refunded_minor == 3000


def test_one_act_clicked_at_once_by_many_is_done_once(fake: StagedProvider) -> None:
    payment = captured_at(fake)

    _at_once(lambda number: refund_payment(payment, amount=TEN, request_key="click"), 5)

    assert Refund.objects.count() == 1
    assert fake.payment_of(payment.payment_session_id).refunded_minor == 1000


def test_two_sweeps_at_once_undo_once(stripe: StripeSimulator) -> None:
    stripe.fault("drop_after", operation="payment_intents.create")
    collection = collection_of()
    with pytest.raises(PaymentIndeterminate):
        session_at(STRIPE, collection, **TAKEN)

    _at_once(lambda number: reconcile_all().resolved, 3)
    reconcile_all()

    executed = [each for each in stripe.requests("refunds.create") if each["executed"]]
    assert len(executed) == 1
    assert only_session(collection).resolution == "refunded"


# Leases


def test_a_call_that_somebody_works_on_is_left_to_them(fake: StagedProvider) -> None:
    payment = captured_at(fake)
    asked: list[int] = []

    def work_on_it_too(request: object) -> None:
        demanded = advance(ProviderCall.objects.get(kind="refund"), actor=SWEEP)
        reconcile_all()
        asked.append(len(demanded) + len(fake.asked_for("lookup")))

    fake.before["refund_payment"] = work_on_it_too
    refund = refund_payment(payment, amount=TEN)

    assert asked == [0]
    assert refund.status == "succeeded"
    assert len(fake.asked_for("refund_payment")) == 1


def test_an_answer_under_a_lost_lease_no_longer_writes_the_call(fake: StagedProvider) -> None:
    """It stalled, the sweep took the call over and found the truth; its late refusal is void."""
    payment = captured_at(fake)
    fake.script("refund_payment", Failed(kind=FailureKind.REFUSED), executes=True)

    def take_over(request: object) -> None:
        let_leases_end()
        reconcile_all()

    fake.after["refund_payment"] = take_over
    refund = refund_payment(payment, amount=TEN)

    call = ProviderCall.objects.get(kind="refund")
    assert (refund.status, call.state, call.evidence) == ("succeeded", "succeeded", "lookup")
    assert call.failure_kind == ""
    assert fake.payment_of(payment.payment_session_id).refunded_minor == 1000


# The sums


def test_totals_are_sums_of_rows_and_not_of_earlier_totals(fake: StagedProvider) -> None:
    payment = captured_at(fake)
    PaymentCollection.objects.filter(pk=payment.payment_collection_id).update(
        authorized_minor=1, captured_minor=2, refunded_minor=3, status="not_paid"
    )

    refund_payment(payment, amount=TEN)

    collection = reloaded(payment.payment_collection)
    assert (collection.authorized_minor, collection.captured_minor, collection.refunded_minor) == (
        10050,
        10050,
        1000,
    )
    assert collection.status == "completed"


def _given_back(fake: StagedProvider) -> PaymentCollection:
    """A collection whose lost session took money that went back, and a live one that paid."""
    collection = collection_of()
    fake.script("initiate_payment", Indeterminate(), executes=True)
    with pytest.raises(PaymentIndeterminate):
        session_at(FAKE, collection)
    ghost = fake.payment_of(only_session(collection).pk).reference
    fake.pay(ghost, capture=True)
    reconcile_all()
    session = session_at(FAKE, collection)
    fake.pay(session.provider_reference, capture=True)
    authorize_payment_session(session)
    return reloaded(collection)


def test_money_under_a_deleted_session_is_summed_beside_the_totals(fake: StagedProvider) -> None:
    collection = _given_back(fake)

    assert Payment.objects.count() == Capture.objects.count() == 2
    assert (collection.captured_minor, collection.refunded_minor) == (10050, 0)
    beside = totals.set_aside(collection)
    assert (beside.captured_minor, beside.refunded_minor) == (10050, 10050)
    assert collection.status == "completed"


def test_money_that_goes_back_does_not_pay_the_collection(fake: StagedProvider) -> None:
    collection = collection_of()
    fake.script("initiate_payment", Indeterminate(), executes=True)
    with pytest.raises(PaymentIndeterminate):
        session_at(FAKE, collection)
    fake.script("refund_payment", Failed(kind=FailureKind.RATE_LIMITED))
    fake.pay(fake.payment_of(only_session(collection).pk).reference, capture=True)
    reconcile_all()

    assert reloaded(collection).status == "not_paid"
    assert reloaded(collection).captured_minor == 0
    assert totals.set_aside(collection).captured_minor == 10050


def test_an_adopted_session_pays_the_collection(fake: StagedProvider) -> None:
    collection = collection_of()
    fake.script("initiate_payment", Indeterminate(), executes=True)
    with pytest.raises(PaymentIndeterminate):
        session_at(FAKE, collection)
    session = only_session(collection)
    PaymentSession.all_objects.filter(pk=session.pk).update(
        resolution="adopted", resolved_at=session.deleted
    )
    reference = fake.payment_of(session.pk).reference
    fake.pay(reference, capture=True)

    fake.tell(reference)

    assert reloaded(collection).status == "completed"
    assert totals.counted(collection).captured_minor == 10050
    assert totals.set_aside(collection).captured_minor == 0
    assert only_session(collection).deleted == session.deleted


def test_the_fake_is_one_object_for_all_threads(fake: StagedProvider) -> None:
    seen = _at_once(lambda number: get_provider(FAKE), 3)

    assert all(each is fake for each in seen)
