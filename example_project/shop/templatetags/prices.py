"""Amounts as people read them."""

from __future__ import annotations

from decimal import Decimal

from django import template

from medusa_payments.money import decimals

register = template.Library()

_SYMBOLS = {"eur": "€", "usd": "$", "gbp": "£", "jpy": "¥"}


@register.filter
def price(amount: Decimal, currency_code: str) -> str:
    """``Decimal("1204.5")`` in ``eur`` is ``€1,204.50``."""
    number = f"{amount:,.{decimals(currency_code)}f}"
    symbol = _SYMBOLS.get(currency_code.lower())
    return f"{symbol}{number}" if symbol else f"{number} {currency_code.upper()}"
