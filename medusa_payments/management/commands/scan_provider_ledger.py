from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser

from medusa_payments.errors import InvalidData
from medusa_payments.management.acts import NOT_KNOWN_YET, PaymentsCommand
from medusa_payments.management.ledger_printing import FORMATS, print_report, progress_bar
from medusa_payments.providers.registry import get_provider, provider_ids
from medusa_payments.reconciliation.ledger_report import LedgerReport
from medusa_payments.reconciliation.ledger_scan import OnProgress, observe_ledger, scan_ledger


class Command(PaymentsCommand):
    help = (
        "Hold all that the provider's account has against the records, and the reverse; exit status"
        " 3 when something differs or cannot be compared yet. Moves no money by itself. A scan that"
        " was cut short goes on when the same command is run again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--since",
            help="what was made from then on: a date or time, UTC unless it says otherwise;"
            " default: where the last finished scan ended",
        )
        parser.add_argument("--until", help="what was made before then; default: now")
        parser.add_argument(
            "--provider", help="default: the only account in the settings that can be listed"
        )
        writes = parser.add_mutually_exclusive_group()
        writes.add_argument(
            "--observe",
            action="store_true",
            help="write nothing into the database: no discrepancy, no progress",
        )
        writes.add_argument(
            "--import",
            dest="imports",
            action="store_true",
            help="record what was done at the provider without our hearing of it, and undo what"
            " nobody asked for, as reconciliation does",
        )
        parser.add_argument(
            "--restart", action="store_true", help="begin anew, also where a scan was cut short"
        )
        parser.add_argument("--format", choices=FORMATS, default="table")

    def run(self, options: dict[str, Any]) -> None:
        with progress_bar(self.stderr) as on_progress:
            report = self._report(options, on_progress)
        shape = "json" if options["json"] else options["format"]
        print_report(self.stdout, report, shape=shape)
        if not report.is_clean:
            raise CommandError(
                f"Not matched: {len(report.findings)} objects or records.",
                returncode=NOT_KNOWN_YET,
            )

    def _report(self, options: dict[str, Any], on_progress: OnProgress) -> LedgerReport:
        provider_id = options["provider"] or _only_provider()
        since, until = _moment(options["since"], "since"), _moment(options["until"], "until")
        if not options["observe"]:
            return scan_ledger(
                provider_id,
                since=since,
                until=until,
                restart=options["restart"],
                imports=options["imports"],
                on_progress=on_progress,
            )
        if since is None:
            raise InvalidData("--observe remembers nothing, so it needs --since.")
        return observe_ledger(provider_id, since=since, until=until, on_progress=on_progress)


def _moment(text: str | None, name: str) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidData(f"--{name} is no date or time: {text}") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _only_provider() -> str:
    """:raises InvalidData: there is none that can be listed, or there are several accounts."""
    listing = [get_provider(each) for each in provider_ids()]
    by_account = {each.credentials: each.id for each in reversed(listing) if _lists(each)}
    if len(by_account) == 1:
        return next(iter(by_account.values()))
    named = ", ".join(sorted(by_account.values())) or "none"
    raise InvalidData(f"Say which with --provider; those that can be listed: {named}.")


def _lists(provider: Any) -> bool:
    return bool(provider.supports("list_ledger"))
