from typing import Any

from django.core.management.base import CommandParser

from medusa_payments.management.acts import ActCommand, Done
from medusa_payments.management.descriptions import describe_refund
from medusa_payments.management.records import amount_of, payment_named, reason_named
from medusa_payments.operations.actors import Actor
from medusa_payments.operations.refunds import refund_payment
from medusa_payments.statuses import UNRESOLVED_MOVEMENTS


class Command(ActCommand):
    help = "Give captured money back to the customer, whole or in part."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("payment", help="id of the payment")
        parser.add_argument("--amount", help="in major units; default: the payment's whole amount")
        parser.add_argument("--reason", default="", help="id or code of a refund reason")
        parser.add_argument("--note")
        parser.add_argument("--request-key", default="", help="the same key is the same act")

    def act(self, actor: Actor, options: dict[str, Any]) -> Done:
        refund = refund_payment(
            payment_named(options["payment"]),
            amount=amount_of(options["amount"]),
            reason=reason_named(options["reason"]),
            note=options["note"],
            request_key=options["request_key"],
            actor=actor,
        )
        is_open = refund.status in UNRESOLVED_MOVEMENTS
        return Done(
            describe_refund(refund),
            f"Whether refund {refund.pk} gave money back is not known yet." if is_open else "",
        )
