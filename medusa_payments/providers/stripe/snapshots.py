"""Stripe's objects, as plain dictionaries, to our frozen facts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from medusa_payments.errors import InvalidData
from medusa_payments.providers.stripe.amounts import from_stripe
from medusa_payments.providers.stripe.statuses import dispute_status, provider_state, refund_status
from medusa_payments.providers.types import Json, ProviderDispute, ProviderPayment, ProviderRefund
from medusa_payments.redaction import REDACTED
from medusa_payments.statuses import MovementStatus, ProviderState

# What a front end needs of an intent. The rest holds card data, or is Stripe's business.
_DATA_KEYS = (
    "id",
    "client_secret",
    "status",
    "amount",
    "currency",
    "metadata",
    "capture_method",
    "created",
    "customer",
    "livemode",
    "payment_method",
    "payment_method_types",
    "setup_future_usage",
)


class UnreadableAnswer(ValueError):
    """An object of Stripe lacks what every such object has, so it proves nothing."""


def payment_of(
    intent: Json,
    *,
    observed_at: datetime,
    refunds: tuple[ProviderRefund, ...] | None = None,
    disputes: tuple[ProviderDispute, ...] | None = None,
) -> ProviderPayment:
    """A PaymentIntent.

    :raises UnreadableAnswer: it is none, or its amounts or status are missing.
    """
    if intent.get("object") != "payment_intent":
        raise UnreadableAnswer("not a payment_intent")
    state = provider_state(_text(intent, "status"))
    return ProviderPayment(
        reference=_text(intent, "id"),
        state=state,
        amount_minor=_amount(intent, "amount"),
        currency_code=_currency(intent),
        observed_at=observed_at,
        held_minor=_amount(intent, "amount_capturable", required=state is ProviderState.HELD),
        captured_minor=_amount(intent, "amount_received", required=state is ProviderState.CAPTURED),
        funded_minor=_funded(intent),
        session_id=metadata_of(intent, "session_id"),
        declined=state is ProviderState.PAYABLE and bool(intent.get("last_payment_error")),
        refunds=refunds,
        disputes=disputes,
        data=data_of(intent),
    )


def payment_of_charge(
    charge: Json, *, state: ProviderState, observed_at: datetime, refunded_minor: int | None = None
) -> ProviderPayment:
    """What a charge tells of its intent.

    :raises UnreadableAnswer: the charge belongs to no intent, or its amounts are missing.
    """
    held = state is ProviderState.HELD
    return ProviderPayment(
        reference=_reference_to(charge, "payment_intent"),
        state=state,
        amount_minor=_amount(charge, "amount"),
        currency_code=_currency(charge),
        observed_at=observed_at,
        held_minor=_amount(charge, "amount") if held else 0,
        captured_minor=_amount(charge, "amount_captured"),
        session_id=metadata_of(charge, "session_id"),
        refunded_minor=refunded_minor,
    )


def refunded_of(charge: Json) -> int | None:
    """What went back of a captured charge, in our smallest unit. None: the charge does not tell.

    Stripe counts held money that a partial capture released as refunded too, so the total of a
    partly captured charge is not the total of its refunds.
    """
    captured, amount = _amount(charge, "amount_captured"), _amount(charge, "amount")
    return _amount(charge, "amount_refunded") if captured == amount else None


def refund_of(refund: Json) -> ProviderRefund:
    """A Refund.

    :raises UnreadableAnswer: it is none, or its amount or status is missing.
    """
    if refund.get("object") != "refund":
        raise UnreadableAnswer("not a refund")
    return ProviderRefund(
        reference=_text(refund, "id"),
        amount_minor=_amount(refund, "amount"),
        status=refund_status(refund.get("status")),
        refund_id=metadata_of(refund, "refund_id"),
        payment_reference=id_of(refund.get("payment_intent")),
        currency_code=_currency(refund),
        failure=str(refund.get("failure_reason") or ""),
    )


def refunds_of(refunds: Iterable[Json], *, charge: Json) -> tuple[ProviderRefund, ...]:
    """All refunds of a charge, without the released hold that Stripe shows as one more."""
    return tuple(refund_of(refund) for refund in refunds if not _is_release_of(refund, charge))


def may_be_release(refund: Json) -> bool:
    """Whether this may be held money released, not captured money given back.

    Stripe shows a released hold as a succeeded refund; it moved no balance, and is none of ours.
    """
    return (
        refund_status(refund.get("status")) is MovementStatus.SUCCEEDED
        and refund.get("balance_transaction") is None
        and not metadata_of(refund, "refund_id")
    )


def dispute_of(dispute: Json) -> ProviderDispute:
    """A Dispute.

    :raises UnreadableAnswer: it is none, or its amount or status is missing.
    """
    if dispute.get("object") != "dispute":
        raise UnreadableAnswer("not a dispute")
    return ProviderDispute(
        reference=_text(dispute, "id"),
        amount_minor=_amount(dispute, "amount"),
        status=dispute_status(_text(dispute, "status")),
        payment_reference=id_of(dispute.get("payment_intent")),
        currency_code=_currency(dispute),
    )


def remaining_of(intent: Json) -> Any:
    """What a bank transfer still has to bring, as Stripe tells it; None where it tells nothing."""
    action = expanded(intent.get("next_action")) or {}
    return (expanded(action.get("display_bank_transfer_instructions")) or {}).get(
        "amount_remaining"
    )


def data_of(intent: Json) -> dict[str, Any]:
    """What a session keeps of its intent: ids, never expanded objects, and no redacted secret."""
    kept = {key: intent[key] for key in _DATA_KEYS if key in intent}
    if kept.get("client_secret") == REDACTED:
        del kept["client_secret"]
    for key in ("customer", "payment_method"):
        if isinstance(kept.get(key), Mapping):
            kept[key] = id_of(kept[key])
    metadata = kept.get("metadata")
    kept["metadata"] = dict(metadata) if isinstance(metadata, Mapping) else {}
    return kept


def metadata_of(thing: Json, key: str) -> str:
    metadata = thing.get("metadata")
    return str(metadata.get(key) or "") if isinstance(metadata, Mapping) else ""


def amount_of(thing: Json, value: Any) -> int:
    """An amount that Stripe tells of something, in our smallest unit.

    :raises UnreadableAnswer: it is no amount of the thing's currency.
    """
    if not isinstance(value, int) or isinstance(value, bool):
        raise UnreadableAnswer("an amount is missing")
    try:
        return from_stripe(value, _currency(thing))
    except InvalidData as error:
        raise UnreadableAnswer(error.message) from error


def id_of(value: Any) -> str:
    """The id of what is an id, an expanded object or nothing."""
    if isinstance(value, Mapping):
        value = value.get("id")
    return value if isinstance(value, str) else ""


def expanded(value: Any) -> Json | None:
    return value if isinstance(value, Mapping) else None


def _is_release_of(refund: Json, charge: Json) -> bool:
    if not may_be_release(refund):
        return False
    if not charge.get("captured"):
        return True
    return bool(refund.get("amount") == charge.get("amount", 0) - charge.get("amount_captured", 0))


def _funded(intent: Json) -> int:
    """``amount_received`` stays 0 until the last transfer has arrived."""
    remaining = remaining_of(intent)
    if remaining is None:
        return 0
    return max(0, _amount(intent, "amount") - amount_of(intent, remaining))


def _text(thing: Json, key: str) -> str:
    value = thing.get(key)
    if not isinstance(value, str) or not value:
        raise UnreadableAnswer(f"{key} is missing")
    return value


def _reference_to(thing: Json, key: str) -> str:
    if found := id_of(thing.get(key)):
        return found
    raise UnreadableAnswer(f"{key} is missing")


def _currency(thing: Json) -> str:
    return _text(thing, "currency").lower()


def _amount(thing: Json, key: str, *, required: bool = True) -> int:
    """0 where it is missing and may be."""
    value = thing.get(key)
    return 0 if value is None and not required else amount_of(thing, value)
