"""A collection's page tells its whole story."""

from __future__ import annotations

import re
from decimal import Decimal
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from medusa_payments import operations
from medusa_payments.admin.sentences import SENTENCES, cause_words, sentence
from medusa_payments.models import AuditEntry, Payment, PaymentSession
from medusa_payments.operations.actors import Actor
from medusa_payments.operations.collections import delete_payment_collection
from medusa_payments.operations.refunds import refund_payment
from medusa_payments.reconciliation.sweep import reconcile_all
from medusa_payments.statuses import (
    CallKind,
    CallState,
    DeletedReason,
    Door,
    Evidence,
    ProposalState,
    Resolution,
    SessionStatus,
)
from tests.admin.conftest import Shop


def page_of(client: Client, collection_id: str) -> str:
    """The page's text, its tags and line breaks left out."""
    url = reverse("admin:medusa_payments_paymentcollection_change", args=[collection_id])
    response = client.get(url)
    assert response.status_code == 200
    text = unescape(re.sub(r"<[^>]+>", " ", response.content.decode()))
    return re.sub(r"\s+", " ", text)


def test_timeline_says_who_did_what_through_which_door(shop: Shop, admin_client: Client) -> None:
    payment = shop.captured("100.00")
    actor = Actor("user_7 (alice)", Door.ADMIN)
    refund_payment(payment, amount=Decimal("12.50"), actor=actor, request_key="act_1")

    text = page_of(admin_client, payment.payment_collection_id)

    assert "Collection opened: 100.00 EUR is owed" in text
    assert "user_7 (alice) this admin Refund of 12.50 EUR written down" in text
    assert "Refund of 12.50 EUR succeeded" in text
    assert "refunded 0.00 EUR → 12.50 EUR" in text
    assert "Uncertain now" not in text
    assert "audit trail verified" in text


def test_page_shows_what_is_uncertain_now_and_what_was_set_aside(
    shop: Shop, admin_client: Client
) -> None:
    session = shop.set_aside_session("30.00")

    text = page_of(admin_client, session.payment_collection_id)

    assert "Uncertain now" in text
    assert "Start of the payment of 30.00 EUR: the provider's answer was lost" in text
    assert "Session set aside: nobody knew whether 30.00 EUR was taken" in text
    assert "deleted: indeterminate" in text


def test_page_shows_money_that_was_taken_and_given_back(shop: Shop, admin_client: Client) -> None:
    session = shop.set_aside_session("30.00")
    intent = next(iter(shop.simulator.ledger()["intents"]))
    shop.simulator.pay(intent)
    shop.simulator.dashboard_capture(intent)
    shop.send_events()
    reconcile_all()

    text = page_of(admin_client, session.payment_collection_id)

    assert PaymentSession.all_objects.get(pk=session.pk).resolution == Resolution.REFUNDED
    assert "Set aside" in text
    assert "Captured 30.00 EUR Refunded 30.00 EUR" in text
    assert "Resolved: what was taken is back with the customer" in text
    assert "Given back: session" in text


def test_broken_audit_trail_shows(shop: Shop, admin_client: Client) -> None:
    collection = shop.collection("100.00")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE medusa_payments_auditentry SET actor = 'nobody'")

    text = page_of(admin_client, collection.pk)

    assert "audit trail broken" in text
    assert "edited at entry 1" in text


def test_session_and_payment_link_to_the_timeline(everything: Shop, admin_client: Client) -> None:
    payment = Payment.objects.get()
    anchor = f"{payment.payment_collection_id}/change/#timeline"

    for row in (payment, payment.payment_session, payment.refunds.first()):
        model: Any = type(row)._meta.model_name
        page = admin_client.get(reverse(f"admin:medusa_payments_{model}_change", args=[row.pk]))
        assert anchor in page.content.decode()


def test_page_shows_a_deleted_collection(shop: Shop, admin_client: Client) -> None:
    collection = shop.collection("10.00")
    delete_payment_collection(collection)

    assert "Collection deleted" in page_of(admin_client, collection.pk)


def test_every_action_of_the_operations_has_words(everything: Shop) -> None:
    families = {
        "session.seen_": Evidence.values,
        "session.": [*SessionStatus.values, *DeletedReason.values],
        "session.resolved_": Resolution.values,
        "call.": [*CallKind.values, *CallState.values],
    }
    expected = {prefix + value for prefix, values in families.items() for value in values if value}
    expected |= {f"proposal.{state}" for state in ProposalState.values}
    expected |= _named_in_the_operations()
    expected -= {"call.open", "proposal.open"}
    written = set(AuditEntry.objects.values_list("action", flat=True))

    assert (expected | written) - set(SENTENCES) == set()


def _named_in_the_operations() -> set[str]:
    """Actions that rare cases write too; what begins otherwise is no audit action."""
    subjects = {action.partition(".")[0] for action in SENTENCES}
    pattern = re.compile(r'"((?:' + "|".join(subjects) + r')\.[a-z_]+)"')
    folder = Path(operations.__file__).parent
    return {
        found for path in folder.glob("*.py") for found in pattern.findall(path.read_text("utf-8"))
    }


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        ("approve: Nobody ordered: it is a ghost.", "approval: Nobody ordered: it is a ghost."),
        ("closed: whsec_hidden", "decision: [redacted]"),
        ("charge.refunded:evt_1", "event charge.refunded evt_1"),
    ],
)
def test_cause_in_words(cause: str, words: str) -> None:
    assert cause_words(cause) == words


@pytest.mark.parametrize(
    ("action", "after", "words"),
    [
        ("refund.succeeded", {"amount_minor": 1250}, "Refund of 12.50 EUR succeeded"),
        ("shop.invented_this", {}, "shop.invented_this"),
        ("payment.canceled", {"amount_minor": 5}, "Payment canceled; the held money is released"),
    ],
)
def test_action_in_words(action: str, after: dict[str, Any], words: str) -> None:
    assert sentence(action, after, "eur") == words
