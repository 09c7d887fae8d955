"""Django's ``migrate``, which also makes the tables of dj-stripe, whose migrations are left out.

docs/decisions/0003-dj-stripe-without-its-migrations.md tells why.
"""

from typing import Any

from django.core.management.commands import migrate


class Command(migrate.Command):
    _postponed: tuple[Any, Any] | None = None

    def handle(self, *args: Any, **options: Any) -> None:
        options["run_syncdb"] = options["run_syncdb"] or not options["app_label"]
        super().handle(*args, **options)
        if self._postponed is not None:
            super().sync_apps(*self._postponed)

    def sync_apps(self, connection: Any, app_labels: Any) -> None:
        """Django syncs first, but dj-stripe's tables refer to the users' table."""
        self._postponed = (connection, app_labels)
