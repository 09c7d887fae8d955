from typing import Any

from django.core.management.base import CommandParser

from medusa_payments.management.acts import PaymentsCommand
from medusa_payments.management.descriptions import describe
from medusa_payments.management.printing import Described, as_json, print_fields, print_rows
from medusa_payments.management.records import collection_named


class Command(PaymentsCommand):
    help = "Show a payment collection and everything below it, soft-deleted rows included."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("collection", help="id of the payment collection")

    def run(self, options: dict[str, Any]) -> None:
        described = describe(collection_named(options["collection"]))
        if options["json"]:
            self.stdout.write(as_json(described))
        else:
            self._print(described)

    def _print(self, described: Described) -> None:
        payments = described["payments"]
        calls = [{**call, "attempts": len(call["attempts"])} for call in described["calls"]]
        print_fields(self.stdout, "Payment collection", described["collection"])
        print_rows(self.stdout, "Sessions", described["sessions"])
        print_rows(self.stdout, "Payments", [_without_movements(each) for each in payments])
        for kind in ("captures", "refunds"):
            rows = [{**row, "payment": each["id"]} for each in payments for row in each[kind]]
            print_rows(self.stdout, kind.title(), rows)
        print_rows(self.stdout, "Provider calls", calls)
        print_rows(self.stdout, "Events", described["events"])
        print_rows(self.stdout, "Discrepancies", described["discrepancies"])
        print_fields(self.stdout, "Audit trail", described["audit"])


def _without_movements(payment: Described) -> Described:
    return {name: payment[name] for name in payment if name not in ("captures", "refunds")}
