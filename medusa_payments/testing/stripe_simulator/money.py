"""Which amounts and currencies Stripe takes."""

from .errors import invalid_parameter

_CODES = (
    "usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd "
    "bwp byn bzd cad cdf chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp "
    "gel gip gmd gnf gtq gyd hkd hnl hrk htg huf idr ils inr isk jmd jod jpy kes kgs khr kmf "
    "krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk mxn myr mzn "
    "nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr "
    "sek sgd shp sle sos srd std szl thb tjs tnd top try ttd twd tzs uah ugx uyu uzs vnd vuv "
    "wst xaf xcd xcg xof xpf yer zar zmw"
)
_CURRENCIES = frozenset(_CODES.split())
_STEPS = dict.fromkeys(("bhd", "jod", "kwd", "omr", "tnd"), 10) | {"isk": 100, "ugx": 100}
_LARGEST = 99_999_999


def check_currency(currency: str) -> str:
    lowered = currency.lower()
    if lowered not in _CURRENCIES:
        raise invalid_parameter(
            f"Invalid currency: {lowered}. Stripe currently supports these currencies: "
            + ", ".join(sorted(_CURRENCIES)),
            param="currency",
        )
    return lowered


def check_amount(amount: int, currency: str, *, param: str = "amount") -> int:
    """Refuse what Stripe does, among it a third decimal and a fraction of a krona."""
    if amount < 1:
        message = "Amount must convert to at least 1 of the currency's smallest unit."
        raise invalid_parameter(message, param=param, code="amount_too_small")
    if amount > _LARGEST:
        message = f"Amount must be no more than {_LARGEST}."
        raise invalid_parameter(message, param=param, code="amount_too_large")
    if amount % _STEPS.get(currency, 1):
        message = f"Invalid amount: {currency} amounts must be divisible by {_STEPS[currency]}."
        raise invalid_parameter(message, param=param, code="parameter_invalid_integer")
    return amount
