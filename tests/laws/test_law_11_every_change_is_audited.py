"""Law 11: every change of a money state writes its audit entry in the same transaction."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import DatabaseError, connection

from medusa_payments.errors import ImmutableRecord, MedusaPaymentsError, PaymentIndeterminate
from medusa_payments.models import (
    AuditEntry,
    Capture,
    Payment,
    PaymentCollection,
    PaymentSession,
    Proposal,
    ProviderCall,
    Refund,
)
from medusa_payments.operations import audit
from medusa_payments.operations.actors import SWEEP, Actor
from medusa_payments.operations.captures import capture_payment
from medusa_payments.operations.collections import (
    create_payment_collection,
    delete_payment_collection,
    reprice_payment_collection,
)
from medusa_payments.operations.proposals import approve_proposal
from medusa_payments.operations.refunds import refund_payment
from medusa_payments.providers.types import Failed, FailureKind, Indeterminate
from medusa_payments.reconciliation.sweep import reconcile_all
from medusa_payments.statuses import Door
from medusa_payments.testing.stripe_simulator import StripeSimulator

from .scenes import (
    FAKE,
    STRIPE,
    TAKEN,
    StagedProvider,
    authorized_at,
    breaks,
    captured_at,
    captured_at_stripe,
    collection_of,
    deliver,
    let_time_pass,
    only_session,
    reloaded,
    session_at,
)

pytestmark = pytest.mark.django_db(transaction=True)

TEN = Decimal("10")
ANNA = Actor("anna", Door.ADMIN)
AUDITED = (PaymentCollection, PaymentSession, ProviderCall, Payment, Capture, Refund)


def _full_life(stripe: StripeSimulator) -> PaymentCollection:
    """Lost, given back, paid, refunded; through responses, webhooks and the sweep."""
    collection = collection_of()
    stripe.fault("drop_after", operation="payment_intents.create")
    with pytest.raises(PaymentIndeterminate):
        session_at(STRIPE, collection, **TAKEN)
    stripe.fault("rate_limit", operation="refunds.create")
    reconcile_all()
    let_time_pass(hours=1)
    reconcile_all()
    session = session_at(STRIPE, collection)
    stripe.pay(session.provider_reference)
    for event in stripe.events():
        deliver(stripe, event["id"])
    payment = Payment.objects.get(payment_session=session)
    stripe.fault("drop_after", operation="payment_intents.capture")
    capture_payment(payment, actor=ANNA)
    refund = refund_payment(payment, amount=TEN, actor=ANNA)
    stripe.fail_refund(refund.provider_reference)
    dispute = stripe.dispute(session.provider_reference, 500)
    stripe.close_dispute(dispute["id"], won=True)
    for event in stripe.events():
        deliver(stripe, event["id"])
    reconcile_all()
    return reloaded(collection)


def test_the_trail_alone_tells_every_row(stripe: StripeSimulator) -> None:
    collection = _full_life(stripe)

    told = audit.replay(list(collection.audit_entries.order_by("number")))
    rows = {
        (str(model._meta.model_name), row.pk): json.loads(json.dumps(row.money_state()))
        for model in AUDITED
        for row in model._base_manager.all()
    }

    assert {key: told.get(key) for key in rows} == rows
    assert len(rows) > 12
    assert breaks(collection) == []


def test_each_entry_begins_where_the_last_one_about_its_row_ended(
    stripe: StripeSimulator,
) -> None:
    """No change between two entries went unrecorded."""
    collection = _full_life(stripe)

    last: dict[str, Any] = {}
    gaps = []
    for entry in collection.audit_entries.order_by("number"):
        before = json.loads(entry.before)
        if before != last.get(entry.subject_id, {}):
            gaps.append((entry.number, entry.action, entry.subject_type))
        last[entry.subject_id] = json.loads(entry.after)
    assert gaps == []


def test_entries_are_numbered_and_chained(stripe: StripeSimulator) -> None:
    collection = _full_life(stripe)

    entries = list(collection.audit_entries.order_by("number"))

    assert [entry.number for entry in entries] == list(range(1, collection.audit_length + 1))
    assert [entry.previous_hash for entry in entries[1:]] == [entry.hash for entry in entries[:-1]]
    assert entries[0].previous_hash == ""
    assert entries[-1].hash == collection.audit_head
    assert [entry for entry in entries if entry.computed_hash() != entry.hash] == []


def test_an_entry_names_actor_door_and_cause(stripe: StripeSimulator) -> None:
    _full_life(stripe)

    def of(action: str) -> AuditEntry:
        return AuditEntry.objects.filter(action=action).latest("pk")

    requested = of("refund.requested")
    assert (requested.actor, requested.door) == ("anna", "admin")
    answered = of("refund.succeeded")
    assert (answered.actor, answered.cause[:4]) == ("anna", "req_")
    failed = of("refund.failed")
    assert (failed.actor, failed.door) == ("webhook", "webhook")
    assert ":evt_" in failed.cause
    resolved = of("session.resolved_refunded")
    assert (resolved.actor, resolved.door) == (SWEEP.id, SWEEP.door)


@pytest.mark.parametrize("lost", [False, True])
def test_a_change_and_its_entry_are_one_transaction(lost: bool, fake: StagedProvider) -> None:
    """The entry cannot be written, because its number is taken: then nothing is."""
    payment = captured_at(fake)
    collection = reloaded(payment.payment_collection)
    _take_number(collection, collection.audit_length + 1)
    before = collection.audit_length
    if lost:
        fake.script("refund_payment", Indeterminate())

    with pytest.raises(DatabaseError):
        refund_payment(payment, amount=TEN)

    assert not Refund.objects.exists()
    assert fake.asked_for("refund_payment") == []
    assert reloaded(collection).audit_length == before


def test_an_answer_whose_entry_cannot_be_written_is_not_half_recorded(
    fake: StagedProvider,
) -> None:
    payment = captured_at(fake)

    def take_the_next_number(request: Any) -> None:
        collection = reloaded(payment.payment_collection)
        _take_number(collection, collection.audit_length + 1)

    fake.before["refund_payment"] = take_the_next_number
    with pytest.raises(DatabaseError):
        refund_payment(payment, amount=TEN)

    assert Refund.objects.get().status == "requested"
    assert ProviderCall.objects.get(kind="refund").state == "open"


def _take_number(collection: PaymentCollection, number: int) -> None:
    taken = collection.audit_entries.latest("number")
    taken.pk, taken.number = None, number
    taken._state.adding = True
    taken.save()


def test_refused_acts_leave_no_entry(fake: StagedProvider) -> None:
    payment = captured_at(fake)
    length = reloaded(payment.payment_collection).audit_length

    with pytest.raises(MedusaPaymentsError):
        refund_payment(payment, amount=Decimal("1000"))

    assert reloaded(payment.payment_collection).audit_length == length


def test_acts_on_collections_are_audited(fake: StagedProvider) -> None:
    collection = create_payment_collection(amount=TEN, currency_code="eur", actor=ANNA)
    reprice_payment_collection(collection, amount=Decimal("20"), actor=ANNA)
    session_at(FAKE, reloaded(collection))
    delete_payment_collection(reloaded(collection), actor=ANNA)

    actions = list(collection.audit_entries.order_by("number").values_list("action", flat=True))

    assert actions[0] == "collection.created"
    assert "collection.repriced" in actions
    assert "session.deleted" in actions
    assert "collection.deleted" in actions
    assert breaks(collection) == []


@pytest.mark.parametrize(
    "answer", [Failed(kind=FailureKind.DECLINED), Failed(kind=FailureKind.UNAVAILABLE)]
)
def test_failures_are_audited(answer: Failed, fake: StagedProvider) -> None:
    collection = collection_of()
    fake.script("initiate_payment", answer)
    with pytest.raises(MedusaPaymentsError):
        session_at(FAKE, collection)

    entry = AuditEntry.objects.get(action="session.failed")

    assert entry.subject_id == only_session(collection).pk
    assert json.loads(entry.after)["status"] == "error"
    assert breaks(collection) == []


# Append-only


def test_an_entry_cannot_be_changed_or_deleted(fake: StagedProvider) -> None:
    authorized_at(fake)
    entry = AuditEntry.objects.latest("pk")
    rows = AuditEntry.objects.filter(pk=entry.pk)
    copy = AuditEntry(**{f.attname: getattr(entry, f.attname) for f in entry._meta.concrete_fields})
    copy.action = "forged"

    for forge in (entry.save, entry.delete, rows.delete, lambda: rows._raw_delete("default")):
        with pytest.raises(ImmutableRecord):
            forge()
    with pytest.raises(ImmutableRecord):
        rows.update(action="forged")
    with pytest.raises(ImmutableRecord):
        AuditEntry.objects.bulk_update([entry], ["action"])
    with pytest.raises((ImmutableRecord, DatabaseError)):
        copy.save()

    assert reloaded(entry).action != "forged"


def test_deleting_a_user_changes_no_entry(fake: StagedProvider) -> None:
    user = get_user_model().objects.create_user("anna")
    payment = captured_at(fake)
    refund_payment(payment, amount=TEN, actor=Actor(user.get_username(), Door.ADMIN))

    user.delete()

    assert AuditEntry.objects.filter(actor="anna").exists()
    assert Refund.objects.get().created_by == "anna"
    assert breaks(payment.payment_collection) == []


def test_the_hash_covers_text_and_not_what_a_database_makes_of_json(
    stripe: StripeSimulator,
) -> None:
    captured_at_stripe(stripe)
    entry = AuditEntry.objects.latest("pk")

    assert isinstance(entry.before, str)
    column = connection.introspection.get_table_description(
        connection.cursor(), AuditEntry._meta.db_table
    )
    types = {each.name: str(each.type_code) for each in column}
    assert "json" not in types["after"].lower()


def test_what_people_decide_is_in_the_trail_and_cannot_be_changed_behind_it(
    fake: StagedProvider, shop: Any
) -> None:
    shop.MEDUSA_PAYMENTS["POLICIES"] = ({"MODE": "propose"},)
    shop.MEDUSA_PAYMENTS["TWO_PERSONS_ABOVE"] = {"eur": 0}
    collection = collection_of()
    fake.script("initiate_payment", Indeterminate(), executes=True)
    with pytest.raises(PaymentIndeterminate):
        session_at(FAKE, collection, confirm=True)
    reconcile_all()
    proposal = Proposal.objects.get()

    for name in ("ann", "bob"):
        approve_proposal(proposal, actor=Actor(name, Door.ADMIN), reason="A ghost.")
    entries = AuditEntry.objects.filter(subject_type="proposal").order_by("number")
    told = list(entries.values_list("action", "actor"))
    whole = breaks(collection)
    Proposal.objects.update(amount_minor=1)

    assert told == [
        ("proposal.opened", "sweep"),
        ("proposal.agreed", "ann"),
        ("proposal.agreed", "bob"),
        ("proposal.approved", "bob"),
        ("proposal.done", "bob"),
    ]
    assert (whole, breaks(collection)) == ([], ["unfaithful"])
