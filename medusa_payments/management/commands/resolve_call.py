from typing import Any

from django.core.management.base import CommandParser

from medusa_payments.management.acts import ActCommand, Done
from medusa_payments.management.decisions import describe_proposal
from medusa_payments.management.records import call_named
from medusa_payments.operations.actors import Actor
from medusa_payments.operations.verdicts import give_verdict
from medusa_payments.statuses import ProposalState, Verdict


class Command(ActCommand):
    help = "Say what became of a call of unknown outcome; later proof overrides it."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("call", help="id of the provider call, pcall_...")
        verdict = parser.add_mutually_exclusive_group(required=True)
        for value in Verdict:
            flag = f"--{value.replace('_', '-')}"
            verdict.add_argument(flag, dest="verdict", action="store_const", const=value)
        parser.add_argument("--reason", required=True, help="why it cannot wait; it is kept")
        parser.add_argument("--proof", required=True, help="what you rest it on; it is kept")

    def act(self, actor: Actor, options: dict[str, Any]) -> Done:
        proposal = give_verdict(
            call_named(options["call"]),
            verdict=options["verdict"],
            actor=actor,
            reason=options["reason"],
            proof=options["proof"],
        )
        return Done(
            describe_proposal(proposal),
            f"Proposal {proposal.pk} waits for another person."
            if proposal.state == ProposalState.OPEN
            else "",
        )
