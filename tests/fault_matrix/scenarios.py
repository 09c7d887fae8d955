"""What a shop, a buyer and an operator do in one cell of the fault matrix.

Each scenario runs its acts under the fault, then, when the fault is lifted, what a person would do
next: the buyer tries again, the operator clicks a second time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from medusa_payments.errors import MedusaPaymentsError
from medusa_payments.models import Payment, PaymentCollection, PaymentSession
from medusa_payments.operations.authorizations import authorize_payment_session
from medusa_payments.operations.cancellations import cancel_payment
from medusa_payments.operations.captures import capture_payment
from medusa_payments.operations.collections import (
    create_payment_collection,
    reprice_payment_collection,
)
from medusa_payments.operations.refunds import refund_payment
from medusa_payments.operations.sessions import create_payment_session
from medusa_payments.testing.stripe_simulator import StripeSimulator

STRIPE = "pp_stripe_stripe"
CONFIRMED = {"confirm": True, "off_session": True, "payment_method": "pm_card_visa"}
AMOUNT = Decimal("100.50")
PART = Decimal("40.20")


@dataclass
class Cell:
    """One run of one scenario; ``kept_minor`` is what the shop must hold in the end, or hold and
    take together where the money is only reserved."""

    simulator: StripeSimulator
    label: str
    collection: PaymentCollection = field(init=False)
    payment: Payment | None = None
    kept_minor: int | None = None

    def __post_init__(self) -> None:
        self.collection = create_payment_collection(amount=AMOUNT, currency_code="eur")

    def session_ids(self) -> list[str]:
        rows = PaymentSession.all_objects.filter(payment_collection=self.collection)
        return list(rows.values_list("pk", flat=True))

    def start(self, data: dict[str, Any] | None = None) -> PaymentSession | None:
        """What the buyer's front end asks for; None when it was told to try again."""
        try:
            return create_payment_session(self.collection, provider_id=STRIPE, data=data or {})
        except MedusaPaymentsError:
            return None

    def authorize(self) -> Payment:
        """A session that the buyer has paid, before anything goes wrong."""
        session = self.start()
        assert session is not None, self.label
        self.simulator.pay(session.provider_reference)
        payment = authorize_payment_session(session)
        assert payment is not None, self.label
        return payment

    def act(self, act: Callable[[], Any]) -> None:
        """An operator's click; a refusal or a conflict is an answer too."""
        try:
            act()
        except MedusaPaymentsError:
            return


class Scenario:
    """``prepare`` before the fault, ``act`` under it, ``follow`` after it is lifted."""

    name: str
    operation: str  # the simulator's name of the call that goes wrong

    def prepare(self, cell: Cell) -> None: ...

    def act(self, cell: Cell) -> None: ...

    def follow(self, cell: Cell) -> None: ...


class Initiate(Scenario):
    name, operation = "initiate", "payment_intents.create"

    def act(self, cell: Cell) -> None:
        cell.start()

    def follow(self, cell: Cell) -> None:
        session = PaymentSession.objects.filter(payment_collection=cell.collection).first()
        if session is None or session.status == "error":
            session = cell.start()
        assert session is not None, cell.label
        cell.simulator.pay(session.provider_reference)
        cell.kept_minor = 10050


class InitiateConfirmed(Scenario):
    name, operation = "initiate, confirmed at once", "payment_intents.create"

    def act(self, cell: Cell) -> None:
        cell.start({**CONFIRMED, "capture_method": "automatic"})

    def follow(self, cell: Cell) -> None:
        session = PaymentSession.objects.filter(payment_collection=cell.collection).first()
        if session is None or session.status == "error":
            assert cell.start({**CONFIRMED, "capture_method": "automatic"}), cell.label
        cell.kept_minor = 10050


class Capture(Scenario):
    name, operation = "capture", "payment_intents.capture"

    def prepare(self, cell: Cell) -> None:
        cell.payment = cell.authorize()

    def act(self, cell: Cell) -> None:
        cell.act(lambda: capture_payment(_payment(cell), amount=AMOUNT, request_key="click"))

    def follow(self, cell: Cell) -> None:
        self.act(cell)
        cell.act(lambda: capture_payment(_payment(cell), amount=AMOUNT, request_key="click 2"))
        cell.kept_minor = 10050


class Refund(Scenario):
    operation = "refunds.create"
    amount: Decimal

    def prepare(self, cell: Cell) -> None:
        cell.payment = cell.authorize()
        capture_payment(cell.payment, amount=AMOUNT)

    def act(self, cell: Cell) -> None:
        cell.act(lambda: refund_payment(_payment(cell), amount=self.amount, request_key="click"))

    def follow(self, cell: Cell) -> None:
        self.act(cell)
        if not _payment(cell).refunds.exclude(status="failed").exists():
            cell.act(
                lambda: refund_payment(_payment(cell), amount=self.amount, request_key="click 2")
            )


class PartialRefund(Refund):
    name, amount = "partial refund", PART


class FullRefund(Refund):
    name, amount = "full refund", AMOUNT


class Cancel(Scenario):
    name, operation = "cancel", "payment_intents.cancel"

    def prepare(self, cell: Cell) -> None:
        cell.payment = cell.authorize()

    def act(self, cell: Cell) -> None:
        cell.act(lambda: cancel_payment(_payment(cell)))

    def follow(self, cell: Cell) -> None:
        self.act(cell)
        cell.kept_minor = 0


class Replace(Scenario):
    name, operation = "replace", "payment_intents.cancel"

    def prepare(self, cell: Cell) -> None:
        assert cell.start(), cell.label

    def act(self, cell: Cell) -> None:
        cell.start()

    def follow(self, cell: Cell) -> None:
        session = PaymentSession.objects.get(payment_collection=cell.collection)
        cell.simulator.pay(session.provider_reference)
        cell.kept_minor = 10050


class Update(Scenario):
    """The buyer's cart gets cheaper while its payment waits."""

    name, operation = "update", "payment_intents.update"

    def prepare(self, cell: Cell) -> None:
        assert cell.start(), cell.label

    def act(self, cell: Cell) -> None:
        reprice_payment_collection(cell.collection, amount=PART)
        cell.start()

    def follow(self, cell: Cell) -> None:
        session = PaymentSession.objects.get(payment_collection=cell.collection)
        if session.amount != PART:
            session = cell.start() or session
        assert session.data.get("client_secret"), cell.label
        cell.simulator.pay(session.provider_reference)
        cell.kept_minor = 4020


def _payment(cell: Cell) -> Payment:
    assert cell.payment is not None, cell.label
    return Payment.objects.get(pk=cell.payment.pk)


SCENARIOS: tuple[Scenario, ...] = (
    Initiate(),
    InitiateConfirmed(),
    Capture(),
    PartialRefund(),
    FullRefund(),
    Cancel(),
    Replace(),
    Update(),
)
