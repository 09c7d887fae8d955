"""What the app keeps beside Medusa's records: lists and single ones, soft-deleted too."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from medusa_payments.models import (
    AuditEntry,
    Discrepancy,
    PaymentCollection,
    PaymentSession,
    ProviderCall,
)
from medusa_payments.operations.sessions import delete_payment_session
from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.api.shop import PAID_AT_ONCE, PROVIDER, Api, rows
from tests.api.test_admin_collections import COLLECTION

SESSION = set(
    """id currency_code amount raw_amount provider_id data context status authorized_at
    payment_collection_id metadata created_at updated_at deleted_at deleted_reason indeterminate
    resolution resolved_at provider_state provider_reference provider_amount held_amount
    captured_amount declined failure_code evidence observed_at""".split()
)
CALL = set(
    """id kind state generation idempotency_key payment_collection_id payment_session_id payment_id
    capture_id refund_id provider_id is_undoing is_provisional key_is_spent looks evidence
    evidence_reference provider_reference request_id failure_kind failure_code first_sent_at
    last_sent_at leased_until next_attempt_at arguments attempts created_at updated_at""".split()
)
DISCREPANCY = set(
    """id kind state payment_collection_id payment_session_id provider_call_id webhook_event_id
    provider_id provider_reference amount raw_amount currency_code detail closed_at closed_by
    closing_reason created_at updated_at""".split()
)
AUDIT_ENTRY = set(
    """id payment_collection_id number action subject_type subject_id actor door cause before after
    created_at previous_hash hash""".split()
)

# Route -> key of a page, key of one, and the keys of each.
ROUTES = {
    "payment-collections": ("payment_collections", "payment_collection", COLLECTION),
    "payment-sessions": ("payment_sessions", "payment_session", SESSION),
    "provider-calls": ("provider_calls", "provider_call", CALL),
    "discrepancies": ("discrepancies", "discrepancy", DISCREPANCY),
    "audit-entries": ("audit_entries", "audit_entry", AUDIT_ENTRY),
}


@pytest.fixture
def history(api: Api) -> PaymentSession:
    """A deleted session, a paid one that is returned, and a discrepancy about it."""
    collection = api.collection()
    api.session(collection)
    delete_payment_session(PaymentSession.objects.get())
    api.session(collection, **PAID_AT_ONCE)
    session: PaymentSession = PaymentSession.objects.get()
    Discrepancy.objects.create(
        kind="amount",
        open_key="one",
        payment_session=session,
        payment_collection=session.payment_collection,
        provider_id=PROVIDER,
        amount_minor=1050,
        currency_code="eur",
        detail="The sides disagree.",
    )
    return session


@pytest.mark.parametrize("route", ROUTES)
def test_a_page_and_one_of_it_have_exactly_these_keys(
    api: Api, history: PaymentSession, route: str
) -> None:
    many, one, keys = ROUTES[route]

    page = api.admin("GET", route)
    listed = page.json()[many]
    single = api.admin("GET", f"{route}/{listed[0]['id']}")

    assert page.status_code == single.status_code == 200
    assert set(page.json()) == {many, "count", "offset", "limit"}
    assert (page.json()["count"], page.json()["offset"], page.json()["limit"]) == (
        len(listed),
        0,
        20,
    )
    assert all(set(each) == keys for each in listed)
    assert single.json() == {one: listed[0]}


@pytest.mark.parametrize("route", ROUTES)
def test_pages_are_strict_ordered_and_cut(api: Api, history: PaymentSession, route: str) -> None:
    many = ROUTES[route][0]
    forwards = [each["id"] for each in api.admin("GET", route).json()[many]]

    wrong = api.admin("GET", route, order="-created_at,")
    strict = api.admin("GET", route, foo="1")
    cut = api.admin("GET", route, limit="1", order="-id", fields="id")

    assert (wrong.status_code, strict.status_code) == (400, 400)
    assert cut.json() == {
        many: [{"id": forwards[-1]}],
        "count": len(forwards),
        "offset": 0,
        "limit": 1,
    }


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("pk", ["nothing_x", "7.5", "99999999999999999999"])
def test_what_is_not_there_is_not_found(api: Api, route: str, pk: str) -> None:
    answer = api.admin("GET", f"{route}/{pk}")

    assert (answer.status_code, answer.json()["type"]) == (404, "not_found")
    assert answer.json()["message"].endswith(f"id not found: {pk}")


@pytest.mark.parametrize("route", ROUTES)
def test_a_longer_page_takes_no_more_queries(api: Api, history: PaymentSession, route: str) -> None:
    fields = "+payment_collection.status,+provider_calls.kind,+payment_session.status"

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            api.admin("GET", route, fields=fields, with_deleted="true")
        # A connection that is kept open is now and then asked whether it still lives.
        return sum("medusa_payments_" in query["sql"] for query in captured)

    few = queries()
    for number in range(3):
        api.session(api.collection(), **PAID_AT_ONCE)
        Discrepancy.objects.create(kind="amount", open_key=f"more {number}", detail="More.")

    assert queries() == few <= 14


def test_soft_deleted_sessions_are_shown_when_asked_for(api: Api, history: PaymentSession) -> None:
    live = api.admin("GET", "payment-sessions").json()
    everything = api.admin("GET", "payment-sessions", with_deleted="true").json()
    deleted = everything["payment_sessions"][0]
    hidden = api.admin("GET", f"payment-sessions/{deleted['id']}")
    shown = api.admin("GET", f"payment-sessions/{deleted['id']}", with_deleted="true")

    assert (live["count"], everything["count"]) == (1, 2)
    assert deleted["deleted_reason"] == "deleted"
    assert deleted["deleted_at"] is not None
    assert (deleted["resolution"], deleted["resolved_at"] is None) == ("closed", False)
    assert deleted["provider_state"] == "canceled"
    assert hidden.status_code == 404
    assert shown.json() == {"payment_session": deleted}


def test_a_set_aside_session_says_what_is_known(api: Api, simulator: StripeSimulator) -> None:
    simulator.fault("drop_before", "payment_intents.create", times=None)
    api.session(api.collection())

    (session,) = api.admin(
        "GET", "payment-sessions", with_deleted="true", indeterminate="true"
    ).json()["payment_sessions"]

    assert (session["deleted_reason"], session["indeterminate"]) == ("indeterminate", True)
    assert session["resolution"] is session["resolved_at"] is session["provider_state"] is None
    assert session["provider_reference"] is None


def test_deleted_collections_are_shown_when_asked_for(api: Api) -> None:
    collection = api.collection()
    api.admin("DELETE", f"payment-collections/{collection}")
    path = f"payment-collections/{collection}"

    assert api.admin("GET", path).status_code == 404
    answer = api.admin("GET", path, with_deleted="true", fields="+deleted_at,+order_id,+cart_id")
    assert answer.json()["payment_collection"]["deleted_at"] is not None
    assert answer.json()["payment_collection"]["order_id"] == "order_1"
    assert answer.json()["payment_collection"]["cart_id"] is None
    assert api.admin("GET", "payment-collections").json()["count"] == 0
    assert api.admin("GET", "payment-collections", with_deleted="true").json()["count"] == 1


@pytest.mark.parametrize("value", ["yes", "", "1"])
def test_with_deleted_is_true_or_false(api: Api, value: str) -> None:
    answer = api.admin("GET", "payment-sessions", with_deleted=value)

    assert answer.status_code == 400
    assert answer.json()["message"] == (
        f"Invalid request: Expected type: 'boolean' for field 'with_deleted', got: '{value}'"
    )


def test_relations_are_shown_when_asked_for(api: Api, history: PaymentSession) -> None:
    fields = "*payment,*payment_collection,*provider_calls,*discrepancies"

    shown = api.admin("GET", f"payment-sessions/{history.pk}", fields=fields)
    call = api.admin("GET", "provider-calls", fields="*payment_session,payment_session.status")

    session = shown.json()["payment_session"]
    assert session["payment"]["id"] == history.payment.pk
    assert session["payment_collection"]["status"] == "authorized"
    assert {each["kind"] for each in session["provider_calls"]} == {"initiate"}
    assert [each["detail"] for each in session["discrepancies"]] == ["The sides disagree."]
    assert set(call.json()["provider_calls"][0]) == {"id", "payment_session"}


def test_a_discrepancy_says_what_is_at_risk(api: Api, history: PaymentSession) -> None:
    (shown,) = api.admin("GET", "discrepancies", state="open").json()["discrepancies"]

    assert (shown["amount"], shown["raw_amount"]["value"]) == (10.5, "10.5")
    assert (shown["kind"], shown["closed_at"], shown["closed_by"]) == ("amount", None, None)


def test_audit_entries_tell_each_change(api: Api, history: PaymentSession) -> None:
    answer = api.admin(
        "GET", "audit-entries", **{"subject_id": history.pk, "number[$gt]": "1", "order": "number"}
    )

    entries = answer.json()["audit_entries"]
    assert entries[0]["action"] == "session.requested"
    assert entries[0]["before"] == {}
    assert entries[0]["after"]["amount_minor"] == 10050
    assert all(each["subject_id"] == history.pk for each in entries)
    assert len(entries) == AuditEntry.objects.filter(subject_id=history.pk).count()


SECRET = "pi_1_secret_abc"


@pytest.mark.parametrize("route", ["payment-sessions", "provider-calls", "discrepancies"])
def test_no_secret_is_shown(api: Api, history: PaymentSession, route: str) -> None:
    PaymentSession.objects.update(data={"client_secret": SECRET, "id": "pi_1"})
    ProviderCall.objects.update(
        arguments={"data": {"payment_method_data": {"number": "4242"}}},
        attempts=[{"client_secret": SECRET}],
    )
    Discrepancy.objects.update(detail=f"See https://x/?payment_intent_client_secret={SECRET}")

    answer = api.admin("GET", route, fields="+payment_session.data,+provider_calls.attempts")

    assert answer.status_code == 200
    assert "secret_abc" not in answer.content.decode()
    assert "4242" not in answer.content.decode()


def test_reading_changes_nothing(api: Api, history: PaymentSession) -> None:
    before = rows()

    for route in ROUTES:
        api.admin("GET", route, with_deleted="true")

    assert rows() == before
    assert PaymentCollection.objects.exists()
