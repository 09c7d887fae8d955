from typing import Any

from django.core.management.base import CommandParser

from medusa_payments.management.acts import ActCommand, Done
from medusa_payments.management.decisions import describe_proposal
from medusa_payments.management.records import proposal_named
from medusa_payments.operations.actors import Actor
from medusa_payments.operations.proposals import approve_proposal
from medusa_payments.statuses import ProposalState


class Command(ActCommand):
    help = "Agree to a proposal; with the last word that it needs it is carried out."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("proposal", help="id of the proposal, prop_...")
        parser.add_argument("--reason", required=True, help="why; it is kept")

    def act(self, actor: Actor, options: dict[str, Any]) -> Done:
        proposal = approve_proposal(
            proposal_named(options["proposal"]), actor=actor, reason=options["reason"]
        )
        return Done(
            describe_proposal(proposal),
            f"What proposal {proposal.pk} asks for is not done yet."
            if proposal.state == ProposalState.APPROVED
            else "",
        )
