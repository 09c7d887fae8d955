"""Discrepancies in the admin: what is known, what is not, and closed by a person with a reason."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from medusa_payments.models import AuditEntry, Discrepancy
from medusa_payments.operations import audit
from tests.admin.conftest import (
    STRIPE,
    Shop,
    choose,
    form_of,
    send,
    staff_client,
    states_of,
    url_of,
    words_of,
)

MAY_CLOSE = ("view_discrepancy", "close_discrepancy")


@pytest.fixture
def ann(db: None) -> Client:
    return staff_client("ann", *MAY_CLOSE)


def disputed(shop: Shop) -> Discrepancy:
    """Of a collection: the customer's bank takes a part back."""
    payment = shop.captured("100.00")
    shop.simulator.dispute(payment.payment_session.provider_reference, 1000)
    shop.send_events()
    return Discrepancy.objects.get(payment_collection=payment.payment_collection, kind="dispute")


def ghost(reference: str = "pi_ghost", **values: Any) -> Discrepancy:
    """Of no record of ours, as a scan of the ledger opens it."""
    return Discrepancy.objects.create(
        kind="ghost",
        severity="critical",
        open_key=f"ghost:{reference}",
        provider_id=STRIPE,
        provider_reference=reference,
        detail="It carries our mark, and there is no record of it.",
        not_known="Who asked for it.",
        **{"amount_minor": 3000, "currency_code": "eur", **values},
    )


def money_of(discrepancy: Discrepancy) -> list[tuple[int, ...]]:
    collection = type(discrepancy.payment_collection)._base_manager
    return list(collection.values_list("authorized_minor", "captured_minor", "refunded_minor"))


def test_list_and_page_show_severity_money_at_risk_and_what_is_not_known(
    shop: Shop, ann: Client
) -> None:
    row = ghost()

    listed = words_of(ann.get(url_of(Discrepancy, "changelist")))
    page = words_of(ann.get(url_of(Discrepancy, "change", row.pk)))

    assert f"{row.pk} open critical ghost 30.00 EUR" in listed
    assert "Who asked for it." in page
    assert "critical" in page


def test_open_ones_come_first(shop: Shop, ann: Client) -> None:
    still_open, closed = ghost("pi_1"), ghost("pi_2")
    send(ann, Discrepancy, "close", closed, reason="A test of ours.")

    rows = ann.get(url_of(Discrepancy, "changelist")).context["cl"].result_list

    assert [row.pk for row in rows] == [still_open.pk, closed.pk]


def test_amount_in_a_currency_that_we_do_not_know_is_shown_in_its_smallest_unit(
    shop: Shop, ann: Client
) -> None:
    row = ghost(currency_code="xyz")

    for page in ("changelist", "change"):
        args = [row.pk] if page == "change" else []
        assert "3000 XYZ (smallest unit)" in words_of(ann.get(url_of(Discrepancy, page, *args)))


def test_a_person_closes_one_with_a_reason_and_no_money_moves(shop: Shop, ann: Client) -> None:
    row = disputed(shop)
    before = money_of(row)

    question = ann.get(url_of(Discrepancy, "close"), {"id": row.pk})
    form = form_of(question, "decision_form") | {"reason": "Answered at Stripe."}
    result = ann.post(url_of(Discrepancy, "close"), form)

    assert "Closing moves no money" in words_of(question)
    assert f"Not known: {row.not_known}" in words_of(question)
    assert states_of(result) == ["succeeded"]
    row.refresh_from_db()
    assert (row.state, row.closing_reason) == ("closed", "Answered at Stripe.")
    assert row.closed_by.endswith("(ann)")
    assert money_of(row) == before
    entry = AuditEntry.objects.get(action="discrepancy.closed")
    assert (entry.actor, entry.cause) == (row.closed_by, "closed: Answered at Stripe.")
    assert list(audit.verify(row.payment_collection)) == []


def test_several_are_closed_row_by_row_also_those_of_no_record(shop: Shop, ann: Client) -> None:
    rows = [disputed(shop), ghost("pi_1"), ghost("pi_2")]
    page = choose(ann, Discrepancy, "close_discrepancies", *rows)
    send(staff_client("bob", *MAY_CLOSE), Discrepancy, "close", rows[1], reason="Mine.")

    form = form_of(page, "decision_form") | {"reason": "Seen."}
    result = ann.post(url_of(Discrepancy, "close"), form)

    assert sorted(states_of(result)) == ["refused", "succeeded", "succeeded"]
    assert "was closed by user_" in words_of(result)
    assert set(Discrepancy.objects.values_list("state", flat=True)) == {"closed"}
    assert Discrepancy.objects.get(pk=rows[1].pk).closing_reason == "Mine."


def test_without_a_reason_it_stays_open(shop: Shop, ann: Client) -> None:
    row = ghost()

    page = send(ann, Discrepancy, "close", row, reason="   ")

    assert "Nothing was changed." in words_of(page)
    assert Discrepancy.objects.get().state == "open"


def test_who_may_only_look_closes_nothing(shop: Shop) -> None:
    row = ghost()
    viewer = staff_client("viewer", "view_discrepancy", "approve_proposal")

    listed = viewer.get(url_of(Discrepancy, "changelist")).content.decode()
    refused = send(viewer, Discrepancy, "close", row, reason="r")

    assert "close_discrepancies" not in listed
    assert refused.status_code == 403
    assert Discrepancy.objects.get().state == "open"


def test_a_reason_with_a_secret_shows_it_on_no_page(shop: Shop, ann: Client) -> None:
    row = ghost()

    send(ann, Discrepancy, "close", row, reason="Found with whsec_hidden")
    pages = [
        ann.get(url_of(Discrepancy, "change", row.pk)),
        ann.get(url_of(Discrepancy, "close"), {"id": row.pk}),
        send(ann, Discrepancy, "close", row, reason="Once more."),
    ]

    for page in pages:
        assert "Found with [redacted]" in words_of(page)
