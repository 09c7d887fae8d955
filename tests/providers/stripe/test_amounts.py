from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medusa_payments.errors import InvalidAmount, UnsupportedCurrency
from medusa_payments.money import to_minor
from medusa_payments.providers.stripe.amounts import from_stripe, to_stripe

EXACT = [
    (1050, "eur", 1050),
    (1, "usd", 1),
    (500, "jpy", 500),
    (1000, "huf", 1000),
    (10, "isk", 1000),
    (10, "ISK", 1000),
    (7, "ugx", 700),
    (10_130, "kwd", 10_130),
    (1_240, "jod", 1_240),
    (99_999_999, "eur", 99_999_999),
    (999_999, "isk", 99_999_900),
    (500, "mga", 500),
]


# Five of each currency, in major units, as Stripe's API counts it.
FIVE = {
    5: "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf",
    500: "usd eur gbp chf pln brl huf twd isk ugx",
    5000: "bhd jod kwd omr tnd",
}


@pytest.mark.parametrize(
    ("currency_code", "at_stripe"),
    [(code, at_stripe) for at_stripe, codes in FIVE.items() for code in codes.split()],
)
def test_five_of_every_currency_is_what_stripe_counts(currency_code: str, at_stripe: int) -> None:
    assert to_stripe(to_minor(Decimal(5), currency_code), currency_code) == at_stripe


@pytest.mark.parametrize(("amount_minor", "currency_code", "at_stripe"), EXACT)
def test_an_amount_goes_to_stripe_and_back(
    amount_minor: int, currency_code: str, at_stripe: int
) -> None:
    assert to_stripe(amount_minor, currency_code) == at_stripe
    assert from_stripe(at_stripe, currency_code) == amount_minor


@pytest.mark.parametrize(
    ("amount_minor", "currency_code"),
    [
        (10_124, "kwd"),
        (1, "bhd"),
        (0, "eur"),
        (-1, "eur"),
        (100_000_000, "eur"),
        (1_000_000, "isk"),
        (1_000_000, "ugx"),
    ],
)
def test_what_stripe_cannot_take_exactly_is_refused(amount_minor: int, currency_code: str) -> None:
    with pytest.raises(InvalidAmount):
        to_stripe(amount_minor, currency_code)


@pytest.mark.parametrize("currency_code", ["irr", "kpw", "xyz", "", "iqd"])
def test_a_currency_that_stripe_does_not_take_is_refused(currency_code: str) -> None:
    with pytest.raises(UnsupportedCurrency):
        to_stripe(1000, currency_code)


@pytest.mark.parametrize("currency_code", ["isk", "ugx"])
def test_a_fraction_of_our_unit_is_never_rounded(currency_code: str) -> None:
    with pytest.raises(InvalidAmount):
        from_stripe(1050, currency_code)


@given(amount_minor=st.integers(), currency_code=st.sampled_from(["eur", "jpy", "isk", "kwd"]))
def test_no_amount_is_changed_on_its_way(amount_minor: int, currency_code: str) -> None:
    try:
        at_stripe = to_stripe(amount_minor, currency_code)
    except InvalidAmount:
        return

    assert from_stripe(at_stripe, currency_code) == amount_minor
