from __future__ import annotations

from decimal import Decimal

import pytest

from medusa_payments.models import Capture, Payment, PaymentCollection, PaymentSession, Refund


@pytest.mark.parametrize(
    ("minor", "currency", "major"),
    [(10050, "eur", "100.5"), (10050, "jpy", "10050"), (10050, "kwd", "10.05"), (100, "eur", "1")],
)
def test_amounts_are_shown_in_major_units(minor: int, currency: str, major: str) -> None:
    values = {"amount_minor": minor, "currency_code": currency}
    payment = Payment(**values)
    rows = [
        PaymentCollection(**values),
        PaymentSession(**values),
        payment,
        Capture(payment=payment, amount_minor=minor),
        Refund(payment=payment, amount_minor=minor),
    ]

    assert [row.amount for row in rows] == [Decimal(major)] * 5


def test_totals_that_were_never_computed_are_null() -> None:
    collection = PaymentCollection(amount_minor=1, currency_code="eur")

    assert collection.authorized_amount is None
    assert collection.captured_amount is None
    assert collection.refunded_amount is None
