from typing import Any

from django.core.management.base import CommandParser

from medusa_payments.management.acts import ActCommand, Done
from medusa_payments.management.decisions import describe_discrepancy
from medusa_payments.management.records import discrepancy_named
from medusa_payments.operations.actors import Actor
from medusa_payments.operations.discrepancies import close_discrepancy


class Command(ActCommand):
    help = "Close a discrepancy by your decision; it moves no money."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("discrepancy", help="id of the discrepancy, discr_...")
        parser.add_argument("--reason", required=True, help="why; it is kept")

    def act(self, actor: Actor, options: dict[str, Any]) -> Done:
        closed = close_discrepancy(
            discrepancy_named(options["discrepancy"]), actor=actor, reason=options["reason"]
        )
        return Done(describe_discrepancy(closed))
