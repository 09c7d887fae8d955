"""Law 6: no path hard-deletes a payment record, and what is deleted keeps its first time stamp."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db import models
from django.test import RequestFactory
from django.utils import timezone
from safedelete.config import HARD_DELETE, HARD_DELETE_NOCASCADE, NO_DELETE, SOFT_DELETE_CASCADE

from medusa_payments.errors import ImmutableRecord, MedusaPaymentsError, PaymentIndeterminate
from medusa_payments.models import (
    AccountHolder,
    AccountHolderCall,
    ApiKey,
    Approval,
    AuditEntry,
    AutomationStop,
    Capture,
    Discrepancy,
    Dispute,
    KeyedRequest,
    LedgerFinding,
    LedgerScan,
    Payment,
    PaymentCollection,
    PaymentProvider,
    PaymentSession,
    Proposal,
    ProviderCall,
    ProviderGate,
    RecurringJob,
    Refund,
    RefundReason,
    UndoingAllowance,
    WebhookEvent,
)
from medusa_payments.operations.api_keys import create_api_key
from medusa_payments.operations.collections import delete_payment_collection
from medusa_payments.operations.refunds import refund_payment
from medusa_payments.operations.sessions import delete_payment_session
from medusa_payments.providers.types import Failed, FailureKind, Indeterminate
from medusa_payments.reconciliation.sweep import reconcile_all
from medusa_payments.statuses import ApiKeyType

from .scenes import (
    FAKE,
    StagedProvider,
    captured_at,
    collection_of,
    only_session,
    reloaded,
    session_at,
)

pytestmark = pytest.mark.django_db(transaction=True)

SOFT_DELETABLE = (PaymentCollection, PaymentSession, AccountHolder, RefundReason)
KEPT = (
    Payment,
    Capture,
    Refund,
    Dispute,
    ProviderCall,
    AccountHolderCall,
    WebhookEvent,
    Discrepancy,
    AuditEntry,
    ApiKey,
    AutomationStop,
    Proposal,
    Approval,
    LedgerScan,
    LedgerFinding,
)
POLICIES = (HARD_DELETE, HARD_DELETE_NOCASCADE, NO_DELETE, SOFT_DELETE_CASCADE)


@pytest.fixture
def rows(fake: StagedProvider) -> dict[type[models.Model], models.Model]:
    """One row of each model."""
    reason = RefundReason.objects.create(label="Broken", code="broken")
    payment = captured_at(fake)
    refund = refund_payment(payment, reason=reason)
    session = payment.payment_session
    fake.tell(session.provider_reference)
    common = {"evidence": "webhook", "amount_minor": 1}
    PaymentProvider.objects.create(id=FAKE)
    holder = AccountHolder.objects.create(provider_id=FAKE, external_id="cus_1")
    made: list[models.Model] = [
        payment.payment_collection,
        session,
        payment,
        Capture.objects.get(),
        refund,
        reason,
        Dispute.objects.create(payment=payment, provider_reference="dp_1", **common),
        holder,
        AccountHolderCall.objects.create(
            account_holder=holder, kind="create", provider_id=FAKE, next_attempt_at=timezone.now()
        ),
        ProviderCall.objects.get(kind="refund"),
        WebhookEvent.objects.get(),
        Discrepancy.objects.create(kind="amount", open_key="amount:1", detail="?"),
        AuditEntry.objects.first(),
        create_api_key(key_type=ApiKeyType.SECRET, title="Shop")[0],
        PaymentProvider.objects.get(),
        AutomationStop.objects.create(active_key="*", reason="?", stopped_by="ann"),
        proposal := Proposal.objects.create(kind="refund", open_key="1", provider_id=FAKE),
        Approval.objects.create(proposal=proposal, actor="ann", is_approved=True, reason="?"),
        scan := LedgerScan.objects.create(
            credentials=FAKE, provider_id=FAKE, since=session.created_at, until=timezone.now()
        ),
        LedgerFinding.objects.create(scan=scan, kind="payment", ledger_class="ghost"),
    ]
    return {type(row): row for row in made}


def test_every_model_is_covered() -> None:
    ours = set(apps.get_app_config("medusa_payments").get_models())

    # What is no payment record: it is a switch, or written over, or goes when its time is over.
    others = {PaymentProvider, KeyedRequest, ProviderGate, RecurringJob, UndoingAllowance}
    assert ours == {*SOFT_DELETABLE, *KEPT, *others}


@pytest.mark.parametrize("model", KEPT)
def test_a_record_that_is_kept_cannot_be_deleted(model: Any, rows: dict[Any, Any]) -> None:
    row = rows[model]
    paths = [
        row.delete,
        model.objects.all().delete,
        model.objects.filter(pk=row.pk).delete,
        lambda: model.objects.all()._raw_delete("default"),
        model._default_manager.all().delete,
    ]

    for path in paths:
        with pytest.raises(ImmutableRecord):
            path()

    assert reloaded(row).pk == row.pk


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("model", SOFT_DELETABLE)
def test_another_policy_than_soft_deletion_is_refused(
    model: Any, policy: int, rows: dict[Any, Any]
) -> None:
    row = rows[model]

    for managed in (model.objects, model.all_objects):
        with pytest.raises(ImmutableRecord):
            managed.filter(pk=row.pk).delete(force_policy=policy)
    with pytest.raises(ImmutableRecord):
        row.delete(force_policy=policy)

    assert reloaded(row).deleted is None


@pytest.mark.parametrize("model", SOFT_DELETABLE)
def test_no_queryset_erases_rows(model: Any, rows: dict[Any, Any]) -> None:
    row = rows[model]

    for managed in (model.objects, model.all_objects, model.deleted_objects):
        with pytest.raises(ImmutableRecord):
            managed.all()._raw_delete("default")
        with pytest.raises(ImmutableRecord):
            managed.all().hard_delete_policy_action()

    assert reloaded(row).pk == row.pk


@pytest.mark.parametrize("model", [PaymentCollection, PaymentSession, AccountHolder])
def test_a_live_record_with_consequences_is_deleted_by_its_operation_only(
    model: Any, rows: dict[Any, Any]
) -> None:
    row = rows[model]

    for path in (row.delete, model.objects.all().delete, model.all_objects.all().delete):
        with pytest.raises(ImmutableRecord, match=r"operations\."):
            path()

    assert reloaded(row).deleted is None


@pytest.mark.parametrize(
    "model", [PaymentCollection, PaymentSession, Payment, Refund, WebhookEvent, RefundReason]
)
def test_djangos_own_collector_cascades_into_nothing(model: Any, rows: dict[Any, Any]) -> None:
    """What a plain ``Model.delete`` or an admin would do: foreign keys protect the rows."""
    row = rows[model]
    if model is Refund or model is WebhookEvent:
        Discrepancy._base_manager.filter(pk=rows[Discrepancy].pk).update(
            webhook_event=rows[WebhookEvent].pk
        )

    with pytest.raises(models.ProtectedError):
        models.Model.delete(row)

    assert reloaded(row).pk == row.pk


def test_no_foreign_key_of_ours_cascades_or_forgets() -> None:
    keys = [
        field
        for model in apps.get_app_config("medusa_payments").get_models()
        for field in model._meta.get_fields()
        if isinstance(field, models.ForeignKey)
    ]

    assert keys
    assert [key for key in keys if key.remote_field.on_delete is not models.PROTECT] == []


def test_related_managers_delete_nothing(rows: dict[Any, Any]) -> None:
    payment, session = rows[Payment], rows[PaymentSession]
    collection = rows[PaymentCollection]

    for related in (
        payment.captures,
        payment.refunds,
        payment.disputes,
        session.provider_calls,
        session.webhook_events,
        collection.payments,
        collection.payment_sessions,
        collection.audit_entries,
    ):
        with pytest.raises(ImmutableRecord):
            related.all().delete()
        assert related.count() >= 1


def test_no_admin_of_ours_deletes() -> None:
    user = get_user_model()(is_superuser=True, is_staff=True, is_active=True)
    request = RequestFactory().get("/")
    request.user = user
    admins = [
        (model, model_admin)
        for model, model_admin in admin.site._registry.items()
        if model._meta.app_label == "medusa_payments" and model is not PaymentProvider
    ]

    deleting = [
        model.__name__
        for model, model_admin in admins
        if model_admin.has_delete_permission(request)
        or "delete_selected" in model_admin.get_actions(request)
    ]

    assert deleting == []


# Failing and deleting


def test_no_failed_flow_erases_its_session(fake: StagedProvider) -> None:
    collection = collection_of()
    for answer in (
        Indeterminate(),
        Failed(kind=FailureKind.DECLINED),
        Failed(kind=FailureKind.REFUSED),
        Failed(kind=FailureKind.UNAVAILABLE),
        RuntimeError("a bug in the provider"),
    ):
        fake.script("initiate_payment", answer)
        with pytest.raises(MedusaPaymentsError):
            session_at(FAKE, collection)

    sessions = PaymentSession.all_objects.filter(payment_collection=collection)
    assert sessions.count() == 5
    assert ProviderCall.objects.filter(kind="initiate").count() == 5


def test_what_is_deleted_keeps_its_first_time_stamp(fake: StagedProvider) -> None:
    session = session_at(FAKE)
    deleted = delete_payment_session(session)
    first = deleted.deleted

    delete_payment_session(session)
    delete_payment_session(reloaded(session))
    reloaded(session).delete()
    PaymentSession.all_objects.filter(pk=session.pk).delete()
    reconcile_all()

    assert reloaded(session).deleted == first
    assert reloaded(session).deleted_reason == "deleted"


def test_a_session_set_aside_keeps_when_and_why_it_was_deleted(fake: StagedProvider) -> None:
    """Replaced while its initiate was asked, whose answer is then lost."""
    collection = collection_of()
    fake.script("initiate_payment", Indeterminate(), executes=True)
    fake.after["initiate_payment"] = lambda request: session_at(FAKE, collection)
    with pytest.raises(PaymentIndeterminate):
        session_at(FAKE, collection)

    session = PaymentSession.deleted_objects.get()
    assert session.deleted_reason == "replaced"
    assert session.indeterminate


def test_deleting_a_collection_erases_nothing_below_it(fake: StagedProvider) -> None:
    collection = collection_of()
    session = session_at(FAKE, collection)

    delete_payment_collection(reloaded(collection))

    assert reloaded(collection).deleted is not None
    assert only_session(collection).pk == session.pk
    assert only_session(collection).resolution == "closed"
    assert ProviderCall.objects.count() == 2


def test_nothing_revives_a_deleted_record(fake: StagedProvider) -> None:
    session = session_at(FAKE)
    delete_payment_session(session)
    row = reloaded(session)

    row.metadata = {"touched": True}
    row.save()
    row.save(keep_deleted=False)
    for revive in (row.undelete, PaymentSession.deleted_objects.all().undelete):
        with pytest.raises(ImmutableRecord):
            revive()

    assert reloaded(session).deleted is not None
    assert reloaded(session).metadata == {"touched": True}
