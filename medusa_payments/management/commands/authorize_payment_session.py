from typing import Any

from django.core.management.base import CommandParser

from medusa_payments.errors import PaymentProviderUnavailable
from medusa_payments.management.acts import ActCommand, Done
from medusa_payments.management.descriptions import describe_payment, describe_session
from medusa_payments.management.records import session_named
from medusa_payments.operations.actors import Actor
from medusa_payments.operations.authorizations import authorize_payment_session


class Command(ActCommand):
    help = "Ask the provider whether a session is paid, and record the payment that it became."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("session", help="id of the payment session")

    def act(self, actor: Actor, options: dict[str, Any]) -> Done:
        session = session_named(options["session"])
        try:
            payment = authorize_payment_session(session, actor=actor)
        except PaymentProviderUnavailable:
            return Done(describe_session(session), f"No answer about session {session.pk}.")
        if payment is not None:
            return Done(describe_payment(payment))
        return Done(
            describe_session(session), f"The provider is still working on session {session.pk}."
        )
