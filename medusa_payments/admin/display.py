"""How values look on every page: money, times, states, ids, JSON. Nothing secret leaves here."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Model
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from medusa_payments.errors import UnsupportedCurrency
from medusa_payments.money import decimals, to_major
from medusa_payments.redaction import REDACTED, redact

NOTHING = "-"

# Secrets inside a text, where no key names them: of an intent in an address, of the shop in a note.
_SECRETS = re.compile(
    r"(?:pi|seti|src|cs|ek)_\w*secret_\w+|(?:sk|rk)_(?:live|test)_\w+|whsec_\w+"
    r"|(?<=client_secret=)[^&\s\"\\]+"
)

_TONES = {
    "good": "succeeded captured completed authorized applied refunded closed won adopted",
    "busy": "open requested pending processing awaiting held received requires_more payable"
    " action_required pending_authorization partially_captured partially_authorized",
    "doubt": "indeterminate parked quarantined uncertain",
    "bad": "failed error lost broken refused conflict",
}
_TONE_OF = {state: tone for tone, states in _TONES.items() for state in states.split()}


def money(amount_minor: int | None, currency_code: str) -> str:
    """``1,234.50 EUR``: always all decimals of the currency, in the reader's number format.

    A provider may tell of a currency that we do not know.
    """
    if amount_minor is None:
        return NOTHING
    try:
        major, places = to_major(amount_minor, currency_code), decimals(currency_code)
    except UnsupportedCurrency:
        return f"{amount_minor} {currency_code.upper()} (smallest unit)".replace("  ", " ")
    amount = number_format(major, decimal_pos=places, force_grouping=True)
    return f"{amount} {currency_code.upper()}"


def time(moment: datetime | None) -> SafeString | str:
    """To the second, in the site's time zone; the exact moment on hover."""
    if moment is None:
        return NOTHING
    local = timezone.localtime(moment)
    return format_html(
        '<time class="mp-time" datetime="{}" title="{}">{}</time>',
        moment.isoformat(),
        moment.isoformat(),
        local.strftime("%Y-%m-%d %H:%M:%S"),
    )


def badge(state: str, label: str = "", *, tone: str = "") -> SafeString:
    """A state as a coloured word; ``tone`` is taken from the state unless given."""
    text = (label or state or "unknown").replace("_", " ")
    return format_html(
        '<span class="mp-badge mp-{}">{}</span>', tone or _TONE_OF.get(state, "quiet"), text
    )


def badges(marks: Iterable[str]) -> SafeString:
    return format_html_join(" ", "{}", ((mark,) for mark in marks))


def identifier(text: str) -> SafeString | str:
    return format_html('<code class="mp-id">{}</code>', scrub(text)) if text else NOTHING


def record_link(model: type[Model], pk: Any, *, site: str, label: str = "") -> SafeString | str:
    """A link to a record's page, or its bare id on a site that does not show such records."""
    if not pk:
        return NOTHING
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
    try:
        url = reverse(name, args=[pk], current_app=site)
    except NoReverseMatch:
        return identifier(label or str(pk))
    return format_html('<a class="mp-id" href="{}">{}</a>', url, label or str(pk))


def pretty_json(value: Any) -> SafeString | str:
    if value in (None, {}, []):
        return NOTHING
    text = json.dumps(redact(value), indent=2, sort_keys=True, ensure_ascii=False, default=str)
    return format_html('<pre class="mp-json">{}</pre>', scrub(text))


def scrub(text: str) -> str:
    """A text without the secrets that ``redact``, which goes by keys, cannot see."""
    return _SECRETS.sub(REDACTED, str(redact(text)))
