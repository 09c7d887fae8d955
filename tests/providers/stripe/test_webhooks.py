from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest
import stripe

from medusa_payments.errors import WebhookRejected
from medusa_payments.providers.stripe import StripeProvider
from medusa_payments.providers.types import WebhookReport
from medusa_payments.redaction import redact
from medusa_payments.statuses import (
    DiscrepancyKind,
    DisputeStatus,
    MovementStatus,
    ProviderState,
    WebhookAction,
)

from .conftest import payload

SECRET = "whsec_of_the_tests"
SESSION = "payses_01JDEMOSESSION000000000000"


def provider(**options: Any) -> StripeProvider:
    defaults = {"API_KEY": "sk_test_1", "WEBHOOK_SECRETS": ("whsec_retired", SECRET)}
    return StripeProvider("pp_stripe_stripe", defaults | options)


def signed(
    event: Any, *, secret: str = SECRET, timestamp: int | None = None
) -> tuple[bytes, dict[str, str]]:
    body = event if isinstance(event, bytes) else json.dumps(event).encode()
    header = stripe.WebhookSignature.generate_signature_header(
        body.decode(), secret, timestamp=timestamp
    )
    return body, {"Stripe-Signature": header}


EVENT = payload("payment_intent.succeeded")


def without(*names: str, **changes: Any) -> Any:
    return {key: value for key, value in EVENT.items() if key not in names} | changes


# Verifying


def test_a_signed_event_is_verified() -> None:
    webhook = provider().verify_webhook(*signed(EVENT))

    assert webhook.event_id == EVENT["id"]
    assert webhook.event_type == "payment_intent.succeeded"
    assert webhook.occurred_at == datetime.fromtimestamp(EVENT["created"], UTC)
    assert (webhook.account, webhook.quarantine, webhook.note) == ("", "", "")


@pytest.mark.parametrize("secret", ["whsec_retired", SECRET])
def test_every_configured_secret_is_tried(secret: str) -> None:
    assert provider().verify_webhook(*signed(EVENT, secret=secret)).event_id == EVENT["id"]


def test_what_is_stored_holds_no_secret() -> None:
    webhook = provider().verify_webhook(*signed(EVENT))

    assert EVENT["data"]["object"]["client_secret"] not in json.dumps(webhook.payload)


@pytest.mark.parametrize("name", ["stripe-signature", "Stripe-Signature", "STRIPE-SIGNATURE"])
def test_the_header_may_be_written_anyhow(name: str) -> None:
    body, headers = signed(EVENT)

    assert provider().verify_webhook(body, {name: headers["Stripe-Signature"]})


def test_a_forged_event_is_rejected() -> None:
    with pytest.raises(WebhookRejected):
        provider().verify_webhook(*signed(EVENT, secret="whsec_forged"))


def test_a_stale_event_is_rejected() -> None:
    with pytest.raises(WebhookRejected):
        provider().verify_webhook(*signed(EVENT, timestamp=int(time.time()) - 301))


def test_a_delivery_may_be_nearly_stale() -> None:
    assert provider().verify_webhook(*signed(EVENT, timestamp=int(time.time()) - 290))


@pytest.mark.parametrize(
    "header",
    ["", "t=1", "v1=abc", "t=x,v1=abc", "t=1,v1=ä", "nonsense", "t=,v1=", ",", "t=1=2,v1=a=b"],
)
def test_a_strange_signature_is_rejected(header: str) -> None:
    with pytest.raises(WebhookRejected):
        provider().verify_webhook(b"{}", {"Stripe-Signature": header})


def test_without_a_secret_nothing_is_accepted() -> None:
    with pytest.raises(WebhookRejected, match="configured"):
        provider(WEBHOOK_SECRETS=()).verify_webhook(*signed(EVENT))


def test_an_empty_secret_opens_nothing() -> None:
    with pytest.raises(WebhookRejected):
        provider(WEBHOOK_SECRETS=("",)).verify_webhook(*signed(EVENT, secret=""))


def test_a_changed_body_is_rejected() -> None:
    body, headers = signed(EVENT)

    with pytest.raises(WebhookRejected):
        provider().verify_webhook(body.replace(b"1050", b"9050"), headers)


def test_a_body_that_is_no_text_is_rejected() -> None:
    _, headers = signed(EVENT)

    with pytest.raises(WebhookRejected):
        provider().verify_webhook(b"\xff\xfe", headers)


@pytest.mark.parametrize(
    "event",
    [
        b"",
        b"not json",
        b"[" * 100_000,
        [],
        None,
        "evt_1",
        {},
        without("id"),
        without("type"),
        without("data"),
        without("created"),
        without(object="v2.core.event"),
        without(data={}),
        without(data={"object": "pi_1"}),
        without(id=""),
        without(id="e" * 256),
        without(id=7),
        without(created="now"),
        without(created=-1),
        without(created=2**40),
        without(created=True),
    ],
)
def test_signed_json_that_is_no_event_is_rejected(event: Any) -> None:
    with pytest.raises(WebhookRejected):
        provider().verify_webhook(*signed(event))


def test_an_event_that_was_verified_elsewhere_is_the_same() -> None:
    assert provider().accept_verified(EVENT) == provider().verify_webhook(*signed(EVENT))


def test_what_was_verified_elsewhere_and_is_no_event_is_rejected() -> None:
    with pytest.raises(WebhookRejected):
        provider().accept_verified({"id": "evt_1"})


@pytest.mark.parametrize(
    ("api_key", "livemode", "is_wrong"),
    [
        ("sk_test_1", False, False),
        ("sk_test_1", True, True),
        ("sk_live_1", True, False),
        ("rk_live_1", False, True),
    ],
)
def test_an_event_of_the_other_mode_is_quarantined(
    api_key: str, livemode: bool, is_wrong: bool
) -> None:
    webhook = provider(API_KEY=api_key).verify_webhook(*signed(EVENT | {"livemode": livemode}))

    assert ("livemode" in webhook.quarantine) is is_wrong


@pytest.mark.parametrize(
    ("configured", "named", "is_wrong"),
    [
        ("acct_1", "acct_1", False),
        ("acct_1", "acct_2", True),
        ("acct_1", None, False),
        ("", "acct_2", False),
    ],
)
def test_an_event_of_another_account_is_quarantined(
    configured: str, named: str | None, is_wrong: bool
) -> None:
    event = EVENT | ({"account": named} if named else {})

    webhook = provider(ACCOUNT_ID=configured).verify_webhook(*signed(event))

    assert webhook.account == (named or "")
    assert ("account" in webhook.quarantine) is is_wrong


def test_another_api_version_is_noted() -> None:
    webhook = provider().verify_webhook(*signed(EVENT | {"api_version": "2020-08-27"}))

    assert "2020-08-27" in webhook.note
    assert webhook.quarantine == ""


# Reading


def read(name: str) -> WebhookReport:
    """What is read of an event as it was stored."""
    return provider().read_webhook(redact(payload(name)))


@pytest.mark.parametrize(
    ("name", "action", "amount", "state"),
    [
        ("payment_intent.created", "pending", 1050, ProviderState.PAYABLE),
        ("payment_intent.processing", "pending", 1050, ProviderState.PROCESSING),
        ("payment_intent.requires_action", "requires_more", 1050, ProviderState.ACTION_REQUIRED),
        ("payment_intent.amount_capturable_updated", "authorized", 1050, ProviderState.HELD),
        ("payment_intent.payment_failed", "failed", 1050, ProviderState.PAYABLE),
        ("payment_intent.canceled", "canceled", 1050, ProviderState.CANCELED),
        ("payment_intent.succeeded", "captured", 1050, ProviderState.CAPTURED),
        ("payment_intent.partially_funded", "requires_more", 650, ProviderState.ACTION_REQUIRED),
        ("charge.captured", "captured", 1050, ProviderState.CAPTURED),
        ("charge.captured.partly", "captured", 600, ProviderState.CAPTURED),
        ("charge.expired", "canceled", 0, ProviderState.CANCELED),
    ],
)
def test_what_an_event_of_a_payment_says(
    name: str, action: str, amount: int, state: ProviderState
) -> None:
    report = read(name)

    assert report.action == WebhookAction(action)
    assert report.amount_minor == amount
    assert report.session_id == SESSION
    assert report.payment is not None
    assert report.payment.state is state
    assert report.reference == report.payment.reference
    assert report.payment.observed_at == datetime.fromtimestamp(payload(name)["created"], UTC)
    assert report.payment.refunds is None
    assert "client_secret" not in report.payment.data


def test_a_partly_funded_payment_tells_what_was_paid_in() -> None:
    report = read("payment_intent.partially_funded")

    assert report.payment is not None
    assert (report.payment.funded_minor, report.payment.captured_minor) == (400, 0)
    assert report.needs_look


def test_a_decline_is_told() -> None:
    report = read("payment_intent.payment_failed")

    assert report.payment is not None
    assert report.payment.declined


def test_an_intent_without_our_marker_asks_for_nothing() -> None:
    report = read("payment_intent.succeeded.foreign")

    assert report.action is WebhookAction.NOT_SUPPORTED
    assert report.session_id == ""
    assert report.reference.startswith("pi_")


def test_a_refunded_charge_tells_its_total_and_asks_for_a_look() -> None:
    report = read("charge.refunded")

    assert report.payment is not None
    assert report.payment.state is ProviderState.CAPTURED
    assert (report.payment.captured_minor, report.payment.refunded_minor) == (1050, 1050)
    assert report.needs_look


def test_a_partly_captured_charge_tells_no_refunded_total() -> None:
    report = read("charge.refunded.partly_captured")

    assert report.payment is not None
    assert report.payment.captured_minor == 600
    assert report.payment.refunded_minor is None
    assert report.needs_look


def test_a_released_hold_is_no_capture_and_no_refund() -> None:
    report = read("charge.refunded.released_hold")

    assert report.payment is None
    assert report.needs_look
    assert report.session_id == SESSION


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("refund.created", MovementStatus.SUCCEEDED),
        ("refund.updated", MovementStatus.SUCCEEDED),
        ("charge.refund.updated", MovementStatus.SUCCEEDED),
        ("refund.failed", MovementStatus.FAILED),
    ],
)
def test_what_an_event_of_a_refund_says(name: str, status: MovementStatus) -> None:
    report = read(name)

    assert report.refund is not None
    assert report.refund.status is status
    assert report.refund.refund_id.startswith("ref_")
    assert report.reference == report.refund.payment_reference
    assert report.session_id == SESSION
    assert report.payment is None


def test_a_refund_that_may_be_a_released_hold_is_looked_at() -> None:
    event = payload("refund.created")
    event["data"]["object"] |= {"balance_transaction": None, "metadata": {}}

    report = provider().read_webhook(event)

    assert report.refund is None
    assert report.needs_look


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("charge.dispute.created", DisputeStatus.OPEN),
        ("charge.dispute.closed", DisputeStatus.LOST),
    ],
)
def test_what_an_event_of_a_dispute_says(name: str, status: DisputeStatus) -> None:
    report = read(name)

    assert report.dispute is not None
    assert report.dispute.status is status
    assert report.reference.startswith("pi_")
    assert report.finding == DiscrepancyKind.DISPUTE
    assert report.needs_look


@pytest.mark.parametrize(
    "event_type", ["customer.created", "charge.succeeded", "payment_intent.new", "v2.x", "refund"]
)
def test_other_events_say_nothing(event_type: str) -> None:
    event = payload("charge.succeeded") | {"type": event_type}

    assert provider().read_webhook(event) == WebhookReport()


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("payment_intent.succeeded", "amount_received"),
        ("payment_intent.created", "currency"),
        ("charge.captured", "amount_captured"),
        ("refund.created", "amount"),
        ("charge.dispute.created", "status"),
    ],
)
def test_an_event_that_cannot_be_read_asks_for_a_look(name: str, missing: str) -> None:
    event = payload(name)
    del event["data"]["object"][missing]

    report = provider().read_webhook(event)

    assert report.needs_look
    assert report.reference.startswith("pi_")
    assert (report.payment, report.refund, report.dispute) == (None, None, None)
