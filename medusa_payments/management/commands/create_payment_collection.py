from typing import Any

from django.core.management.base import CommandParser

from medusa_payments.errors import InvalidAmount
from medusa_payments.management.acts import ActCommand, Done
from medusa_payments.management.descriptions import describe_collection
from medusa_payments.management.records import amount_of
from medusa_payments.operations.actors import Actor
from medusa_payments.operations.collections import create_payment_collection


class Command(ActCommand):
    help = "Create the payment collection of a cart or an order."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("amount", help="in major units, such as 100.50")
        parser.add_argument("currency", help="ISO 4217 code, such as eur")
        parser.add_argument("--cart", default="", help="a cart has one: a second time reprices it")
        parser.add_argument("--order", default="")

    def act(self, actor: Actor, options: dict[str, Any]) -> Done:
        amount = amount_of(options["amount"])
        if amount is None:
            raise InvalidAmount
        collection = create_payment_collection(
            amount=amount,
            currency_code=options["currency"],
            cart_reference=options["cart"],
            order_reference=options["order"],
            actor=actor,
        )
        return Done(describe_collection(collection))
