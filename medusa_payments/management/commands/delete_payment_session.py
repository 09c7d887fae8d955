from typing import Any

from django.core.management.base import CommandParser

from medusa_payments.management.acts import ActCommand, Done
from medusa_payments.management.descriptions import describe_session
from medusa_payments.management.records import session_named
from medusa_payments.operations.actors import Actor
from medusa_payments.operations.sessions import delete_payment_session


class Command(ActCommand):
    help = "Soft-delete a session and close what it holds at the provider."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("session", help="id of the payment session")

    def act(self, actor: Actor, options: dict[str, Any]) -> Done:
        session = delete_payment_session(session_named(options["session"]), actor=actor)
        return Done(
            describe_session(session),
            ""
            if session.resolution
            else f"Session {session.pk} is deleted; it may still be open at the provider.",
        )
