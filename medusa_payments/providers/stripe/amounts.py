"""Amounts between our smallest unit (ISO 4217) and Stripe's. Nothing is ever rounded."""

from __future__ import annotations

from medusa_payments.errors import InvalidAmount, UnsupportedCurrency

# https://docs.stripe.com/currencies
_TAKEN = (
    "aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp "
    "byn bzd cad cdf chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel "
    "gip gmd gnf gtq gyd hkd hnl htg huf idr ils inr isk jmd jod jpy kes kgs khr kmf krw kwd "
    "kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn "
    "nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd "
    "shp sle sos srd szl thb tjs tnd top try ttd twd tzs uah ugx usd uyu uzs vnd vuv wst xaf "
    "xcd xcg xof xpf yer zar zmw"
)
_CURRENCIES = frozenset(_TAKEN.split())
# Without decimals in ISO 4217, yet Stripe wants two, which must be 00.
_FACTORS = {"isk": 100, "ugx": 100}
# Three decimals, of which the last must be 0.
_STEPS = dict.fromkeys(("bhd", "jod", "kwd", "omr", "tnd"), 10)
_LARGEST = 99_999_999  # in Stripe's unit


def to_stripe(amount_minor: int, currency_code: str) -> int:
    """Our smallest unit to Stripe's.

    :raises UnsupportedCurrency: Stripe does not take the currency.
    :raises InvalidAmount: Stripe cannot take exactly this amount.
    """
    code = currency_code.lower()
    if code not in _CURRENCIES:
        raise UnsupportedCurrency(
            f"Stripe does not take the currency {currency_code}.", currency_code=currency_code
        )
    step = _STEPS.get(code, 1)
    if amount_minor % step:
        raise InvalidAmount(f"Stripe takes {code.upper()} only in steps of {step} smallest units.")
    amount = amount_minor * _FACTORS.get(code, 1)
    if not 0 < amount <= _LARGEST:
        raise InvalidAmount(
            f"Stripe takes amounts from 1 to {_LARGEST} {code.upper()} smallest units."
        )
    return amount


def from_stripe(amount: int, currency_code: str) -> int:
    """Stripe's unit to our smallest unit.

    :raises InvalidAmount: not a whole number of our smallest unit.
    """
    code = currency_code.lower()
    whole, rest = divmod(amount, _FACTORS.get(code, 1))
    if rest:
        raise InvalidAmount(f"{amount} is no whole number of {code.upper()}.")
    return whole
