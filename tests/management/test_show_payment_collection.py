from __future__ import annotations

import io
from decimal import Decimal
from typing import Any

from django.core.management import call_command

from medusa_payments.models import AuditEntry, PaymentCollection
from medusa_payments.operations.collections import delete_payment_collection
from medusa_payments.testing.stripe_simulator import StripeSimulator

from .conftest import CONFIRMED, Command

# INTERFACE.md; more may be shown.
PROMISED: dict[str, str] = {
    "collection": "id status currency_code amount authorized_amount captured_amount"
    " refunded_amount set_aside",
    "sessions": "id status provider_id provider_reference deleted_at deleted_reason indeterminate"
    " resolution payment_id",
    "payments": "id session_id amount captures refunds",
    "calls": "id kind state generation idempotency_key attempts",
    "audit": "entries valid",
}


def missing_keys(shown: Any) -> set[str]:
    missing = set(PROMISED) | {"events", "discrepancies"}
    missing -= set(shown)
    for part, names in PROMISED.items():
        rows = shown[part] if isinstance(shown[part], list) else [shown[part]]
        missing |= {f"{part}.{name}" for row in rows for name in names.split() if name not in row}
    return missing


def test_every_promised_key_is_shown(command: Command, collection: str, taken: str) -> None:
    command("refund_payment", taken, "--amount", "10.25")

    shown = command("show_payment_collection", collection).row

    (payment,) = shown["payments"]
    assert missing_keys(shown) == set()
    assert set(payment["captures"][0]) == {"id", "amount", "status"}
    assert set(payment["refunds"][0]) == {"id", "amount", "status", "provider_reference"}
    assert [call["kind"] for call in shown["calls"]] == ["initiate", "capture", "refund"]
    assert shown["collection"]["captured_amount"] == Decimal("100.5")
    assert shown["collection"]["refunded_amount"] == Decimal("10.25")
    assert shown["audit"]["entries"] == AuditEntry.objects.count()
    assert shown["audit"]["valid"] is True


def test_money_under_a_soft_deleted_session_is_set_aside(
    command: Command, collection: str, simulator: StripeSimulator, stripe_settings: Any
) -> None:
    providers = stripe_settings.MEDUSA_PAYMENTS["PROVIDERS"]
    providers["pp_stripe_stripe"]["OPTIONS"]["CAPTURE"] = "automatic"
    simulator.fault("drop_after", "payment_intents.create", times=None)
    command("create_payment_session", collection, "--data", CONFIRMED)
    simulator.clear_faults()
    command("reconcile_payments", "--all")

    shown = command("show_payment_collection", collection).row

    (session,) = shown["sessions"]
    assert session["deleted_at"]
    assert session["resolution"] == "refunded"
    assert shown["collection"]["set_aside"]["captured"] == Decimal("100.5")
    assert shown["collection"]["set_aside"]["refunded"] == Decimal("100.5")
    assert not shown["collection"]["captured_amount"]
    assert shown["payments"][0]["id"] == session["payment_id"]


def test_soft_deleted_collection_is_shown(command: Command, collection: str) -> None:
    delete_payment_collection(PaymentCollection.objects.get(pk=collection))

    shown = command("show_payment_collection", collection).row

    assert shown["collection"]["deleted_at"]


def test_people_see_tables(command: Command, collection: str, taken: str) -> None:
    stdout = io.StringIO()

    call_command("show_payment_collection", collection, stdout=stdout)

    text = stdout.getvalue()
    assert "Provider calls" in text
    assert collection in text
    assert taken in text
    assert "secret" not in text
