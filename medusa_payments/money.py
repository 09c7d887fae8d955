"""Exact money: major units for people and the API, smallest units for sums and providers.

All tables follow ISO 4217 for what we store. What one provider counts differently (ISK and UGX
at Stripe) is that provider's business and is converted there.
"""

from __future__ import annotations

from decimal import Decimal, localcontext

from medusa_payments.errors import InvalidAmount, UnsupportedCurrency

# Largest amount that every supported database sums without overflow, in smallest units.
MAX_AMOUNT_MINOR = 10**15

_NO_DECIMALS = frozenset(
    "bif clp djf gnf isk jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf".split()
)
_THREE_DECIMALS = frozenset("bhd iqd jod kwd omr tnd".split())
_TWO_DECIMALS = frozenset(
    """aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd btn bwp byn bzd
    cad cdf chf cny cop crc cup cve czk dkk dop dzd egp ern etb eur fjd fkp gbp gel ghs gip gmd gtq
    gyd hkd hnl htg huf idr ils inr irr jmd kes kgs khr kpw kyd kzt lak lbp lkr lrd lsl mad mdl mkd
    mmk mnt mop mru mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd pab pen pgk php pkr pln qar ron
    rsd rub sar sbd scr sdg sek sgd shp sle sos srd ssp stn svc syp szl thb tjs tmt top try ttd twd
    tzs uah usd uyu uzs ves wst xcd xcg yer zar zmw zwg""".split()
)

CURRENCIES_BY_DECIMALS = {0: _NO_DECIMALS, 2: _TWO_DECIMALS, 3: _THREE_DECIMALS}


def decimals(currency_code: str) -> int:
    """Number of decimal places of a currency.

    :raises UnsupportedCurrency: the code is not a currency that we know.
    """
    code = currency_code.lower()
    if code in _TWO_DECIMALS:
        return 2
    if code in _NO_DECIMALS:
        return 0
    if code in _THREE_DECIMALS:
        return 3
    raise UnsupportedCurrency(currency_code=currency_code)


def to_minor(amount: Decimal | int, currency_code: str) -> int:
    """Major units to the currency's smallest unit, exactly.

    :raises InvalidAmount: not a finite positive whole number of smallest units, or too large.
    :raises UnsupportedCurrency: the code is not a currency that we know.
    """
    places = decimals(currency_code)
    if isinstance(amount, bool) or not isinstance(amount, (int, Decimal)):
        raise InvalidAmount(f"An amount is a Decimal or an int, not {type(amount).__name__}.")
    exact = Decimal(amount)
    if not exact.is_finite() or exact <= 0 or exact > MAX_AMOUNT_MINOR:
        raise InvalidAmount(f"The amount must be positive and no more than {MAX_AMOUNT_MINOR}.")
    with localcontext(prec=len(exact.as_tuple().digits) + places):  # the default would round
        minor = exact.scaleb(places)
    is_too_small = exact.adjusted() < -places  # and may have underflowed to zero
    if is_too_small or minor != minor.to_integral_value() or minor > MAX_AMOUNT_MINOR:
        raise InvalidAmount(
            f"{amount} {currency_code.upper()} is not a whole number of the currency's smallest"
            f" unit ({places} decimal places), or too large."
        )
    return int(minor)


def to_major(amount_minor: int, currency_code: str) -> Decimal:
    """Smallest units to major units, without trailing zeros: 5025 eur is ``Decimal("50.25")``."""
    exact = Decimal(amount_minor).scaleb(-decimals(currency_code))
    if exact == exact.to_integral_value():
        return exact.quantize(Decimal(1))
    return exact.normalize()
