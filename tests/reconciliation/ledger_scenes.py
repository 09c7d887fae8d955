"""A past in which the records here and Stripe's ledger are equal, and ways to part them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any

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


def on_both_sides(stripe: StripeSimulator, made: Sequence[Deal], **changes: Any) -> list[Any]:
    """What was seeded, in the order of the deals; ``changes`` are those of Stripe's side."""
    seeded: list[Any] = []
    for batch in _batches(made):
        planted = only_there(stripe, batch, **changes)
        record([_rows_of(deal, seen) for deal, seen in zip(batch, planted, strict=True)])
        seeded += planted
    return seeded


def only_here(made: Sequence[Deal]) -> list[Any]:
    """Recorded, with references of which Stripe knows nothing."""
    unknown = [
        {
            "id": new_id("pi_gone"),
            "charge": None,
            "refunds": [new_id("re_gone")] if deal.refunded_minor else [],
        }
        for deal in made
    ]
    record([_rows_of(deal, seen) for deal, seen in zip(made, unknown, strict=True)])
    return unknown


def only_there(stripe: StripeSimulator, made: Sequence[Deal], **changes: Any) -> list[Any]:
    """At Stripe, without a record here."""
    seeds: Any = [deal.seed(**changes) for deal in made]
    return list(stripe.seed(seeds))


def plant(stripe: StripeSimulator, *, first: int, each: int) -> set[tuple[str, str, str]]:
    """Everything that may be wrong, ``each`` times; (object, class, reference) of all of it.

    ``first`` is the number of the first deal, a multiple of ten: the first deals of ten are taken.
    """
    groups = iter(_groups(first, each))
    found: set[tuple[str, str, str]] = set()

    def expect(name: str, seeded: Sequence[Any]) -> None:
        for one in seeded:
            found.add(("payment", name, one["id"]))
            if one["charge"]:
                found.add(("charge", name, one["charge"]))
            found.update(("refund", name, refund) for refund in one["refunds"])

    expect("ghost", only_there(stripe, next(groups)))
    expect("ghost", only_there(stripe, next(groups), status="canceled"))
    expect("missing", only_here(next(groups)))
    doubled = next(groups)
    on_both_sides(stripe, doubled)
    expect("duplicate", only_there(stripe, doubled, refunds=[]))
    expect("amount", on_both_sides(stripe, next(groups), amount=5_000))
    expect("amount", on_both_sides(stripe, next(groups), captured=700))
    expect("currency", on_both_sides(stripe, next(groups), currency="gbp"))
    expect("status", on_both_sides(stripe, next(groups), status="requires_capture"))
    only_there(stripe, next(groups), metadata={})
    found |= _planted_refunds(stripe, next(groups))
    return found


def _planted_refunds(stripe: StripeSimulator, made: Sequence[Deal]) -> set[tuple[str, str, str]]:
    """One of another amount, one that failed, one made twice, one made in the dashboard."""
    found = set()
    for deal in made:
        (own,) = deal.seed()["refunds"]
        others = {
            "amount": [{**own, "amount": 250}],
            "status": [{**own, "status": "failed"}],
            "duplicate": [own, {**own, "amount": 100}],
            "ghost": [own, {**own, "metadata": {"refund_id": "ref_unknown"}}],
        }
        for number, (name, refunds) in enumerate(others.items()):
            sibling = replace(
                deal,
                session_id=new_id("payses"),
                refund_id=new_id("ref"),
                created=deal.created + number,
            )
            marks = {"session_id": sibling.session_id, "refund_id": sibling.refund_id}
            changed = [
                {
                    **each,
                    "metadata": marks if each["metadata"] == own["metadata"] else each["metadata"],
                }
                for each in refunds
            ]
            (seeded,) = on_both_sides(stripe, [sibling], refunds=changed)
            found.add(("refund", name, seeded["refunds"][-1]))
    return found


def _groups(first: int, each: int) -> Iterator[list[Deal]]:
    """Taken ones, the last group refunded ones; beside the even spread of the others."""
    for group in range(10):
        digit = 6 if group == 9 else group % 6
        made = [
            _deal(
                first + number * 10 + digit,
                START.timestamp() + 1_000 + number * 90_000 + group * 777,
            )
            for number in range(each)
        ]
        yield made


def named(report: Any) -> set[tuple[str, str, str]]:
    return {(row["object"], row["class"], row["reference"]) for row in report.findings}


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


def _batches(made: Sequence[Deal]) -> Iterator[list[Deal]]:
    remaining = iter(made)
    while batch := list(islice(remaining, _BATCH)):
        yield batch
