"""Law 1: no state-changing call leaves before a committed row names it; a crash is finished."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from medusa_payments.errors import PaymentIndeterminate
from medusa_payments.models import Capture, PaymentSession, ProviderCall, Refund
from medusa_payments.operations.cancellations import cancel_payment
from medusa_payments.operations.captures import capture_payment
from medusa_payments.operations.refunds import refund_payment
from medusa_payments.operations.sessions import delete_payment_session
from medusa_payments.providers.types import Indeterminate
from medusa_payments.reconciliation.sweep import reconcile_all
from medusa_payments.statuses import CallKind, ProviderState

from .scenes import (
    AMOUNT_MINOR,
    FAKE,
    Crash,
    StagedProvider,
    authorized_at,
    breaks,
    captured_at,
    collection_of,
    let_leases_end,
    only_call,
    only_session,
    reloaded,
    session_at,
)

pytestmark = pytest.mark.django_db(transaction=True)

TEN = Decimal("10")


def _initiate(fake: StagedProvider) -> Any:
    return lambda: session_at(FAKE)


def _capture(fake: StagedProvider) -> Any:
    payment = authorized_at(fake)
    return lambda: capture_payment(payment, amount=TEN)


def _refund(fake: StagedProvider) -> Any:
    payment = captured_at(fake)
    return lambda: refund_payment(payment, amount=TEN)


def _cancel(fake: StagedProvider) -> Any:
    payment = authorized_at(fake)
    return lambda: cancel_payment(payment)


def _undo(fake: StagedProvider) -> Any:
    session = session_at(FAKE)
    return lambda: delete_payment_session(session)


ACTS: dict[str, tuple[Callable[[StagedProvider], Any], str]] = {
    "initiate": (_initiate, "initiate_payment"),
    "capture": (_capture, "capture_payment"),
    "refund": (_refund, "refund_payment"),
    "cancel": (_cancel, "cancel_payment"),
    "undo": (_undo, "cancel_payment"),
}


@pytest.mark.parametrize("name", ACTS)
def test_the_row_is_committed_before_the_provider_is_asked(name: str, fake: StagedProvider) -> None:
    prepare, method = ACTS[name]
    act = prepare(fake)
    fake.recorded.clear()
    fake.in_transaction.clear()

    act()

    assert fake.recorded == [(method, "open")]
    assert (method, False) in fake.in_transaction


def test_the_row_tells_what_is_asked(fake: StagedProvider) -> None:
    payment = captured_at(fake)
    seen: list[ProviderCall] = []
    fake.before["refund_payment"] = lambda request: seen.append(
        ProviderCall.objects.get(kind=CallKind.REFUND)
    )

    refund = refund_payment(payment, amount=TEN)

    (call,) = seen
    (request,) = fake.asked_for("refund_payment")
    assert call.refund_id == refund.pk
    assert call.payment_session_id == payment.payment_session_id
    assert call.idempotency_key == request.idempotency_key
    assert call.arguments == {
        "reference": request.reference,
        "amount_minor": 1000,
        "currency_code": "eur",
    }
    assert len(call.arguments_digest) == 64
    assert call.last_sent_at is not None


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("name", ["capture", "refund", "cancel", "undo"])
def test_the_sweep_finishes_what_a_crash_left(name: str, moment: str, fake: StagedProvider) -> None:
    prepare, method = ACTS[name]
    act = prepare(fake)
    getattr(fake, moment)[method] = _crash

    with pytest.raises(Crash):
        act()
    left = ProviderCall.objects.get(state="open")
    let_leases_end()
    report = reconcile_all()

    (payment,) = fake.payments.values()
    assert reloaded(left).state == "succeeded"
    assert set(fake.keys(method)) == {left.idempotency_key}
    assert _happened(name, payment)
    assert report.unresolved == 0
    assert breaks(left.payment_collection) == []


def _crash(request: Any) -> None:
    raise Crash


def _happened(name: str, payment: Any) -> bool:
    """Once, at the provider and in the rows."""
    if name == "capture":
        return bool(payment.captured_minor == 1000 and Capture.objects.get().status == "succeeded")
    if name == "refund":
        return bool(payment.refunded_minor == 1000 and Refund.objects.get().status == "succeeded")
    return bool(payment.state == ProviderState.CANCELED)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_crash_in_an_initiate_sets_the_session_aside_and_closes_what_it_made(
    moment: str, fake: StagedProvider, shop: Any
) -> None:
    getattr(fake, moment)["initiate_payment"] = _crash
    collection = collection_of()

    with pytest.raises(Crash):
        session_at(FAKE, collection, confirm=True)
    let_leases_end()
    reconcile_all()

    session = only_session(collection)
    assert session.deleted_reason == "indeterminate"
    assert session.indeterminate
    assert [method for method, _ in fake.recorded].count("initiate_payment") == 1
    if moment == "after":
        assert session.resolution == "closed"
        assert fake.payment_of(session.pk).state == ProviderState.CANCELED
    else:
        assert session.resolution == ""  # not before the horizon
        assert only_call("initiate").is_unresolved


def test_a_crash_between_the_calls_of_a_chain_loses_none(fake: StagedProvider) -> None:
    """The cancel that a lost initiate demands is a row of its own, written with the record."""
    collection = collection_of()
    fake.script("initiate_payment", Indeterminate(), executes=True)
    with pytest.raises(PaymentIndeterminate):
        session_at(FAKE, collection)
    session = only_session(collection)
    fake.before["cancel_payment"] = _crash

    with pytest.raises(Crash):
        reconcile_all()
    cancel = only_call("cancel")
    assert cancel.state == "open"
    let_leases_end()
    reconcile_all()

    assert PaymentSession.all_objects.get(pk=session.pk).resolution == "closed"
    assert reloaded(cancel).state == "succeeded"
    assert fake.payment_of(session.pk).held_minor == 0
    assert fake.payment_of(session.pk).amount_minor == AMOUNT_MINOR
