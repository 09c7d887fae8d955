"""Stripe's own lists: every payment intent, charge and refund of the account, whoever made it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, cast

import stripe

from medusa_payments.providers.ledger_types import LedgerEntry, LedgerPage, LedgerQuery
from medusa_payments.providers.stripe.listing import PAGE, plain
from medusa_payments.providers.stripe.lookups import no_answer
from medusa_payments.providers.stripe.snapshots import (
    UnreadableAnswer,
    amount_of,
    expanded,
    id_of,
    metadata_of,
    payment_of,
    refund_of,
    refunds_of,
)
from medusa_payments.providers.types import Json, NoAnswer
from medusa_payments.statuses import LedgerKind, ProviderState

Facts = dict[str, Any]


def ledger_page(client: stripe.StripeClient, query: LedgerQuery) -> LedgerPage | NoAnswer:
    """One request. An object that cannot be read is listed as such; the others are read."""
    try:
        return _page(client, query)
    except Exception as error:  # noqa: BLE001 - nothing was learned, whatever it is
        return no_answer(error)


def _page(client: stripe.StripeClient, query: LedgerQuery) -> LedgerPage:
    listed = _LISTS[query.kind](client).list(params=cast("Any", _parameters(query)))
    if not isinstance(listed, stripe.ListObject):
        raise UnreadableAnswer("not a list")
    objects = [plain(each) for each in listed.data]
    if listed.has_more and not objects:
        raise UnreadableAnswer("an empty page that is not the last")
    return LedgerPage(
        entries=tuple(_entry(each, query.kind) for each in objects),
        next_cursor=str(objects[-1]["id"]) if listed.has_more else "",
    )


def _parameters(query: LedgerQuery) -> dict[str, Any]:
    created = {
        "gte": math.floor(query.created_from.timestamp()),
        "lt": math.floor(query.created_until.timestamp()),
    }
    parameters: dict[str, Any] = {"created": created, "limit": PAGE}
    if query.cursor:
        parameters["starting_after"] = query.cursor
    if query.kind is LedgerKind.REFUND:
        parameters["expand"] = ["data.charge"]
    return parameters


_LISTS: Mapping[LedgerKind, Callable[[stripe.StripeClient], Any]] = {
    LedgerKind.PAYMENT: lambda client: client.v1.payment_intents,
    LedgerKind.CHARGE: lambda client: client.v1.charges,
    LedgerKind.REFUND: lambda client: client.v1.refunds,
}


def _entry(thing: Json, kind: LedgerKind) -> LedgerEntry:
    try:
        facts = _FACTS[kind](thing)
    except UnreadableAnswer as error:
        facts = {"unreadable": str(error)}
    return LedgerEntry(
        kind=kind,
        reference=_identity(thing, "id"),
        created_at=_created_at(thing),
        **_markers(thing, kind) | facts,
    )


def _markers(thing: Json, kind: LedgerKind) -> Facts:
    """Our marks and the payment's reference, which even an unreadable object may tell.

    A charge has the metadata that its intent had; a refund has its own, and that of its charge.
    """
    charge = expanded(thing.get("charge")) or {}
    reference = thing.get("id") if kind is LedgerKind.PAYMENT else thing.get("payment_intent")
    return {
        "payment_reference": id_of(reference),
        "session_id": metadata_of(thing, "session_id") or metadata_of(charge, "session_id"),
        "refund_id": metadata_of(thing, "refund_id"),
    }


def _payment_facts(intent: Json) -> Facts:
    seen = payment_of(intent, observed_at=_created_at(intent))
    return {
        "amount_minor": seen.amount_minor,
        "currency_code": seen.currency_code,
        "state": seen.state,
        "held_minor": seen.held_minor,
        "captured_minor": seen.captured_minor,
    }


def _charge_facts(charge: Json) -> Facts:
    amount_minor = amount_of(charge, charge.get("amount"))
    state = _state_of_charge(charge)
    is_captured = state is ProviderState.CAPTURED
    return {
        "amount_minor": amount_minor,
        "currency_code": _currency_of(charge),
        "state": state,
        "held_minor": amount_minor if state is ProviderState.HELD else 0,
        "captured_minor": amount_of(charge, charge.get("amount_captured")) if is_captured else 0,
    }


def _state_of_charge(charge: Json) -> ProviderState:
    """A hold that was let go is shown as an uncaptured charge that is refunded."""
    if charge.get("status") == "failed":
        return ProviderState.CANCELED
    if charge.get("status") != "succeeded":
        return ProviderState.PROCESSING
    if charge.get("captured"):
        return ProviderState.CAPTURED
    was_released = charge.get("refunded") or charge.get("amount_refunded") == charge.get("amount")
    return ProviderState.CANCELED if was_released else ProviderState.HELD


def _refund_facts(refund: Json) -> Facts:
    seen = refund_of(refund)
    charge = expanded(refund.get("charge"))
    return {
        "amount_minor": seen.amount_minor,
        "currency_code": seen.currency_code,
        "refund_status": seen.status,
        "is_release": bool(charge) and not refunds_of([refund], charge=charge or {}),
    }


_FACTS: Mapping[LedgerKind, Callable[[Json], Facts]] = {
    LedgerKind.PAYMENT: _payment_facts,
    LedgerKind.CHARGE: _charge_facts,
    LedgerKind.REFUND: _refund_facts,
}


def _identity(thing: Json, key: str) -> str:
    """:raises UnreadableAnswer: it has none, so it cannot even be named."""
    if found := id_of(thing.get(key)):
        return found
    raise UnreadableAnswer(f"{key} is missing")


def _currency_of(thing: Json) -> str:
    return _identity(thing, "currency").lower()


def _created_at(thing: Json) -> datetime:
    created = thing.get("created")
    if not isinstance(created, int):
        raise UnreadableAnswer("created is missing")
    return datetime.fromtimestamp(created, UTC)
