from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from medusa_payments.providers.stripe.answers import AnswerHeaders
from medusa_payments.providers.stripe.snapshots import (
    UnreadableAnswer,
    data_of,
    dispute_of,
    payment_of,
    refund_of,
    refunded_of,
    refunds_of,
)
from medusa_payments.redaction import redact
from medusa_payments.statuses import DisputeStatus, MovementStatus, ProviderState

from .conftest import payload

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def object_of(name: str) -> Any:
    return payload(name)["data"]["object"]


@pytest.mark.parametrize(
    ("name", "state", "held", "captured", "declined"),
    [
        ("payment_intent.created", ProviderState.PAYABLE, 0, 0, False),
        ("payment_intent.payment_failed", ProviderState.PAYABLE, 0, 0, True),
        ("payment_intent.requires_action", ProviderState.ACTION_REQUIRED, 0, 0, False),
        ("payment_intent.processing", ProviderState.PROCESSING, 0, 0, False),
        ("payment_intent.amount_capturable_updated", ProviderState.HELD, 1050, 0, False),
        ("payment_intent.succeeded", ProviderState.CAPTURED, 0, 1050, False),
        ("payment_intent.canceled", ProviderState.CANCELED, 0, 0, False),
    ],
)
def test_an_intent(
    name: str, state: ProviderState, held: int, captured: int, declined: bool
) -> None:
    payment = payment_of(object_of(name), observed_at=NOW)

    assert (payment.state, payment.held_minor, payment.captured_minor) == (state, held, captured)
    assert payment.declined is declined
    assert payment.amount_minor == 1050
    assert payment.session_id == "payses_01JDEMOSESSION000000000000"
    assert payment.observed_at == NOW
    assert payment.refunds is None


def test_amounts_come_in_our_smallest_unit() -> None:
    intent = object_of("payment_intent.succeeded") | {
        "currency": "isk",
        "amount": 105_000,
        "amount_received": 105_000,
    }

    payment = payment_of(intent, observed_at=NOW)

    assert (payment.amount_minor, payment.captured_minor) == (1050, 1050)


@pytest.mark.parametrize("latest_charge", ["ch_1", {"id": "ch_1", "object": "charge"}, None])
def test_the_latest_charge_may_be_anything(latest_charge: Any) -> None:
    intent = object_of("payment_intent.succeeded") | {"latest_charge": latest_charge}

    assert payment_of(intent, observed_at=NOW).state is ProviderState.CAPTURED


@pytest.mark.parametrize("metadata", [None, {}, {"session_id": None}, "x"])
def test_an_intent_without_our_marker_names_no_session(metadata: Any) -> None:
    intent = object_of("payment_intent.succeeded") | {"metadata": metadata}

    assert payment_of(intent, observed_at=NOW).session_id == ""


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("payment_intent.created", "id"),
        ("payment_intent.created", "object"),
        ("payment_intent.created", "status"),
        ("payment_intent.created", "amount"),
        ("payment_intent.created", "currency"),
        ("payment_intent.succeeded", "amount_received"),
        ("payment_intent.amount_capturable_updated", "amount_capturable"),
    ],
)
def test_an_intent_without_what_matters_proves_nothing(name: str, missing: str) -> None:
    intent = object_of(name)
    del intent[missing]

    with pytest.raises(UnreadableAnswer):
        payment_of(intent, observed_at=NOW)


def test_data_holds_what_a_front_end_needs_and_no_card() -> None:
    intent = object_of("payment_intent.payment_failed") | {
        "payment_method": {"id": "pm_1", "card": {"last4": "4242"}}
    }

    data = data_of(intent)

    assert data["id"] == intent["id"]
    assert data["client_secret"] == intent["client_secret"]
    assert data["payment_method"] == "pm_1"
    assert "last_payment_error" not in data


def test_a_redacted_secret_replaces_none_that_is_known() -> None:
    assert "client_secret" not in data_of(redact(object_of("payment_intent.created")))


# Refunds


def test_a_refund() -> None:
    refund = refund_of(object_of("refund.created"))

    assert refund.amount_minor == 1050
    assert refund.status is MovementStatus.SUCCEEDED
    assert refund.refund_id == "ref_01JDEMOREFUND0000000000000"
    assert refund.payment_reference.startswith("pi_")


def test_a_failed_refund_tells_why() -> None:
    refund = refund_of(object_of("refund.failed"))

    assert refund.status is MovementStatus.FAILED
    assert refund.failure == "expired_or_canceled_card"


def release(amount: int) -> Any:
    """Held money that went back, as Stripe shows it."""
    return object_of("refund.created") | {
        "id": "re_release",
        "amount": amount,
        "balance_transaction": None,
        "metadata": {},
    }


@pytest.mark.parametrize(
    ("charge", "amount"),
    [
        ({"captured": False, "amount": 1050, "amount_captured": 0}, 1050),
        ({"captured": True, "amount": 1050, "amount_captured": 600}, 450),
    ],
)
def test_a_released_hold_is_no_refund(charge: Any, amount: int) -> None:
    refunds = refunds_of([release(amount), object_of("refund.created")], charge=charge)

    assert [each.refund_id for each in refunds] == ["ref_01JDEMOREFUND0000000000000"]


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": 100},
        {"balance_transaction": "txn_1"},
        {"metadata": {"refund_id": "ref_1"}},
        {"status": "pending"},
    ],
)
def test_what_may_be_a_refund_counts_as_one(changes: Any) -> None:
    charge = {"captured": True, "amount": 1050, "amount_captured": 600}

    assert len(refunds_of([release(450) | changes], charge=charge)) == 1


@pytest.mark.parametrize(
    ("name", "refunded"), [("charge.refunded", 1050), ("charge.refunded.partly_captured", None)]
)
def test_a_charge_tells_its_refunded_total_only_where_no_release_is_in_it(
    name: str, refunded: int | None
) -> None:
    assert refunded_of(object_of(name)) == refunded


# Disputes


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("charge.dispute.created", DisputeStatus.OPEN),
        ("charge.dispute.closed", DisputeStatus.LOST),
    ],
)
def test_a_dispute(name: str, status: DisputeStatus) -> None:
    dispute = dispute_of(object_of(name))

    assert dispute.status is status
    assert dispute.amount_minor > 0


# When it was true


def test_an_answer_is_dated_by_stripes_clock() -> None:
    headers = AnswerHeaders.read({"DATE": "Fri, 02 Jan 2026 00:00:00 GMT", "request-id": "req_1"})

    assert headers.observed_at({}) == NOW
    assert headers.request_id == "req_1"
    assert not headers.replayed


def test_a_replayed_answer_is_as_old_as_its_object() -> None:
    headers = AnswerHeaders.read(
        {"Date": "Fri, 02 Jan 2026 00:00:00 GMT", "Idempotent-Replayed": "true"}
    )
    created = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())

    assert headers.replayed
    assert headers.observed_at({"created": created}) == datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("date", [None, "", "yesterday"])
def test_an_answer_without_a_date_is_dated_by_ours(date: Any) -> None:
    before = datetime.now(UTC)

    assert before <= AnswerHeaders.read({"Date": date}).answered_at <= datetime.now(UTC)
