from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError, CommandParser

from medusa_payments.management.acts import NOT_KNOWN_YET, PaymentsCommand
from medusa_payments.management.forecast import forecast
from medusa_payments.management.printing import as_json, print_rows
from medusa_payments.reconciliation.sweep import reconcile_all, reconcile_due


class Command(PaymentsCommand):
    help = "Find out what became of everything unfinished; exit status 3 when something still is."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--due", action="store_true", help="what the schedule says (default)")
        which.add_argument(
            "--all", action="store_true", help="everything, until nothing more can be learned now"
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="ask and change nothing; say what would be asked"
        )

    def run(self, options: dict[str, Any]) -> None:
        everything = options["all"]
        if options["dry_run"]:
            report = forecast(everything=everything)
        else:
            report = asdict(reconcile_all() if everything else reconcile_due())
        if options["json"]:
            self.stdout.write(as_json(report))
        else:
            self._print(report)
        if report["unresolved"]:
            raise CommandError(
                f"Not resolved yet: {report['unresolved']} calls.", returncode=NOT_KNOWN_YET
            )

    def _print(self, report: dict[str, Any]) -> None:
        print_rows(self.stdout, "Provider calls", report["calls"])
        figures = [f"{name} {count}" for name, count in report.items() if type(count) is int]
        self.stdout.write(", ".join(figures))
