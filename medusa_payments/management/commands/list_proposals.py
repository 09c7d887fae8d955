from typing import Any

from django.core.management.base import CommandParser

from medusa_payments.management.acts import PaymentsCommand
from medusa_payments.management.decisions import describe_proposal
from medusa_payments.management.printing import as_json, print_rows
from medusa_payments.models import Proposal
from medusa_payments.operations.database import database_alias
from medusa_payments.operations.proposal_records import UNDECIDED


class Command(PaymentsCommand):
    help = "Show what waits for people, oldest first."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--all", action="store_true", help="decided ones too")

    def run(self, options: dict[str, Any]) -> None:
        rows = Proposal.objects.using(database_alias()).order_by("pk")
        shown = rows if options["all"] else rows.filter(state__in=UNDECIDED)
        proposals = [describe_proposal(each) for each in shown]
        if options["json"]:
            self.stdout.write(as_json({"proposals": proposals}))
        else:
            print_rows(self.stdout, "Proposals", proposals)
