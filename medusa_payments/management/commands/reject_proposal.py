from typing import Any

from django.core.management.base import CommandParser

from medusa_payments.management.acts import ActCommand, Done
from medusa_payments.management.decisions import describe_proposal
from medusa_payments.management.records import proposal_named
from medusa_payments.operations.actors import Actor
from medusa_payments.operations.proposals import reject_proposal


class Command(ActCommand):
    help = "Refuse a proposal: nothing is asked, and the money stays where it is."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("proposal", help="id of the proposal, prop_...")
        parser.add_argument("--reason", required=True, help="why; it is kept")

    def act(self, actor: Actor, options: dict[str, Any]) -> Done:
        proposal = reject_proposal(
            proposal_named(options["proposal"]), actor=actor, reason=options["reason"]
        )
        return Done(describe_proposal(proposal))
