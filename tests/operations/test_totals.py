from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from medusa_payments.models import (
    Capture,
    Dispute,
    Payment,
    PaymentCollection,
    PaymentSession,
    Refund,
)
from medusa_payments.operations.totals import counted, payment_totals, recompute, set_aside
from tests.laws.scenes import collection_of

pytestmark = pytest.mark.django_db(transaction=True)

NOW = timezone.now()


def _payment(collection: PaymentCollection, **values: Any) -> Payment:
    live = None if values.get("deleted") else collection.pk
    session = PaymentSession.all_objects.create(
        payment_collection=collection,
        live_collection_id=live,
        provider_id="pp",
        currency_code="eur",
        amount_minor=10050,
        **{"status": "authorized", **values},
    )
    return Payment.objects.create(
        payment_collection=collection,
        payment_session=session,
        provider_id="pp",
        currency_code="eur",
        amount_minor=10050,
    )


def _move(model: Any, payment: Payment, amount_minor: int, status: str) -> None:
    model.objects.create(
        payment=payment,
        amount_minor=amount_minor,
        status=status,
        evidence="lookup",
        request_key=f"{status} {amount_minor}",
    )


@pytest.mark.parametrize(
    ("status", "captured", "reserved"),
    [
        ("requested", 0, 1000),
        ("pending", 0, 1000),
        ("indeterminate", 0, 1000),
        ("succeeded", 1000, 1000),
        ("failed", 0, 0),
    ],
)
def test_a_capture_counts_by_its_status(status: str, captured: int, reserved: int) -> None:
    payment = _payment(collection_of())
    _move(Capture, payment, 1000, status)

    sums = payment_totals(payment)

    assert (sums.captured_minor, sums.captures_reserved_minor) == (captured, reserved)


@pytest.mark.parametrize(
    ("status", "refunded", "refundable"),
    [
        ("requested", 0, 9050),
        ("indeterminate", 0, 9050),
        ("pending", 1000, 9050),
        ("succeeded", 1000, 9050),
        ("failed", 0, 10050),
    ],
)
def test_a_refund_counts_by_its_status(status: str, refunded: int, refundable: int) -> None:
    payment = _payment(collection_of())
    _move(Capture, payment, 10050, "succeeded")
    _move(Refund, payment, 1000, status)

    sums = payment_totals(payment)

    assert (sums.refunded_minor, sums.refundable_minor) == (refunded, refundable)


def test_refundable_never_falls_below_nothing() -> None:
    payment = _payment(collection_of())
    _move(Capture, payment, 1000, "succeeded")
    _move(Refund, payment, 1000, "succeeded")
    Dispute.objects.create(
        payment=payment, provider_reference="dp", amount_minor=1000, evidence="webhook"
    )

    assert payment_totals(payment).refundable_minor == 0


SESSIONS: dict[str, tuple[dict[str, Any], bool]] = {
    "live": ({}, True),
    "deleted": ({"deleted": NOW, "deleted_reason": "deleted"}, False),
    "refunded": (
        {
            "deleted": NOW,
            "deleted_reason": "replaced",
            "resolution": "refunded",
            "resolved_at": NOW,
        },
        False,
    ),
    "adopted": (
        {
            "deleted": NOW,
            "deleted_reason": "indeterminate",
            "indeterminate": True,
            "resolution": "adopted",
            "resolved_at": NOW,
        },
        True,
    ),
}


@pytest.mark.parametrize("name", SESSIONS)
def test_money_is_summed_with_the_collection_or_beside_it(name: str) -> None:
    values, pays = SESSIONS[name]
    collection = collection_of()
    payment = _payment(collection, **values)
    _move(Capture, payment, 5000, "succeeded")
    _move(Refund, payment, 2000, "pending")

    inside, beside = counted(collection), set_aside(collection)

    full, nothing = (inside, beside) if pays else (beside, inside)
    assert (full.authorized_minor, full.captured_minor, full.refunded_minor) == (10050, 5000, 2000)
    assert (nothing.authorized_minor, nothing.captured_minor, nothing.refunded_minor) == (0, 0, 0)


def test_other_collections_do_not_count() -> None:
    _move(Capture, _payment(collection_of()), 5000, "succeeded")

    assert counted(collection_of()).captured_minor == 0


@pytest.mark.parametrize(
    ("session", "captured", "owed", "status"),
    [
        (None, 0, 10050, "not_paid"),
        ("pending", 0, 10050, "awaiting"),
        ("authorized", 0, 20000, "partially_authorized"),
        ("authorized", 0, 10050, "authorized"),
        ("authorized", 0, 5000, "authorized"),
        ("authorized", 9000, 10050, "authorized"),
        ("authorized", 10050, 10050, "completed"),
        ("authorized", 9000, 9000, "completed"),
        ("canceled", 0, 10050, "awaiting"),
    ],
)
def test_the_status_follows_from_the_sums(
    session: str | None, captured: int, owed: int, status: str
) -> None:
    collection = collection_of()
    collection.amount_minor = owed
    if session:
        payment = _payment(collection, status=session)
        if captured:
            _move(Capture, payment, captured, "succeeded")

    recompute(collection, now=NOW)

    assert collection.status == status
    assert (collection.completed_at is not None) == (status == "completed")


def test_refunds_never_change_the_status() -> None:
    collection = collection_of()
    payment = _payment(collection)
    _move(Capture, payment, 10050, "succeeded")
    _move(Refund, payment, 10050, "succeeded")

    recompute(collection, now=NOW)

    assert (collection.status, collection.refunded_minor) == ("completed", 10050)


def test_the_first_completion_keeps_its_time() -> None:
    collection = collection_of()
    _move(Capture, _payment(collection), 10050, "succeeded")
    collection.completed_at = NOW

    recompute(collection, now=timezone.now())

    assert collection.completed_at == NOW
