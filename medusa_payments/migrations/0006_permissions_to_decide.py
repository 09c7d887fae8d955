from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("medusa_payments", "0005_ledger_scan"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="automationstop",
            options={"permissions": [("stop_automation", "Can stop and resume automatic acts")]},
        ),
        migrations.AlterModelOptions(
            name="discrepancy",
            options={
                "permissions": [("close_discrepancy", "Can close discrepancies")],
                "verbose_name_plural": "discrepancies",
            },
        ),
        migrations.AlterModelOptions(
            name="proposal",
            options={"permissions": [("approve_proposal", "Can approve and reject proposals")]},
        ),
        migrations.AlterModelOptions(
            name="providercall",
            options={
                "permissions": [("resolve_providercall", "Can resolve provider calls by hand")]
            },
        ),
    ]
