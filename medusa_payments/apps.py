from django.apps import AppConfig, apps


class MedusaPaymentsConfig(AppConfig):
    name = "medusa_payments"
    verbose_name = "Payments"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connect receivers; makes no query and asks no provider."""
        from medusa_payments import checks  # noqa: F401
        from medusa_payments.integrations import watchers
        from medusa_payments.integrations.workers import hand_over_stored_event
        from medusa_payments.operations.webhooks import apply_stored_event
        from medusa_payments.signals import webhook_event_stored

        webhook_event_stored.connect(
            apply_stored_event, dispatch_uid="medusa_payments.apply_stored_event"
        )
        webhook_event_stored.connect(
            hand_over_stored_event, dispatch_uid="medusa_payments.hand_over_stored_event"
        )
        watchers.connect()
        if apps.is_installed("djstripe"):
            from medusa_payments.integrations import djstripe

            djstripe.connect()
