from typing import Any

from django.core.management.base import CommandParser

from medusa_payments.management.acts import ActCommand, Done
from medusa_payments.management.decisions import describe_stop
from medusa_payments.operations.actors import Actor
from medusa_payments.operations.automation import resume_automation


class Command(ActCommand):
    help = "Lift the kill switch; what waited for it is due at once."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--provider", default="", help="the stop of this one; default: the stop of all"
        )

    def act(self, actor: Actor, options: dict[str, Any]) -> Done:
        return Done(describe_stop(resume_automation(actor=actor, provider_id=options["provider"])))
