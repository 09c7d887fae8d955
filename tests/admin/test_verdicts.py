"""A provider call of unknown outcome is resolved by hand in the admin."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from medusa_payments.models import PaymentCollection, Proposal, ProviderCall, Refund
from tests.admin.conftest import Shop, send, staff_client, states_of, url_of, words_of
from tests.operations.ghosts import amend

MAY_RESOLVE = ("view_providercall", "resolve_providercall")
SAID = {"reason": "The customer waits.", "proof": "Case 4711"}


@pytest.fixture
def ann(db: None) -> Client:
    return staff_client("ann", *MAY_RESOLVE)


def state_of(call: ProviderCall) -> str:
    return str(ProviderCall.objects.get(pk=call.pk).state)


def test_question_tells_what_either_word_will_do(shop: Shop, ann: Client) -> None:
    call = shop.uncertain_refund()

    button = ann.get(url_of(ProviderCall, "change", call.pk)).content.decode()
    question = words_of(ann.get(url_of(ProviderCall, "resolve"), {"id": call.pk}))

    assert f"/providercall/resolve/?id={call.pk}" in button
    assert "If it happened: 100.00 EUR counts as given back to the customer." in question
    assert "If it did not: nothing counts as given back, and 100.00 EUR can be refunded" in question
    assert "It counts at once." in question
    assert state_of(call) == "indeterminate"


@pytest.mark.parametrize(
    ("verdict", "state", "refunded"),
    [("happened", "succeeded", 10000), ("not_happened", "failed", 0)],
)
def test_a_word_counts_at_once_with_name_reason_and_proof(
    verdict: str, state: str, refunded: int, shop: Shop, ann: Client
) -> None:
    call = shop.uncertain_refund()
    asked = len(shop.simulator.requests())

    result = send(ann, ProviderCall, "resolve", call, verdict=verdict, **SAID)

    call.refresh_from_db()
    proposal = Proposal.objects.get()
    assert states_of(result) == ["succeeded"]
    assert (call.state, call.evidence, call.is_provisional) == (state, "operator", True)
    assert call.evidence_reference.endswith("(ann)")
    assert (proposal.reason, proposal.proof) == (SAID["reason"], SAID["proof"])
    assert call.payment_collection.refunded_minor == refunded
    assert Refund.objects.get().status == state
    assert len(shop.simulator.requests()) == asked


def test_above_the_limit_it_waits_for_another_person(
    shop: Shop, ann: Client, stripe_settings: Any
) -> None:
    amend(stripe_settings, TWO_PERSONS_ABOVE={"eur": Decimal("10")})
    call = shop.uncertain_refund()
    bob = staff_client("bob", "view_proposal", "approve_proposal")

    question = words_of(ann.get(url_of(ProviderCall, "resolve"), {"id": call.pk}))
    first = send(ann, ProviderCall, "resolve", call, verdict="not_happened", **SAID)
    proposal = Proposal.objects.get()
    asked_again = words_of(ann.get(url_of(ProviderCall, "resolve"), {"id": call.pk}))
    meanwhile = state_of(call)
    approve = words_of(bob.get(url_of(Proposal, "approve"), {"id": proposal.pk}))
    last = send(bob, Proposal, "approve", proposal, reason="I read the case.")

    assert "The amount takes two persons" in question
    assert (states_of(first), meanwhile) == (["waits"], "indeterminate")
    assert f"A word on it waits for another person: {proposal.pk}." in asked_again
    assert "Proof: Case 4711" in approve
    assert "The call counts as one that did not happen" in approve
    assert (states_of(last), state_of(call)) == (["succeeded"], "failed")


def test_a_word_without_verdict_reason_or_proof_changes_nothing(shop: Shop, ann: Client) -> None:
    call = shop.uncertain_refund()

    for missing in ("verdict", "reason", "proof"):
        words = {"verdict": "happened", **SAID, missing: " "}
        page = send(ann, ProviderCall, "resolve", call, **words)
        assert "Nothing was changed." in words_of(page)

    assert state_of(call) == "indeterminate"
    assert not Proposal.objects.exists()


def test_page_that_is_older_than_the_proof_changes_nothing(shop: Shop, ann: Client) -> None:
    call = shop.uncertain_refund()
    ann.get(url_of(ProviderCall, "resolve"), {"id": call.pk})
    shop.send_events()

    result = send(ann, ProviderCall, "resolve", call, verdict="not_happened", **SAID)
    page = ann.get(url_of(ProviderCall, "change", call.pk)).content.decode()

    assert states_of(result) == ["refused"]
    assert state_of(call) == "succeeded"
    assert "/resolve/" not in page


def test_who_may_only_look_resolves_nothing(shop: Shop) -> None:
    call = shop.uncertain_refund()
    viewer = staff_client("viewer", "view_providercall", "close_discrepancy")

    page = viewer.get(url_of(ProviderCall, "change", call.pk)).content.decode()
    refused = send(viewer, ProviderCall, "resolve", call, verdict="happened", **SAID)

    assert "/resolve/" not in page
    assert refused.status_code == 403
    assert state_of(call) == "indeterminate"


def test_collection_page_tells_whose_word_it_rests_on(
    shop: Shop, ann: Client, admin_client: Client
) -> None:
    call = shop.uncertain_refund()
    send(ann, ProviderCall, "resolve", call, verdict="happened", **SAID)

    url = url_of(PaymentCollection, "change", call.payment_collection_id)
    text = words_of(admin_client.get(url))

    assert "by word on a call: The customer waits." in text
    assert "A person agreed to the proposal of 100.00 EUR" in text
    assert "Refund of 100.00 EUR succeeded" in text
    assert "known by operator, provisionally" in text
