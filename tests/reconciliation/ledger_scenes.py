"""A past in which the records here and Stripe's ledger are equal, and ways to part them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from django.utils import timezone

from medusa_payments.ids import new_id
from medusa_payments.models import (
    Capture,
    Payment,
    PaymentCollection,
    PaymentSession,
    ProviderCall,
    Refund,
)
from medusa_payments.statuses import (
    CallKind,
    CallState,
    Evidence,
    MovementStatus,
    ProviderState,
    SessionStatus,
)
from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.laws.scenes import STRIPE

START = datetime(2026, 1, 1, tzinfo=UTC)
END = datetime(2026, 2, 1, tzinfo=UTC)
_BATCH = 1_000

_STATUS = {
    ProviderState.PAYABLE: "requires_payment_method",
    ProviderState.HELD: "requires_capture",
    ProviderState.CAPTURED: "succeeded",
    ProviderState.CANCELED: "canceled",
}


@dataclass(frozen=True)
class Deal:
    """One payment as both sides have it, or as only one does."""

    number: int
    created: int
    state: ProviderState
    amount_minor: int
    refunded_minor: int
    currency_code: str
    session_id: str
    refund_id: str

    def seed(self, **changes: Any) -> dict[str, Any]:
        refunds = [
            {
                "amount": self.refunded_minor,
                "created": self.created + 60,
                "metadata": {"session_id": self.session_id, "refund_id": self.refund_id},
            }
        ]
        return {
            "amount": self.amount_minor,
            "created": self.created,
            "currency": self.currency_code,
            "status": _STATUS[self.state],
            "metadata": {"session_id": self.session_id},
            "refunds": refunds if self.refunded_minor else [],
        } | changes


def deals(count: int, *, first: int = 0, seconds: int | None = None) -> list[Deal]:
    """Spread evenly over the month; of ten seven are taken (one of them in part refunded)."""
    step = seconds or int((END - START).total_seconds() - 3_600) // max(count, 1)
    return [
        _deal(first + number, START.timestamp() + 600 + number * step) for number in range(count)
    ]


def _deal(number: int, created: float) -> Deal:
    states = {7: ProviderState.HELD, 8: ProviderState.PAYABLE, 9: ProviderState.CANCELED}
    return Deal(
        number=number,
        created=int(created),
        state=states.get(number % 10, ProviderState.CAPTURED),
        amount_minor=1_000 + number % 900,
        refunded_minor=300 if number % 10 == 6 else 0,
        currency_code="usd" if number % 25 == 0 else "eur",
        session_id=new_id("payses"),
        refund_id=new_id("ref"),
    )


def on_both_sides(stripe: StripeSimulator, made: Sequence[Deal]) -> list[PaymentSession]:
    """The sessions, in the order of the deals."""
    sessions: list[PaymentSession] = []
    for batch in _batches(made):
        planted = stripe.seed([deal.seed() for deal in batch])  # type: ignore[misc]
        rows = [_rows_of(deal, seen) for deal, seen in zip(batch, planted, strict=True)]
        record(rows)
        sessions += [each[1] for each in rows]
    return sessions


def only_here(made: Sequence[Deal]) -> list[PaymentSession]:
    """Recorded, with references of which Stripe knows nothing."""
    unknown = [
        {"id": new_id("pi_gone"), "charge": None, "refunds": [new_id("re_gone")]} for _ in made
    ]
    rows = [_rows_of(deal, seen) for deal, seen in zip(made, unknown, strict=True)]
    record(rows)
    return [each[1] for each in rows]


def only_there(stripe: StripeSimulator, made: Sequence[Deal], **changes: Any) -> list[str]:
    """Ids of intents of which there is no record here."""
    planted = stripe.seed([deal.seed(**changes) for deal in made])  # type: ignore[misc]
    return [each["id"] for each in planted]


def record(rows: list[list[Any]]) -> None:
    for model in (PaymentCollection, PaymentSession, Payment, Capture, Refund, ProviderCall):
        of_model = [row for each in rows for row in each if isinstance(row, model)]
        manager = getattr(model, "all_objects", model._default_manager)
        manager.bulk_create(of_model, batch_size=500)


def _rows_of(deal: Deal, seen: Any) -> list[Any]:
    """Collection, session, initiate, and what became of them."""
    made_at = datetime.fromtimestamp(deal.created, UTC)
    held = deal.amount_minor if deal.state is ProviderState.HELD else 0
    taken = deal.amount_minor if deal.state is ProviderState.CAPTURED else 0
    collection = PaymentCollection(
        currency_code=deal.currency_code, amount_minor=deal.amount_minor, created_at=made_at
    )
    session = PaymentSession(
        id=deal.session_id,
        payment_collection=collection,
        live_collection_id=collection.pk,
        provider_id=STRIPE,
        currency_code=deal.currency_code,
        amount_minor=deal.amount_minor,
        status=SessionStatus.CAPTURED if taken else SessionStatus.PENDING,
        provider_reference=seen["id"],
        provider_state=deal.state,
        provider_amount_minor=deal.amount_minor,
        provider_currency_code=deal.currency_code,
        held_minor=held,
        captured_minor=taken,
        authorized_at=made_at if held or taken else None,
        observed_at=made_at,
        evidence=Evidence.RESPONSE,
        created_at=made_at,
    )
    call = ProviderCall(
        kind=CallKind.INITIATE,
        provider_id=STRIPE,
        state=CallState.SUCCEEDED,
        evidence=Evidence.RESPONSE,
        arguments={"amount_minor": deal.amount_minor},
        arguments_digest="",
        payment_collection=collection,
        payment_session=session,
        first_sent_at=made_at,
        last_sent_at=made_at,
        created_at=made_at,
    )
    if not (held or taken):
        return [collection, session, call]
    payment = Payment(
        payment_collection=collection,
        payment_session=session,
        provider_id=STRIPE,
        currency_code=deal.currency_code,
        amount_minor=deal.amount_minor,
        captured_at=made_at if taken else None,
        created_at=made_at,
    )
    rows = [collection, session, call, payment]
    done = {"status": MovementStatus.SUCCEEDED, "evidence": Evidence.RESPONSE}
    if taken:
        rows.append(Capture(payment=payment, amount_minor=taken, request_key=new_id("key"), **done))
    if deal.refunded_minor:
        rows.append(
            Refund(
                id=deal.refund_id,
                payment=payment,
                amount_minor=deal.refunded_minor,
                request_key=new_id("key"),
                provider_reference=seen["refunds"][0],
                created_at=datetime.fromtimestamp(deal.created + 60, UTC),
                **done,
            )
        )
    return rows


def row_counts() -> dict[str, int]:
    """Of every table of ours, of Django's and of the shop's."""
    from django.apps import apps

    return {model._meta.label: model._base_manager.count() for model in apps.get_models()}


def latest_change() -> list[Any]:
    """Which rows of the money were written last."""
    models: list[Any] = [PaymentCollection, PaymentSession, Payment, Capture, Refund, ProviderCall]
    return [
        model._base_manager.order_by("-updated_at").values_list("pk", "updated_at").first()
        for model in models
    ]


def _batches(made: Sequence[Deal]) -> Iterator[list[Deal]]:
    remaining = iter(made)
    while batch := list(islice(remaining, _BATCH)):
        yield batch


def now() -> datetime:
    return timezone.now().replace(microsecond=0)
