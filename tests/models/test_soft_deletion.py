"""The traps of django-safedelete that ``models/base.py`` closes; each test opens one."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework import serializers
from rest_framework.validators import UniqueValidator
from safedelete.config import HARD_DELETE, SOFT_DELETE
from safedelete.models import SafeDeleteModel

from medusa_payments.errors import ImmutableRecord
from medusa_payments.models import (
    AccountHolder,
    Payment,
    PaymentCollection,
    PaymentSession,
    Refund,
    RefundReason,
)
from medusa_payments.models.base import (
    LiveManager,
    SoftDeletableQuerySet,
    SoftDeletableRecord,
)
from medusa_payments.operations import totals
from medusa_payments.operations.collections import (
    create_payment_collection,
    delete_payment_collection,
)
from tests.laws.scenes import reloaded

pytestmark = pytest.mark.django_db(transaction=True)

LONG_AGO = timezone.now() - timedelta(days=400)


def _reason(**values: Any) -> RefundReason:
    return RefundReason.objects.create(**{"label": "Broken", "code": "broken", **values})


def _deleted_reason(**values: Any) -> RefundReason:
    reason = _reason(**values)
    RefundReason.objects.filter(pk=reason.pk).update(deleted=LONG_AGO)
    return RefundReason.all_objects.get(pk=reason.pk)


def _collection(**values: Any) -> PaymentCollection:
    return PaymentCollection.objects.create(currency_code="eur", amount_minor=1000, **values)


def _session(collection: PaymentCollection, **values: Any) -> PaymentSession:
    live = None if "deleted" in values else collection.pk
    return PaymentSession.all_objects.create(
        payment_collection=collection,
        live_collection_id=live,
        provider_id="pp",
        currency_code="eur",
        amount_minor=1000,
        **values,
    )


def _deleted_session(collection: PaymentCollection, **values: Any) -> PaymentSession:
    return _session(collection, deleted=LONG_AGO, deleted_reason="deleted", **values)


def test_saving_a_deleted_row_does_not_undelete_it() -> None:
    reason = _deleted_reason()

    reason.label = "Torn"
    reason.save()
    reason.save(keep_deleted=False)
    reason.save(update_fields=["label"])

    assert reloaded(reason).deleted == LONG_AGO
    assert reloaded(reason).label == "Torn"


def test_update_writes_what_the_manager_reads() -> None:
    live, deleted = _reason(), _deleted_reason()

    assert RefundReason.objects.update(label="live") == 1
    assert RefundReason.deleted_objects.update(description="deleted") == 1
    assert RefundReason.all_objects.update(code="all") == 2
    assert RefundReason.all_objects.filter(pk=deleted.pk).update(metadata={"a": 1}) == 1
    assert RefundReason.objects.filter(pk=deleted.pk).update(code="missed") == 0

    assert [(r.label, r.description, r.code) for r in (reloaded(live), reloaded(deleted))] == [
        ("live", None, "all"),
        ("Broken", "deleted", "all"),
    ]
    assert reloaded(deleted).metadata == {"a": 1}


def test_bulk_update_reaches_deleted_rows() -> None:
    rows = [_reason(), _deleted_reason()]
    for row in rows:
        row.label = "changed"

    assert RefundReason.all_objects.bulk_update(rows, ["label"]) == 2

    assert [reloaded(row).label for row in rows] == ["changed", "changed"]


def test_soft_deletion_writes_no_other_column() -> None:
    """A stale instance would write back what another process has changed meanwhile."""
    stale = _reason()
    RefundReason.objects.filter(pk=stale.pk).update(label="changed elsewhere")

    with CaptureQueriesContext(connection) as queries:
        stale.delete()

    assert reloaded(stale).label == "changed elsewhere"
    assert reloaded(stale).deleted is not None
    updates = [each["sql"] for each in queries.captured_queries if "UPDATE" in each["sql"]]
    assert len(updates) == 1
    assert "label" not in updates[0]


@pytest.mark.parametrize("manager", ["objects", "all_objects", "deleted_objects"])
def test_a_second_deletion_keeps_the_first_time_stamp(manager: str) -> None:
    reason = _deleted_reason()
    stale = RefundReason(id=reason.pk, label="?", code="?")
    stale._state.adding = False

    reason.delete()
    stale.delete()
    getattr(RefundReason, manager).filter(pk=reason.pk).delete()

    assert reloaded(reason).deleted == LONG_AGO


def test_update_or_create_does_not_revive() -> None:
    deleted = AccountHolder.objects.create(
        provider_id="pp", external_id="cus_1", live_external_id="cus_1"
    )
    AccountHolder.objects.update(deleted=LONG_AGO, live_external_id=None)

    made, is_new = AccountHolder.objects.update_or_create(
        provider_id="pp", external_id="cus_1", defaults={"live_external_id": "cus_1"}
    )

    assert is_new
    assert made.pk != deleted.pk
    assert reloaded(deleted).deleted is not None


def test_update_or_create_by_primary_key_does_not_revive() -> None:
    deleted = _deleted_reason()

    with pytest.raises(Exception, match=r"(?i)unique|duplicate"):
        RefundReason.objects.update_or_create(pk=deleted.pk, defaults={"label": "x", "code": "y"})

    assert reloaded(deleted).deleted == LONG_AGO


def test_force_policy_is_refused_on_instances_and_querysets() -> None:
    reason = _reason()

    querysets = (RefundReason.objects.all(), RefundReason.all_objects.all())
    for delete in (reason.delete, *(each.delete for each in querysets)):
        with pytest.raises(ImmutableRecord):
            delete(force_policy=HARD_DELETE)

    assert reloaded(reason).deleted is None


def test_nothing_is_undeleted() -> None:
    reason = _deleted_reason()

    for undelete in (reason.undelete, RefundReason.deleted_objects.all().undelete):
        with pytest.raises(ImmutableRecord):
            undelete()

    assert reloaded(reason).deleted == LONG_AGO


def test_rows_are_never_deleted_raw() -> None:
    _reason()

    for manager in (RefundReason.objects, RefundReason.all_objects, RefundReason.deleted_objects):
        with pytest.raises(ImmutableRecord):
            manager.all()._raw_delete("default")

    assert RefundReason.objects.count() == 1


def test_sums_count_what_they_say_of_deleted_children() -> None:
    """Joins and aggregates know nothing of soft deletion; totals ask for it."""
    collection = _collection()
    _session(collection, status="authorized")
    _deleted_session(collection, status="authorized")
    joined = PaymentCollection.objects.aggregate(sum=Sum("payment_sessions__amount_minor"))["sum"]

    assert joined == 2000  # the trap
    assert totals.counted(collection).authorized_minor == 1000
    assert totals.set_aside(collection).authorized_minor == 1000
    assert collection.payment_sessions.count() == 1


def test_payments_under_deleted_sessions_stay_visible() -> None:
    collection = _collection()
    session = _deleted_session(collection)
    payment = Payment.objects.create(
        payment_collection=collection,
        payment_session=session,
        provider_id="pp",
        currency_code="eur",
        amount_minor=1000,
    )

    found = Payment.objects.get(pk=payment.pk)

    assert found.payment_session == session
    assert Payment.objects.select_related("payment_session").get().payment_session == session


def test_a_deleted_reason_is_still_named_by_its_refunds() -> None:
    field = Refund._meta.get_field("refund_reason")
    reason = _deleted_reason()

    assert Refund(refund_reason_id=reason.pk).refund_reason == reason
    assert field.remote_field.related_name == "+"


class _HolderSerializer(serializers.Serializer[AccountHolder]):
    external_id = serializers.CharField(
        validators=[UniqueValidator(AccountHolder.all_objects, lookup="exact")]
    )


def test_unique_checks_that_must_see_deleted_rows_do() -> None:
    AccountHolder.objects.create(provider_id="pp", external_id="cus_1", deleted=LONG_AGO)

    assert not _HolderSerializer(data={"external_id": "cus_1"}).is_valid()


def test_the_columns_that_are_unique_while_live_are_unique_in_the_table_itself() -> None:
    """Validators that see no deleted rows cannot contradict the table: there they are null."""
    collection = create_payment_collection(
        amount=Decimal(1),
        currency_code="eur",
        cart_reference="cart_1",
    )
    delete_payment_collection(collection)

    again = create_payment_collection(
        amount=Decimal(1),
        currency_code="eur",
        cart_reference="cart_1",
    )

    assert again.pk != collection.pk
    assert reloaded(collection).live_cart_reference is None
    assert reloaded(collection).cart_reference == "cart_1"


def test_every_soft_deletable_model_of_ours_has_the_guards() -> None:
    ours = apps.get_app_config("medusa_payments").get_models()
    soft = [model for model in ours if issubclass(model, SafeDeleteModel)]

    assert len(soft) == 4
    for model in soft:
        assert issubclass(model, SoftDeletableRecord)
        assert model._safedelete_policy == SOFT_DELETE
        for name in ("objects", "all_objects", "deleted_objects"):
            assert isinstance(getattr(model, name), LiveManager)
            assert isinstance(getattr(model, name).all(), SoftDeletableQuerySet)


def test_the_count_of_a_deletion_is_true() -> None:
    _reason()
    _deleted_reason()

    assert RefundReason.all_objects.all().delete()[0] == 1
    assert RefundReason.objects.count() == 0
    assert RefundReason.all_objects.count() == 2
