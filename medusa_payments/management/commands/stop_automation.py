from typing import Any

from django.core.management.base import CommandParser

from medusa_payments.management.acts import ActCommand, Done
from medusa_payments.management.decisions import describe_stop
from medusa_payments.operations.actors import Actor
from medusa_payments.operations.automation import stop_automation


class Command(ActCommand):
    help = "The kill switch: undo nothing and send nothing again by itself until it is lifted."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--reason", required=True, help="why; it is kept")
        parser.add_argument("--provider", default="", help="at this one only; default: at all")

    def act(self, actor: Actor, options: dict[str, Any]) -> Done:
        stop = stop_automation(
            reason=options["reason"], actor=actor, provider_id=options["provider"]
        )
        return Done(describe_stop(stop))
