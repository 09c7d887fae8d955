"""What waits for people is decided in the admin: one word each, after a page that tells all."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from medusa_payments.models import (
    Approval,
    AuditEntry,
    PaymentCollection,
    PaymentSession,
    Proposal,
    ProviderCall,
)
from medusa_payments.reconciliation.sweep import reconcile_all
from tests.admin.conftest import (
    Shop,
    choose,
    form_of,
    send,
    staff_client,
    states_of,
    url_of,
    words_of,
)
from tests.operations.ghosts import amend

MAY_DECIDE = ("view_proposal", "approve_proposal")


@pytest.fixture(autouse=True)
def propose(stripe_settings: Any) -> None:
    amend(stripe_settings, POLICIES=({"MODE": "propose"},))


@pytest.fixture
def two_persons(stripe_settings: Any) -> None:
    amend(stripe_settings, TWO_PERSONS_ABOVE={"eur": Decimal("10")})


@pytest.fixture
def ann(db: None) -> Client:
    return staff_client("ann", *MAY_DECIDE)


@pytest.fixture
def bob(db: None) -> Client:
    return staff_client("bob", *MAY_DECIDE)


def proposed(shop: Shop, amount: str = "30.00") -> Proposal:
    session = shop.taken_ghost(amount)
    return Proposal.objects.get(payment_session=session)


def reloaded(proposal: Proposal) -> Proposal:
    return Proposal.objects.get(pk=proposal.pk)


def resolution_of(proposal: Proposal) -> str:
    return str(PaymentSession.all_objects.get(pk=proposal.payment_session_id).resolution)


def test_list_shows_what_waits_first_and_how_many_agreed(
    shop: Shop, ann: Client, two_persons: None
) -> None:
    waits, rejected = proposed(shop), proposed(shop, "40.00")
    send(ann, Proposal, "reject", rejected, reason="The buyer wants the goods.")
    send(ann, Proposal, "approve", waits, reason="Nobody ordered.")

    response = ann.get(url_of(Proposal, "changelist"))

    assert [row.pk for row in response.context["cl"].result_list] == [waits.pk, rejected.pk]
    text = words_of(response)
    assert f"{waits.pk} waits for a person refund 30.00 EUR 1 of 2 0" in text
    assert "rejected refund 40.00 EUR 0 of 2 -" in text


def test_page_shows_the_exact_request_why_it_waits_and_who_said_what(
    shop: Shop, ann: Client, two_persons: None
) -> None:
    proposal = proposed(shop)
    send(ann, Proposal, "approve", proposal, reason="Nobody ordered.")

    text = words_of(ann.get(url_of(Proposal, "change", proposal.pk)))

    assert proposal.provider_reference in proposal.detail
    for words in (proposal.detail, proposal.reason, "1 of 2", "(ann)", "agreed Nobody ordered."):
        assert words in text


def test_question_tells_what_will_happen_and_changes_nothing(shop: Shop, ann: Client) -> None:
    proposal = proposed(shop)

    pages = [
        choose(ann, Proposal, "approve_proposals", proposal),
        ann.get(url_of(Proposal, "approve"), {"id": proposal.pk}),
    ]

    for page in pages:
        text = words_of(page)
        assert "given back to the customer, at most 30.00 EUR" in text
        assert proposal.detail in text
        assert form_of(page, "decision_form")["id"] == [proposal.pk]
    assert reloaded(proposal).state == "open"
    assert shop.refunds_at_stripe() == []
    assert not Approval.objects.exists()


def test_what_one_person_approves_is_given_back_once_with_their_name(
    shop: Shop, ann: Client
) -> None:
    proposal = proposed(shop)

    result = send(ann, Proposal, "approve", proposal, reason="Nobody ordered.")
    again = send(ann, Proposal, "approve", proposal, reason="Nobody ordered.")
    reconcile_all()

    assert states_of(result) == ["succeeded"]
    assert "Done: the provider shows it." in words_of(result)
    assert states_of(again) == ["refused"]
    assert "nothing was changed" in words_of(again)
    assert shop.refunds_at_stripe() == [3000]
    assert (reloaded(proposal).state, resolution_of(proposal)) == ("done", "refunded")
    entry = AuditEntry.objects.get(action="proposal.approved")
    assert (entry.actor.endswith("(ann)"), entry.door) == (True, "admin")
    assert entry.cause == "approve: Nobody ordered."


def test_without_a_reason_nothing_is_decided(shop: Shop, ann: Client) -> None:
    proposal = proposed(shop)

    for act, reason in (("approve", ""), ("approve", "  \n "), ("reject", "")):
        page = send(ann, Proposal, act, proposal, reason=reason)
        assert "Nothing was changed." in words_of(page)
        assert form_of(page, "decision_form")["id"] == [proposal.pk]

    assert reloaded(proposal).state == "open"
    assert shop.refunds_at_stripe() == []


def test_above_the_limit_a_second_person_has_the_last_word(
    shop: Shop, ann: Client, bob: Client, two_persons: None
) -> None:
    proposal = proposed(shop)

    question = words_of(ann.get(url_of(Proposal, "approve"), {"id": proposal.pk}))
    first = send(ann, Proposal, "approve", proposal, reason="Nobody ordered.")
    second_word = send(ann, Proposal, "approve", proposal, reason="Really.")
    asked_again = words_of(ann.get(url_of(Proposal, "approve"), {"id": proposal.pk}))
    before = shop.refunds_at_stripe()
    last = send(bob, Proposal, "approve", proposal, reason="I see it too.")

    assert "0 of 2 persons agreed" in question
    assert "Nothing is done until another person agrees too." in question
    assert (states_of(first), states_of(second_word)) == (["waits"], ["refused"])
    assert "1 of 2 persons have agreed" in words_of(first)
    assert "ann" in words_of(second_word)
    assert "You have given your word on it; it takes another person's." in asked_again
    assert before == []
    assert states_of(last) == ["succeeded"]
    assert shop.refunds_at_stripe() == [3000]
    assert list(Approval.objects.order_by("pk").values_list("reason", flat=True)) == [
        "Nobody ordered.",
        "I see it too.",
    ]


def test_what_is_rejected_stays_where_it_is(shop: Shop, ann: Client) -> None:
    proposal = proposed(shop)

    before = ann.get(url_of(Proposal, "change", proposal.pk)).content.decode()
    question = words_of(choose(ann, Proposal, "reject_proposals", proposal))
    result = send(ann, Proposal, "reject", proposal, reason="The buyer wants the goods.")
    after = ann.get(url_of(Proposal, "change", proposal.pk)).content.decode()
    reconcile_all()

    for act in ("approve", "reject"):
        assert f"/proposal/{act}/?id={proposal.pk}" in before
    assert "?id=" not in after
    assert "The money stays where it is, 30.00 EUR" in question
    assert states_of(result) == ["succeeded"]
    assert (reloaded(proposal).state, resolution_of(proposal)) == ("rejected", "written_off")
    assert shop.refunds_at_stripe() == []


def test_page_that_is_older_than_the_decision_changes_nothing(
    shop: Shop, ann: Client, bob: Client
) -> None:
    proposal = proposed(shop)
    ann.get(url_of(Proposal, "approve"), {"id": proposal.pk})
    send(bob, Proposal, "reject", proposal, reason="The buyer wants the goods.")

    result = send(ann, Proposal, "approve", proposal, reason="Nobody ordered.")
    question = words_of(ann.get(url_of(Proposal, "approve"), {"id": proposal.pk}))

    assert states_of(result) == ["refused"]
    assert "is rejected; nothing was changed" in words_of(result)
    assert "There is nothing to decide in what was chosen." in question
    assert reloaded(proposal).state == "rejected"
    assert shop.refunds_at_stripe() == []


def test_several_are_decided_row_by_row(shop: Shop, ann: Client, bob: Client) -> None:
    first, second = proposed(shop), proposed(shop, "40.00")
    page = choose(ann, Proposal, "approve_proposals", first, second)
    send(bob, Proposal, "reject", second, reason="The buyer wants the goods.")

    form = form_of(page, "decision_form") | {"reason": "Nobody ordered."}
    result = ann.post(url_of(Proposal, "approve"), form)

    assert sorted(states_of(result)) == ["refused", "succeeded"]
    assert shop.refunds_at_stripe() == [3000]
    assert [reloaded(each).state for each in (first, second)] == ["done", "rejected"]


def test_where_more_is_needed_than_was_approved_another_proposal_waits(
    shop: Shop, ann: Client
) -> None:
    cancel = Proposal.objects.get(payment_session=shop.taken_ghost(capture=False))
    question = words_of(ann.get(url_of(Proposal, "approve"), {"id": cancel.pk}))
    shop.simulator.dashboard_capture(cancel.provider_reference)

    result = send(ann, Proposal, "approve", cancel, reason="Nobody ordered.")

    refund = Proposal.objects.get(state="open")
    assert "what is held or can still be paid there is released, at most 30.00 EUR" in question
    assert (cancel.kind, refund.kind) == ("cancel", "refund")
    assert states_of(result) == ["waits"]
    assert f"another proposal waits. {refund.pk}" in words_of(result)
    assert shop.refunds_at_stripe() == []


def test_a_provider_that_is_silent_leaves_it_approved_and_it_is_finished_later(
    shop: Shop, ann: Client
) -> None:
    proposal = proposed(shop)
    shop.simulator.fault("drop_after", operation="refunds.create", times=None)
    shop.simulator.fault("drop_before", operation="refunds.list", times=None)
    shop.simulator.fault("drop_before", operation="payment_intents.retrieve", times=None, after=1)

    result = send(ann, Proposal, "approve", proposal, reason="Nobody ordered.")
    shop.simulator.clear_faults()
    ProviderCall.objects.update(next_attempt_at=proposal.created_at)
    reconcile_all()

    assert states_of(result) == ["uncertain"]
    assert "do not do it another way" in words_of(result)
    assert (reloaded(proposal).state, resolution_of(proposal)) == ("done", "refunded")
    assert shop.refunds_at_stripe() == [3000]


def test_who_may_only_look_decides_nothing(shop: Shop) -> None:
    proposal = proposed(shop)
    viewer = staff_client("viewer", "view_proposal", "refund_payment")
    blind = staff_client("blind", "approve_proposal")

    for client in (viewer, blind):
        for act in ("approve", "reject"):
            page = client.get(url_of(Proposal, act), {"id": proposal.pk})
            assert page.status_code == 403
            assert send(client, Proposal, act, proposal, reason="r").status_code == 403
    listed = viewer.get(url_of(Proposal, "changelist")).content.decode()
    shown = viewer.get(url_of(Proposal, "change", proposal.pk)).content.decode()
    choose(viewer, Proposal, "approve_proposals", proposal)

    assert "approve_proposals" not in listed
    assert "/approve/" not in shown
    assert reloaded(proposal).state == "open"
    assert shop.refunds_at_stripe() == []


def test_too_many_at_once_and_none_at_all_are_refused(
    shop: Shop, ann: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("medusa_payments.admin.decision_pages.MOST_ROWS", 0)

    too_many = choose(ann, Proposal, "approve_proposals", proposed(shop))
    none = ann.post(url_of(Proposal, "approve"), {"reason": "Nobody ordered."})

    assert (too_many.status_code, none.status_code) == (302, 302)
    assert not Approval.objects.exists()


def test_atomic_requests_change_nothing(
    shop: Shop, ann: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    proposal = proposed(shop)
    monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", True)

    choose(ann, Proposal, "approve_proposals", proposal)
    result = send(ann, Proposal, "approve", proposal, reason="Nobody ordered.")

    assert states_of(result) == ["succeeded"]
    assert shop.refunds_at_stripe() == [3000]


def test_collection_page_tells_proposal_and_decision(
    shop: Shop, ann: Client, admin_client: Client, two_persons: None
) -> None:
    proposal = proposed(shop)
    send(ann, Proposal, "approve", proposal, reason="Nobody ordered.")
    send(staff_client("bob", *MAY_DECIDE), Proposal, "approve", proposal, reason="Me too.")

    url = url_of(PaymentCollection, "change", proposal.payment_collection_id)
    text = words_of(admin_client.get(url))

    assert "Proposal of 30.00 EUR: a person's word is needed" in text
    assert "(ann) this admin by approval: Nobody ordered." in text
    assert "A person agreed to the proposal of 30.00 EUR" in text
    assert "Proposal of 30.00 EUR approved: it is carried out" in text
    assert "(ann) agreed: Nobody ordered." in text
