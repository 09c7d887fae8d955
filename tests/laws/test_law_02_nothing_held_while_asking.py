"""Law 2: no transaction is open during a provider call, and none of the caller's around it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path

from medusa_payments.errors import OpenTransaction, PaymentIndeterminate
from medusa_payments.models import (
    AuditEntry,
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
from medusa_payments.operations.collections import (
    create_payment_collection,
    delete_payment_collection,
    reprice_payment_collection,
)
from medusa_payments.operations.refunds import refund_payment
from medusa_payments.operations.sessions import create_payment_session, delete_payment_session
from medusa_payments.operations.webhooks import receive_webhook
from medusa_payments.providers.types import Indeterminate
from medusa_payments.reconciliation.sweep import reconcile_all, reconcile_due

from .scenes import (
    FAKE,
    StagedProvider,
    authorized_at,
    captured_at,
    collection_of,
    reloaded,
    session_at,
)

TEN = Decimal("10")


def _operations(fake: StagedProvider) -> dict[str, Callable[[], Any]]:
    session = session_at(FAKE)
    held, taken = authorized_at(fake), captured_at(fake)
    collection = collection_of()
    return {
        "create_collection": lambda: create_payment_collection(amount=TEN, currency_code="eur"),
        "reprice_collection": lambda: reprice_payment_collection(collection, amount=TEN),
        "delete_collection": lambda: delete_payment_collection(collection),
        "create_session": lambda: create_payment_session(collection, provider_id=FAKE),
        "delete_session": lambda: delete_payment_session(session),
        "authorize": lambda: authorize_payment_session(session),
        "capture": lambda: capture_payment(held),
        "cancel": lambda: cancel_payment(held),
        "refund": lambda: refund_payment(taken),
        "webhook": lambda: receive_webhook(FAKE, *fake.delivery(session.provider_reference)),
        "sweep": reconcile_all,
        "sweep_by_schedule": reconcile_due,
    }


OPERATIONS = (
    "create_collection reprice_collection delete_collection create_session delete_session"
    " authorize capture cancel refund webhook sweep sweep_by_schedule"
).split()


def _everything() -> list[Any]:
    """All rows that an operation could have written."""
    models = (PaymentCollection, PaymentSession, Payment, Refund, ProviderCall, WebhookEvent)
    rows = [list(model._base_manager.order_by("pk").values()) for model in models]
    return [*rows, AuditEntry.objects.count()]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", OPERATIONS)
def test_an_open_transaction_is_refused_before_anything_is_written_or_asked(
    name: str, fake: StagedProvider
) -> None:
    act = _operations(fake)[name]
    asked, rows = len(fake.asked), _everything()

    with transaction.atomic(), pytest.raises(OpenTransaction, match="non_atomic_requests"):
        act()

    assert len(fake.asked) == asked
    assert _everything() == rows


@pytest.mark.django_db(transaction=True)
def test_autocommit_switched_off_is_an_open_transaction(fake: StagedProvider) -> None:
    payment = captured_at(fake)
    connection.set_autocommit(False)
    try:
        with pytest.raises(OpenTransaction):
            refund_payment(payment)
    finally:
        connection.rollback()
        connection.set_autocommit(True)

    assert fake.asked_for("refund_payment") == []
    assert not Refund.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_during_any_call_of_a_whole_life(fake: StagedProvider) -> None:
    lost = collection_of()
    fake.script("initiate_payment", Indeterminate(), executes=True)
    with pytest.raises(PaymentIndeterminate):
        session_at(FAKE, lost, confirm=True)
    payment = captured_at(fake)
    fake.script("refund_payment", Indeterminate())
    refund_payment(payment, amount=TEN)
    cancel_payment(authorized_at(fake))
    delete_payment_session(session_at(FAKE))
    fake.tell(payment.payment_session.provider_reference)
    reconcile_all()

    asked = {method for method, _ in fake.in_transaction}
    assert asked == {
        "initiate_payment",
        "authorize_payment",
        "capture_payment",
        "refund_payment",
        "cancel_payment",
        "lookup",
    }
    assert [method for method, is_open in fake.in_transaction if is_open] == []


@pytest.mark.django_db(transaction=True)
def test_the_lock_is_free_while_the_provider_is_asked(fake: StagedProvider) -> None:
    """Another act on the same collection runs to its end during the first one's call."""
    payment = captured_at(fake)
    fake.before["refund_payment"] = lambda request: refund_payment(payment, amount=TEN)

    refund_payment(payment, amount=Decimal("20"))

    assert fake.payment_of(payment.payment_session_id).refunded_minor == 3000


@pytest.mark.django_db
def test_the_transaction_of_djangos_testcase_is_no_callers_transaction(
    fake: StagedProvider,
) -> None:
    """So that shops can test with the plain, fast test case."""
    assert connection.in_atomic_block

    payment = captured_at(fake)

    assert payment.captured_at is not None


# ATOMIC_REQUESTS


def _atomic_view(request: HttpRequest, pk: str) -> HttpResponse:
    try:
        refund_payment(Payment.objects.get(pk=pk), amount=TEN)
    except OpenTransaction as error:
        return HttpResponse(error.code, status=500)
    return HttpResponse("refunded")


@transaction.non_atomic_requests
def _non_atomic_view(request: HttpRequest, pk: str) -> HttpResponse:
    return _atomic_view(request, pk)


urlpatterns = [
    path("atomic/<str:pk>", _atomic_view),
    path("non-atomic/<str:pk>", _non_atomic_view),
]


@pytest.mark.django_db(transaction=True)
@override_settings(ROOT_URLCONF=__name__)
def test_atomic_requests_cannot_roll_the_evidence_back(
    fake: StagedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = captured_at(fake)
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)

    refused = Client().get(f"/atomic/{payment.pk}")
    assert (refused.status_code, refused.content) == (500, b"open_transaction")
    assert fake.asked_for("refund_payment") == []
    done = Client().get(f"/non-atomic/{payment.pk}")

    assert done.status_code == 200
    assert reloaded(payment).refunds.get().status == "succeeded"
