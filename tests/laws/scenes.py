"""What tests of laws and operations share: providers, shortcuts, and time that can be moved."""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import F, Sum
from django.dispatch import Signal

from medusa_payments.models import (
    AccountHolderCall,
    Capture,
    Payment,
    PaymentCollection,
    PaymentSession,
    ProviderCall,
    Refund,
)
from medusa_payments.operations import audit
from medusa_payments.operations.authorizations import authorize_payment_session
from medusa_payments.operations.captures import capture_payment
from medusa_payments.operations.collections import create_payment_collection
from medusa_payments.operations.sessions import create_payment_session
from medusa_payments.operations.webhooks import receive_webhook
from medusa_payments.testing.fake_provider import FakeProvider
from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.conftest import WEBHOOK_SECRET

STRIPE = "pp_stripe_stripe"
FAKE = "pp_fake_default"
FAKE_SINGLE = "pp_fake_single"  # one capture per authorization, as Stripe
SYSTEM = "pp_system_default"

AMOUNT = Decimal("100.50")
AMOUNT_MINOR = 10050
CONFIRMED = {"confirm": True, "off_session": True, "payment_method": "pm_card_visa"}
TAKEN = {**CONFIRMED, "capture_method": "automatic"}


class Crash(BaseException):
    """The process dies here: no ``except Exception`` of ours may live through it."""


class StagedProvider(FakeProvider):
    """A fake that notes what is open while it is asked, and lets a test act in that moment.

    ``before`` and ``after`` run once, before it acts and after it acted but before it answers.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.before: dict[str, Callable[[Any], Any]] = {}
        self.after: dict[str, Callable[[Any], Any]] = {}
        self.in_transaction: list[tuple[str, bool]] = []
        self.recorded: list[tuple[str, str]] = []  # method, state of the call's committed row

    def _answer(self, method: str, request: Any, act: Any) -> Any:
        self._note(method, request)
        return self._staged(
            method, request, lambda: super(StagedProvider, self)._answer(method, request, act)
        )

    def _look_up(self, method: str, request: Any, find: Any) -> Any:
        self.in_transaction.append((method, connection.in_atomic_block))
        return self._staged(
            method, request, lambda: super(StagedProvider, self)._look_up(method, request, find)
        )

    def _note(self, method: str, request: Any) -> None:
        self.in_transaction.append((method, connection.in_atomic_block))
        call_id = request.idempotency_key.partition(":")[0]
        row = (
            ProviderCall.objects.filter(pk=call_id).first()
            or AccountHolderCall.objects.filter(pk=call_id).first()
        )
        self.recorded.append((method, row.state if row else "missing"))

    def _staged(self, method: str, request: Any, answer: Callable[[], Any]) -> Any:
        if before := self.before.pop(method, None):
            before(request)
        try:
            return answer()
        finally:
            if after := self.after.pop(method, None):
                after(request)

    def tell(self, reference: str) -> None:
        """The fake's webhook about one object arrives."""
        receive_webhook(FAKE, *self.delivery(reference))

    def asked_for(self, method: str) -> list[Any]:
        return [request for name, request in self.asked if name == method]

    def keys(self, method: str) -> list[str]:
        return [request.idempotency_key for request in self.asked_for(method)]


def collection_of(amount: Decimal = AMOUNT, **options: Any) -> PaymentCollection:
    return create_payment_collection(amount=amount, currency_code="eur", **options)


def session_at(provider_id: str, collection: PaymentCollection | None = None, **data: Any) -> Any:
    return create_payment_session(collection or collection_of(), provider_id=provider_id, data=data)


def authorized_at_stripe(simulator: StripeSimulator) -> Payment:
    session = session_at(STRIPE)
    simulator.pay(session.provider_reference)
    payment = authorize_payment_session(session)
    assert payment is not None
    return payment


def captured_at_stripe(simulator: StripeSimulator) -> Payment:
    payment = authorized_at_stripe(simulator)
    capture_payment(payment)
    return Payment.objects.get(pk=payment.pk)


def authorized_at(fake: StagedProvider, provider_id: str = FAKE) -> Payment:
    session = session_at(provider_id)
    fake.pay(session.provider_reference)
    payment = authorize_payment_session(session)
    assert payment is not None
    return payment


def captured_at(fake: StagedProvider, provider_id: str = FAKE) -> Payment:
    payment = authorized_at(fake, provider_id)
    capture_payment(payment)
    return Payment.objects.get(pk=payment.pk)


def deliver(simulator: StripeSimulator, event_id: str) -> None:
    receive_webhook(STRIPE, *simulator.signed(event_id, secret=WEBHOOK_SECRET))


def deliver_changed(event: dict[str, Any], **changes: Any) -> None:
    """An event as Stripe would have sent it with other values, signed by Stripe."""
    body = json.dumps({**event, **changes}).encode()
    now = int(time.time())
    signature = hmac.new(WEBHOOK_SECRET.encode(), f"{now}.".encode() + body, "sha256").hexdigest()
    receive_webhook(STRIPE, body, {"Stripe-Signature": f"t={now},v1={signature}"})


def reloaded(row: Any) -> Any:
    """The row as it is committed, soft-deleted or not."""
    return type(row)._base_manager.get(pk=row.pk)


def only_session(collection: PaymentCollection) -> PaymentSession:
    return PaymentSession.all_objects.get(payment_collection=collection)


def only_call(kind: str, **conditions: Any) -> ProviderCall:
    return ProviderCall.objects.get(kind=kind, **conditions)


def succeeded_minor(model: type[Capture | Refund], payment: Payment) -> int:
    rows = model.objects.filter(payment=payment, status="succeeded")
    return int(rows.aggregate(total=Sum("amount_minor"))["total"] or 0)


def let_leases_end() -> None:
    """As if the processes that hold them had died long ago."""
    for model in (ProviderCall, AccountHolderCall):
        rows = model.objects.filter(leased_until__isnull=False)
        rows.update(leased_until=F("created_at") - timedelta(seconds=1))


def let_time_pass(**units: float) -> None:
    """Everything so far happened that much earlier."""
    span = timedelta(**units)
    moved = (
        "created_at",
        "updated_at",
        "first_sent_at",
        "last_sent_at",
        "leased_until",
        "next_attempt_at",
        "follow_up_at",
    )
    for call in ProviderCall.objects.all():
        values = {name: getattr(call, name) - span for name in moved if getattr(call, name)}
        ProviderCall.objects.filter(pk=call.pk).update(**values)


def breaks(collection: PaymentCollection) -> list[str]:
    """Kinds of the breaks in a collection's audit trail."""
    return [each.kind for each in audit.verify(reloaded(collection))]


@contextmanager
def listening(signal: Signal, receiver: Callable[..., Any] | None = None) -> Iterator[list[Any]]:
    """What a signal told, as keyword arguments, while this lasts; ``receiver`` is called too."""
    told: list[dict[str, Any]] = []

    def listen(sender: Any, signal: Signal, **facts: Any) -> None:
        told.append(facts)
        if receiver is not None:
            receiver(**facts)

    signal.connect(listen)
    try:
        yield told
    finally:
        signal.disconnect(listen)
