from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from example_project.shop.carts import price_cart
from medusa_payments.errors import InvalidData


class Command(BaseCommand):
    help = "Make a cart of one article, or reprice one, and print its id."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--amount", required=True, help="in major units, such as 100.50")
        parser.add_argument("--currency", required=True, help="ISO 4217 code, such as eur")
        parser.add_argument("--id", default="", help="of the cart; an existing one is repriced")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            cart = price_cart(
                amount=Decimal(options["amount"]),
                currency_code=options["currency"],
                cart_id=options["id"],
            )
        except InvalidOperation as error:
            raise CommandError(f"{options['amount']} is not an amount.") from error
        except InvalidData as error:
            raise CommandError(error.message) from error
        self.stdout.write(cart.pk)
