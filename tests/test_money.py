from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medusa_payments.errors import InvalidAmount, UnsupportedCurrency
from medusa_payments.money import MAX_AMOUNT_MINOR, decimals, to_major, to_minor


@pytest.mark.parametrize(
    ("code", "places"),
    [
        ("eur", 2),
        ("USD", 2),
        ("jpy", 0),
        ("KRW", 0),
        ("isk", 0),
        ("ugx", 0),
        ("kwd", 3),
        ("BHD", 3),
    ],
)
def test_decimal_places_follow_iso_4217(code: str, places: int) -> None:
    assert decimals(code) == places


@pytest.mark.parametrize("code", ["", "eu", "euro", "xxx", "e r", "btc"])
def test_an_unknown_currency_is_refused_by_name(code: str) -> None:
    with pytest.raises(UnsupportedCurrency, match="not supported") as caught:
        to_minor(Decimal(1), code)

    assert caught.value.currency_code == code


@pytest.mark.parametrize(
    ("major", "code", "minor"),
    [
        ("100.50", "eur", 10050),
        ("0.01", "eur", 1),
        ("1E+2", "eur", 10000),
        ("10.10", "EUR", 1010),
        ("10.100", "eur", 1010),
        ("500", "jpy", 500),
        ("500.0", "jpy", 500),
        ("1.234", "kwd", 1234),
        ("9999999999999.99", "eur", 999_999_999_999_999),
    ],
)
def test_major_units_become_smallest_units_exactly(major: str, code: str, minor: int) -> None:
    assert to_minor(Decimal(major), code) == minor


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        (Decimal("10.123"), "eur"),
        (Decimal("0.5"), "jpy"),
        (Decimal("1.2345"), "kwd"),
        (Decimal("0"), "eur"),
        (0, "eur"),
        (Decimal("-1"), "eur"),
        (-1, "eur"),
        (Decimal("NaN"), "eur"),
        (Decimal("sNaN"), "eur"),
        (Decimal("Infinity"), "eur"),
        (Decimal("-Infinity"), "eur"),
        (Decimal(MAX_AMOUNT_MINOR), "eur"),
        (Decimal(10) ** 40, "eur"),
        (Decimal("1E-40"), "eur"),
        (Decimal("1E-999999999"), "eur"),
        (Decimal("1E-999999999"), "jpy"),
        (Decimal("1E-1999999999999999997"), "kwd"),
        (Decimal("1.00000000000000000000000000000001"), "eur"),
        (10.5, "eur"),
        ("10.50", "eur"),
        (True, "eur"),
        (None, "eur"),
    ],
)
def test_what_is_no_exact_positive_amount_is_refused(amount: Any, code: str) -> None:
    with pytest.raises(InvalidAmount):
        to_minor(amount, code)


@pytest.mark.parametrize(
    ("minor", "code", "text"),
    [
        (5025, "eur", "50.25"),
        (5050, "eur", "50.5"),
        (5000, "eur", "50"),
        (100000, "eur", "1000"),
        (1, "eur", "0.01"),
        (0, "eur", "0"),
        (500, "jpy", "500"),
        (1230, "kwd", "1.23"),
        (MAX_AMOUNT_MINOR, "eur", "10000000000000"),
    ],
)
def test_smallest_units_become_major_units_without_trailing_zeros(
    minor: int, code: str, text: str
) -> None:
    assert str(to_major(minor, code)) == text


@given(minor=st.integers(1, MAX_AMOUNT_MINOR), code=st.sampled_from(["eur", "jpy", "kwd", "isk"]))
def test_there_and_back_is_the_same_amount(minor: int, code: str) -> None:
    assert to_minor(to_major(minor, code), code) == minor
