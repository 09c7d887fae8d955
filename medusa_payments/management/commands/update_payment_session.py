from typing import Any

from django.core.management.base import CommandParser

from medusa_payments.management.acts import ActCommand, Done
from medusa_payments.management.descriptions import describe_session
from medusa_payments.management.records import amount_of, session_named
from medusa_payments.operations.actors import Actor
from medusa_payments.operations.session_updates import update_payment_session


class Command(ActCommand):
    help = "Change what a payment session that nobody has paid asks for."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("session", help="id of the payment session")
        parser.add_argument("--amount", required=True, help="major units, such as 100.50")

    def act(self, actor: Actor, options: dict[str, Any]) -> Done:
        session = session_named(options["session"])
        return Done(
            describe_session(
                update_payment_session(session, amount=amount_of(options["amount"]), actor=actor)
            )
        )
