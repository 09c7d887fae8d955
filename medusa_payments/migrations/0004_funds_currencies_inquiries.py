from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("medusa_payments", "0003_reconciliation_engine"),
    ]

    operations = [
        migrations.AddField(
            model_name="paymentsession",
            name="provider_currency_code",
            field=models.CharField(blank=True, default="", editable=False, max_length=3),
        ),
        migrations.AddField(
            model_name="paymentsession",
            name="funded_minor",
            field=models.BigIntegerField(default=0, editable=False),
        ),
        migrations.AlterField(
            model_name="dispute",
            name="status",
            field=models.CharField(
                choices=[
                    ("inquiry", "Inquiry"),
                    ("open", "Open"),
                    ("won", "Won"),
                    ("lost", "Lost"),
                ],
                default="open",
                max_length=16,
            ),
        ),
    ]
