"""Many unfinished calls at Stripe, made in a past that both sides agree on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from medusa_payments.errors import MedusaPaymentsError
from medusa_payments.models import PaymentSession
from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.laws.scenes import CONFIRMED, STRIPE, TAKEN, let_time_pass, session_at

READS = ("payment_intents.list", "payment_intents.retrieve", "refunds.list", "disputes.list")


@contextmanager
def earlier(stripe: StripeSimulator, *, hours: float) -> Iterator[None]:
    """What happens inside of it happened so long ago, here and at Stripe."""
    stripe.advance(-hours * 3600)
    yield
    stripe.advance(hours * 3600)
    let_time_pass(hours=hours)


def lost(
    stripe: StripeSimulator, count: int, *, kind: str = "drop_after", **data: Any
) -> list[str]:
    """Initiates whose answers were lost; the ids of their sessions."""
    known = set(_ids())
    fault = stripe.fault(kind, "payment_intents.create", times=None)
    assert fault
    for _ in range(count):
        with suppress(MedusaPaymentsError):
            session_at(STRIPE, **data)
    stripe.clear_faults()
    return [pk for pk in _ids() if pk not in known]


def a_bad_hour(stripe: StripeSimulator, each: int = 10) -> list[str]:
    """Open, held, taken and never made: ``each`` of them."""
    return [
        *lost(stripe, each),
        *lost(stripe, each, **CONFIRMED),
        *lost(stripe, each, **TAKEN),
        *lost(stripe, each, kind="drop_before"),
    ]


def reads(stripe: StripeSimulator) -> int:
    return sum(len(stripe.requests(operation)) for operation in READS)


def nothing_is_kept(stripe: StripeSimulator) -> bool:
    """No money is taken or held, and nobody can pay any more."""
    lines = stripe.ledger()["intents"].values()
    return not any(line["kept"] or line["held"] or line["payable"] for line in lines)


def resolutions(ids: list[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for value in PaymentSession.all_objects.filter(pk__in=ids).values_list("resolution", flat=True):
        found[value] = found.get(value, 0) + 1
    return found


def _ids() -> list[str]:
    return list(PaymentSession.all_objects.order_by("pk").values_list("pk", flat=True))
