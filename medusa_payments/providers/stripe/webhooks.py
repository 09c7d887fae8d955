"""Stripe's events: checked when they arrive, read when they are applied."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any

import stripe

from medusa_payments.errors import WebhookRejected
from medusa_payments.providers.stripe.client import STRIPE_VERSION
from medusa_payments.providers.stripe.options import StripeOptions
from medusa_payments.providers.stripe.snapshots import (
    UnreadableAnswer,
    amount_of,
    dispute_of,
    id_of,
    may_be_release,
    metadata_of,
    payment_of,
    payment_of_charge,
    refund_of,
    refunded_of,
    remaining_of,
)
from medusa_payments.providers.types import Json, VerifiedWebhook, WebhookReport
from medusa_payments.redaction import redact
from medusa_payments.statuses import DiscrepancyKind, ProviderState, WebhookAction

_TOLERANCE = 300  # seconds that a signature may be old
_SIGNATURE = "stripe-signature"


def verified(body: bytes, headers: Mapping[str, str], options: StripeOptions) -> VerifiedWebhook:
    """A delivery of Stripe's, with its secrets removed.

    :raises WebhookRejected: forged, stale, unsigned, malformed, or no secret is configured.
    """
    _check_signature(body, headers, options.webhook_secrets)
    return accepted(_json_in(body), options)


def accepted(event: Any, options: StripeOptions) -> VerifiedWebhook:
    """An event whose signature was good, with its secrets removed.

    :raises WebhookRejected: it is no event.
    """
    if not _is_event(event):
        raise WebhookRejected("The body is not an event of Stripe.")
    return VerifiedWebhook(
        event_id=event["id"],
        event_type=event["type"],
        payload=redact(event),
        occurred_at=_occurred_at(event),
        account=id_of(event.get("account")),
        quarantine=_reason_for_quarantine(event, options),
        note=_note(event),
    )


def report_of(event: Json) -> WebhookReport:
    """What a stored event says. One that cannot be read tells at least that something changed."""
    thing = event["data"]["object"]
    read = _reader_of(event["type"])
    if read is None:
        return WebhookReport()
    try:
        return read(thing, event["type"], _occurred_at(event))
    except (UnreadableAnswer, LookupError):
        return WebhookReport(
            session_id=metadata_of(thing, "session_id"),
            reference=id_of(thing) if _is_intent(thing) else id_of(thing.get("payment_intent")),
            needs_look=True,
        )


def _check_signature(body: bytes, headers: Mapping[str, str], secrets: tuple[str, ...]) -> None:
    if not secrets:
        raise WebhookRejected(
            "No webhook secret of Stripe is configured, so no event can be trusted."
        )
    signature = next((value for name, value in headers.items() if name.lower() == _SIGNATURE), "")
    if not signature:
        raise WebhookRejected("The header Stripe-Signature is missing.")
    if not any(_is_signed_with(secret, body, signature) for secret in secrets):
        raise WebhookRejected("The signature is not Stripe's, or too old.")


def _is_signed_with(secret: str, body: bytes, signature: str) -> bool:
    """Whatever the SDK raises on a strange header or body, it is not shown to be Stripe's."""
    try:
        text = body.decode()  # stripe 15.0 signs the words b'...' of bytes
        return bool(
            stripe.WebhookSignature.verify_header(text, signature, secret, tolerance=_TOLERANCE)
        )
    except (stripe.SignatureVerificationError, ValueError, TypeError):
        return False


def _json_in(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise WebhookRejected("The body is not JSON.") from error


def _is_event(event: Any) -> bool:
    return (
        isinstance(event, Mapping)
        and event.get("object") == "event"
        and all(
            isinstance(event.get(key), str) and 0 < len(event[key]) <= 255 for key in ("id", "type")
        )
        and isinstance(event.get("data"), Mapping)
        and isinstance(event["data"].get("object"), Mapping)
        and _is_time(event.get("created"))
    )


def _is_time(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**33


def _occurred_at(event: Json) -> datetime:
    return datetime.fromtimestamp(event["created"], UTC)


def _reason_for_quarantine(event: Json, options: StripeOptions) -> str:
    if bool(event.get("livemode")) is not options.livemode:
        return "livemode: the event is of the other mode than the API key"
    account = id_of(event.get("account"))
    if account and options.account_id and account != options.account_id:
        return f"account: the event is of {account}, not {options.account_id}"
    return ""


def _note(event: Json) -> str:
    version = event.get("api_version")
    if version == STRIPE_VERSION:
        return ""
    return f"The event has the API version {version}; this library is pinned to {STRIPE_VERSION}."


_Reader = Callable[[Json, str, datetime], WebhookReport]


def _remaining(intent: Json) -> int | None:
    """What a bank transfer still has to bring."""
    remaining: int | None = remaining_of(intent)
    return intent.get("amount") if remaining is None else remaining


# Event of an intent -> Medusa's action, and the amount that it speaks of.
_INTENT_ACTIONS: dict[str, tuple[WebhookAction, Callable[[Json], int | None]]] = {
    "payment_intent.created": (WebhookAction.PENDING, itemgetter("amount")),
    "payment_intent.processing": (WebhookAction.PENDING, itemgetter("amount")),
    "payment_intent.requires_action": (WebhookAction.REQUIRES_MORE, itemgetter("amount")),
    "payment_intent.amount_capturable_updated": (
        WebhookAction.AUTHORIZED,
        itemgetter("amount_capturable"),
    ),
    "payment_intent.payment_failed": (WebhookAction.FAILED, itemgetter("amount")),
    "payment_intent.canceled": (WebhookAction.CANCELED, itemgetter("amount")),
    "payment_intent.succeeded": (WebhookAction.CAPTURED, itemgetter("amount_received")),
    "payment_intent.partially_funded": (WebhookAction.REQUIRES_MORE, _remaining),
}


def _read_intent(intent: Json, event_type: str, occurred_at: datetime) -> WebhookReport:
    action, amount_in = _INTENT_ACTIONS[event_type]
    payment = payment_of(intent, observed_at=occurred_at)
    return WebhookReport(
        action=action if payment.session_id else WebhookAction.NOT_SUPPORTED,
        session_id=payment.session_id,
        reference=payment.reference,
        amount_minor=amount_of(intent, amount_in(intent)),
        payment=payment,
        needs_look=event_type == "payment_intent.partially_funded",
    )


def _read_charge(charge: Json, event_type: str, occurred_at: datetime) -> WebhookReport:
    """A charge that is not the intent's last word tells only that a look is due."""
    state = _charge_state(charge, event_type)
    payment = None
    if state is not None:
        refunded = refunded_of(charge) if event_type == "charge.refunded" else None
        payment = payment_of_charge(
            charge, state=state, observed_at=occurred_at, refunded_minor=refunded
        )
    session_id = metadata_of(charge, "session_id")
    action = _CHARGE_ACTIONS.get(event_type, WebhookAction.NOT_SUPPORTED)
    return WebhookReport(
        action=action if session_id and payment else WebhookAction.NOT_SUPPORTED,
        session_id=session_id,
        reference=id_of(charge.get("payment_intent")),
        amount_minor=payment.captured_minor if payment else None,
        payment=payment,
        needs_look=payment is None or event_type == "charge.refunded",
    )


_CHARGE_ACTIONS = {
    "charge.captured": WebhookAction.CAPTURED,
    "charge.expired": WebhookAction.CANCELED,
}


def _charge_state(charge: Json, event_type: str) -> ProviderState | None:
    """A released hold is told as a refund too, so a refund of a charge proves no capture."""
    if charge.get("captured"):
        return ProviderState.CAPTURED
    return ProviderState.CANCELED if event_type == "charge.expired" else None


def _read_refund(refund: Json, event_type: str, occurred_at: datetime) -> WebhookReport:
    is_clear = not may_be_release(refund)
    return WebhookReport(
        session_id=metadata_of(refund, "session_id"),
        reference=id_of(refund.get("payment_intent")),
        refund=refund_of(refund) if is_clear else None,
        needs_look=not is_clear,
    )


def _read_dispute(dispute: Json, event_type: str, occurred_at: datetime) -> WebhookReport:
    return WebhookReport(
        session_id=metadata_of(dispute, "session_id"),
        reference=id_of(dispute.get("payment_intent")),
        dispute=dispute_of(dispute),
        finding=DiscrepancyKind.DISPUTE,
        needs_look=True,
    )


def _is_intent(thing: Json) -> bool:
    return thing.get("object") == "payment_intent"


_READERS: dict[str, _Reader] = {
    **dict.fromkeys(_INTENT_ACTIONS, _read_intent),
    **dict.fromkeys(("charge.captured", "charge.expired", "charge.refunded"), _read_charge),
    **dict.fromkeys(("refund.created", "refund.updated", "refund.failed"), _read_refund),
    "charge.refund.updated": _read_refund,
}


def _reader_of(event_type: str) -> _Reader | None:
    return _read_dispute if event_type.startswith("charge.dispute.") else _READERS.get(event_type)
