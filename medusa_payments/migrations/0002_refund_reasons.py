"""The refund reasons that Medusa begins with, once: who deletes one does not get it again."""

from __future__ import annotations

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from medusa_payments.ids import new_id

REASONS = {
    "shipping_issue": "Shipping Issue",
    "customer_care_adjustment": "Customer Care Adjustment",
    "pricing_error": "Pricing Error",
}


def seed(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Soft-deleted ones are there too."""
    model = apps.get_model("medusa_payments", "RefundReason")
    rows = model._base_manager.using(schema_editor.connection.alias)
    for code, label in REASONS.items():
        if not rows.filter(code=code).exists():
            rows.create(id=new_id("refr"), code=code, label=label)


class Migration(migrations.Migration):
    dependencies = [("medusa_payments", "0001_initial")]

    # Backwards nothing is deleted: refunds may name them.
    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
