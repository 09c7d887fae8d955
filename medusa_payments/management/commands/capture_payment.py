from typing import Any

from django.core.management.base import CommandParser

from medusa_payments.management.acts import ActCommand, Done
from medusa_payments.management.descriptions import describe_capture, describe_payment
from medusa_payments.management.records import amount_of, payment_named
from medusa_payments.operations.actors import Actor
from medusa_payments.operations.captures import capture_payment
from medusa_payments.statuses import UNRESOLVED_MOVEMENTS


class Command(ActCommand):
    help = "Take held money, whole or in part."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("payment", help="id of the payment")
        parser.add_argument("--amount", help="in major units; default: the payment's whole amount")
        parser.add_argument("--request-key", default="", help="the same key is the same act")

    def act(self, actor: Actor, options: dict[str, Any]) -> Done:
        payment = payment_named(options["payment"])
        capture = capture_payment(
            payment,
            amount=amount_of(options["amount"]),
            request_key=options["request_key"],
            actor=actor,
        )
        if capture is None:  # it was fully captured before
            return Done(describe_payment(payment))
        is_open = capture.status in UNRESOLVED_MOVEMENTS
        return Done(
            describe_capture(capture),
            f"Whether capture {capture.pk} took the money is not known yet." if is_open else "",
        )
