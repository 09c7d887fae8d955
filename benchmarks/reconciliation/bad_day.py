"""Calls whose answers are lost, made by the library's own operations against the simulated Stripe.

Run as a process of its own: ``python -m benchmarks.reconciliation.bad_day KIND COUNT``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from typing import Any

import django

_CONFIRMED = {"confirm": True, "off_session": True, "payment_method": "pm_card_visa"}
_TAKEN = {**_CONFIRMED, "capture_method": "automatic"}

# What is lost -> the fault of the simulated Stripe, and the operation that it hits.
FAULTS = {
    "never made": ("drop_before", "payment_intents.create"),
    "payable": ("drop_after", "payment_intents.create"),
    "held": ("drop_after", "payment_intents.create"),
    "taken": ("drop_after", "payment_intents.create"),
    "captures": ("drop_after", "payment_intents.capture"),
    "refunds": ("drop_after", "refunds.create"),
}
# So that the look within the act learns nothing either.
BLIND = ("captures", "refunds")


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example_project.settings")
    django.setup()
    kind, count = sys.argv[1], int(sys.argv[2])
    for _ in range(count):
        _ACTS[kind]()


def _session(**data: Any) -> Any:
    from medusa_payments.operations.collections import create_payment_collection
    from medusa_payments.operations.sessions import create_payment_session

    collection = create_payment_collection(amount=Decimal("10.00"), currency_code="eur")
    return create_payment_session(collection, provider_id="pp_stripe_stripe", data=data)


def _lost_session(**data: Any) -> None:
    from medusa_payments.errors import PaymentIndeterminate

    with suppress(PaymentIndeterminate):
        _session(**data)


def _paid(**data: Any) -> None:
    """One that is held or taken, whose next act will be lost."""
    session = _session(**data)
    assert session.has_money


def _lost_captures() -> None:
    from medusa_payments.models import Payment
    from medusa_payments.operations.captures import capture_payment

    for payment in Payment.objects.filter(captures__isnull=True).order_by("pk")[:1]:
        capture_payment(payment)


def _lost_refunds() -> None:
    from medusa_payments.models import Payment
    from medusa_payments.operations.refunds import refund_payment

    rows = Payment.objects.filter(captures__status="succeeded", refunds__isnull=True)
    for payment in rows.order_by("pk")[:1]:
        refund_payment(payment)


_ACTS: dict[str, Callable[[], None]] = {
    "never made": _lost_session,
    "payable": _lost_session,
    "held": lambda: _lost_session(**_CONFIRMED),
    "taken": lambda: _lost_session(**_TAKEN),
    "paid by hold": lambda: _paid(**_CONFIRMED),
    "paid at once": lambda: _paid(**_TAKEN),
    "captures": _lost_captures,
    "refunds": _lost_refunds,
}


if __name__ == "__main__":
    main()
