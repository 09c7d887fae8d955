"""The refund reasons that a new shop begins with (CONTRACT 3.4)."""

from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection

from medusa_payments.models import RefundReason

MIGRATION = import_module("medusa_payments.migrations.0002_refund_reasons")
SEEDED = {
    ("Shipping Issue", "shipping_issue"),
    ("Customer Care Adjustment", "customer_care_adjustment"),
    ("Pricing Error", "pricing_error"),
}

pytestmark = pytest.mark.django_db


def seed() -> None:
    MIGRATION.seed(apps, SimpleNamespace(connection=connection))


def test_a_new_shop_has_medusas_three_reasons_once() -> None:
    seed()
    seed()

    reasons = RefundReason.objects.all()
    assert sorted(reasons.values_list("label", "code")) == sorted(SEEDED)
    assert all(reason.pk.startswith("refr_") for reason in reasons)


def test_a_reason_that_the_shop_deleted_does_not_come_back() -> None:
    seed()
    RefundReason.objects.get(code="pricing_error").delete()

    seed()

    assert RefundReason.objects.count() == 2
