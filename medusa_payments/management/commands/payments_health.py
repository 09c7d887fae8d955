from typing import Any

from django.core.management.base import CommandError
from django.db import DatabaseError

from medusa_payments.management.acts import NOT_KNOWN_YET, REFUSED, PaymentsCommand
from medusa_payments.management.printing import as_json, print_fields, print_rows
from medusa_payments.reconciliation.health import HealthStatus, current_health

_EXIT = {HealthStatus.FAILING: REFUSED, HealthStatus.DEGRADED: NOT_KNOWN_YET}


class Command(PaymentsCommand):
    help = (
        "Tell how payments stand; exit status 0 when all is well, 1 when somebody must look now or"
        " nothing could be found out, 3 when somebody should look. Asks no provider."
    )

    def run(self, options: dict[str, Any]) -> None:
        try:
            health = current_health()
        except DatabaseError as error:
            raise CommandError(f"The database failed: {error}", returncode=REFUSED) from error
        shown = health.as_dict()
        if options["json"]:
            self.stdout.write(as_json(shown))
        else:
            self._print(shown)
        if status := _EXIT.get(health.status):
            told = " ".join(each.message for each in health.problems)
            raise CommandError(f"{health.status.capitalize()}. {told}", returncode=status)

    def _print(self, shown: dict[str, Any]) -> None:
        money = [{"currency": code, **row} for code, row in shown.pop("money_at_risk").items()]
        lists = {
            "Problems": shown.pop("problems"),
            "Money at risk": money,
            "Providers": shown.pop("providers"),
            "Automation stopped": shown.pop("automation_stops"),
        }
        figures = {name: row for name, row in shown.items() if isinstance(row, dict)}
        for title, rows in lists.items():
            print_rows(self.stdout, title, rows)
        for name, row in figures.items():
            print_fields(self.stdout, name.replace("_", " ").capitalize(), row)
        self.stdout.write(f"Payments are {shown['status']}, at {shown['checked_at']}.")
