from typing import Any

from django.core.management.base import CommandParser

from medusa_payments.management.acts import ActCommand, Done
from medusa_payments.management.descriptions import describe_payment
from medusa_payments.management.records import payment_named
from medusa_payments.operations.actors import Actor
from medusa_payments.operations.cancellations import cancel_payment


class Command(ActCommand):
    help = "Release held money before it is captured."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("payment", help="id of the payment")

    def act(self, actor: Actor, options: dict[str, Any]) -> Done:
        payment = cancel_payment(payment_named(options["payment"]), actor=actor)
        return Done(
            describe_payment(payment),
            ""
            if payment.is_canceled
            else f"Whether payment {payment.pk} was canceled is not known yet.",
        )
