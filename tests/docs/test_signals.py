"""What docs/signals.md says of signals is so, and its receiver fulfils an order once."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest

from example_project.shop.models import Cart, Order
from example_project.shop.receivers import on_payment
from medusa_payments import signals
from medusa_payments.errors import PaymentDeclined, PaymentIndeterminate
from medusa_payments.models import Payment, PaymentCollection, Refund
from medusa_payments.operations.actors import SYSTEM
from medusa_payments.operations.authorizations import authorize_payment_session
from medusa_payments.operations.cancellations import cancel_payment
from medusa_payments.operations.captures import capture_payment
from medusa_payments.operations.collections import (
    create_payment_collection,
    update_payment_collection,
)
from medusa_payments.operations.refunds import refund_payment
from medusa_payments.operations.sessions import create_payment_session
from medusa_payments.operations.sightings import see
from medusa_payments.providers.types import (
    Failed,
    FailureKind,
    Found,
    Indeterminate,
    ProviderDispute,
)
from medusa_payments.reconciliation.sweep import reconcile_all, reconcile_due
from medusa_payments.statuses import DisputeStatus, MovementStatus
from tests.docs.pages import code_in, quoted_in, rows_of
from tests.laws.fixtures import fake, shop
from tests.laws.scenes import (
    FAKE,
    StagedProvider,
    authorized_at,
    captured_at,
    listening,
    only_call,
    session_at,
)

__all__ = ["fake", "shop"]

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = "docs/signals.md"
TEN = Decimal("10")
EXAMPLE = [signals.payment_authorized, signals.payment_captured, signals.payment_canceled]
UID_OF_THE_PAGE = "shop.fulfil_order"


# What is told


def test_each_signal_carries_what_the_page_says(fake: StagedProvider) -> None:
    with ExitStack() as stack:
        told = {
            name: stack.enter_context(listening(signal))
            for name, signal in signals.FOR_THE_SHOP.items()
        }
        _make_everything_happen(fake)

    carried = {name: sorted(set().union(*facts)) for name, facts in told.items()}
    rows = rows_of(PAGE, "# Signals")
    assert carried == {row[0].strip("`"): sorted(quoted_in(row[1])) for row in rows}


def _make_everything_happen(fake: StagedProvider) -> None:
    refund_payment(captured_at(fake), amount=TEN)
    cancel_payment(authorized_at(fake))
    fake.script("initiate_payment", Indeterminate(), executes=True)
    with pytest.raises(PaymentIndeterminate):
        session_at(FAKE)
    reconcile_all()
    fake.script("initiate_payment", Failed(kind=FailureKind.DECLINED))
    with pytest.raises(PaymentDeclined):
        session_at(FAKE)
    session = session_at(FAKE)
    fake.pay(session.provider_reference, capture=True)  # in the dashboard: a person is told
    authorize_payment_session(session)
    refund = _pending_refund(fake)
    _end_refund(fake, refund, MovementStatus.FAILED)
    _dispute(fake, refund.payment, DisputeStatus.OPEN)
    _dispute(fake, refund.payment, DisputeStatus.LOST)


def _dispute(fake: StagedProvider, payment: Payment, status: DisputeStatus) -> None:
    disputed = ProviderDispute(reference="du_1", amount_minor=1000, status=status)
    seen = fake.payment_of(payment.payment_session_id).snapshot()
    fake.script("lookup", Found(payment=replace(seen, disputes=(disputed,))))
    see(payment.payment_session, actor=SYSTEM)


# How often


def test_a_pending_refund_is_told_when_it_is_accepted_and_when_it_is_made(
    fake: StagedProvider,
) -> None:
    with listening(signals.payment_refunded) as told:
        refund = _pending_refund(fake)
        _end_refund(fake, refund, MovementStatus.SUCCEEDED)

    assert [facts["refund"].status for facts in told] == ["pending", "succeeded"]


def test_a_refund_that_fails_afterwards_is_told(fake: StagedProvider) -> None:
    with listening(signals.payment_refunded) as made, listening(signals.refund_failed) as failed:
        refund = _pending_refund(fake)
        _end_refund(fake, refund, MovementStatus.FAILED)
        reconcile_all()

    assert Refund.objects.get().status == "failed"
    assert (len(made), len(failed)) == (1, 1)


def _pending_refund(fake: StagedProvider) -> Refund:
    fake.refund_status = MovementStatus.PENDING
    return refund_payment(captured_at(fake), amount=TEN)


def _end_refund(fake: StagedProvider, refund: Refund, status: MovementStatus) -> None:
    payment = fake.payment_of(refund.payment.payment_session_id)
    payment.refunds[0] = replace(payment.refunds[0], status=status)
    reconcile_all()


def test_a_receiver_that_returned_is_called_again_when_another_raises(
    fake: StagedProvider,
) -> None:
    calls: list[str] = []

    def fails_once(**facts: Any) -> None:
        calls.append("raises")
        if calls.count("raises") == 1:
            raise RuntimeError

    with (
        listening(signals.payment_refunded, lambda **facts: calls.append("returns")),
        listening(signals.payment_refunded, fails_once),
    ):
        refund_payment(captured_at(fake), amount=TEN)
        reconcile_due()
        reconcile_due()

    assert sorted(calls) == ["raises"] * 2 + ["returns"] * 2


def test_what_nobody_listens_to_is_not_owed(fake: StagedProvider) -> None:
    assert not signals.payment_refunded.has_listeners()
    refund_payment(captured_at(fake), amount=TEN)

    with listening(signals.payment_refunded) as told:
        reconcile_all()

    assert told == []
    assert only_call("refund").signals == []


def test_a_receiver_may_call_operations(fake: StagedProvider) -> None:
    def capture(payment: Payment) -> None:
        capture_payment(payment)

    with listening(signals.payment_authorized, capture):
        payment = authorized_at(fake)

    payment.refresh_from_db()
    assert payment.is_captured


# The receiver of the page


@dataclass
class Shipments:
    """Stands for the shop's own model; the first ``fail`` times there is no truck."""

    made: list[Order] = field(default_factory=list)
    fail: int = 0

    @property
    def objects(self) -> Shipments:
        return self

    def create(self, *, order: Order) -> None:
        if self.fail:
            self.fail -= 1
            raise RuntimeError("no truck")
        self.made.append(order)


@pytest.fixture
def shipments(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shipments]:
    """The page's receiver listens, in place of the example shop's."""
    made = Shipments()
    models = ModuleType("shop.models")
    models.__dict__.update(Order=Order, Shipment=made)
    monkeypatch.setitem(sys.modules, "shop.models", models)
    for signal in EXAMPLE:
        signal.disconnect(dispatch_uid="shop.payments")
    (code,) = code_in(PAGE)
    module: dict[str, Any] = {}
    exec(compile(code, PAGE, "exec"), module)
    yield made
    for signal in EXAMPLE:
        signal.disconnect(dispatch_uid=UID_OF_THE_PAGE)
        signal.connect(on_payment, dispatch_uid="shop.payments")


@pytest.fixture
def order(db: None) -> Order:
    return Order.objects.create(cart=Cart.objects.create())


def collection_for(order: Order) -> PaymentCollection:
    return create_payment_collection(
        amount=Decimal("100.50"), currency_code="eur", cart_reference=order.cart_id
    )


def authorized_for(order: Order, fake: StagedProvider) -> Payment:
    session = create_payment_session(collection_for(order), provider_id=FAKE)
    fake.pay(session.provider_reference)
    payment = authorize_payment_session(session)
    assert payment is not None
    return payment


def test_the_receiver_fulfils_an_order_once(
    fake: StagedProvider, order: Order, shipments: Shipments
) -> None:
    payment = authorized_for(order, fake)
    capture_payment(payment)
    signals.payment_captured.send(sender=Payment, payment=payment)

    order.refresh_from_db()
    assert shipments.made == [order]
    assert order.paid_at is not None


def test_the_receiver_is_called_again_when_it_could_not_fulfil(
    fake: StagedProvider, order: Order, shipments: Shipments
) -> None:
    shipments.fail = 1
    authorized_for(order, fake)
    order.refresh_from_db()
    paid_at_first = order.paid_at

    reconcile_due()

    order.refresh_from_db()
    assert paid_at_first is None
    assert order.paid_at is not None
    assert shipments.made == [order]


def test_the_receiver_fulfils_nothing_that_is_paid_in_part(
    fake: StagedProvider, order: Order, shipments: Shipments
) -> None:
    collection = collection_for(order)
    session = create_payment_session(collection, provider_id=FAKE)
    update_payment_collection(collection, amount=Decimal("200"))
    fake.pay(session.provider_reference)

    authorize_payment_session(session)

    collection.refresh_from_db()
    assert collection.status == "partially_authorized"
    assert shipments.made == []


def test_the_receiver_fulfils_nothing_for_money_that_goes_back(
    fake: StagedProvider, order: Order, shipments: Shipments
) -> None:
    fake.script("initiate_payment", Indeterminate(), executes=True)
    with pytest.raises(PaymentIndeterminate):
        create_payment_session(collection_for(order), provider_id=FAKE, data={"confirm": True})

    reconcile_all()

    order.refresh_from_db()
    assert shipments.made == []
    assert order.paid_at is None
