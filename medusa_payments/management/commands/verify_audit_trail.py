from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError, CommandParser

from medusa_payments.management.acts import REFUSED, PaymentsCommand
from medusa_payments.management.printing import as_json
from medusa_payments.management.records import collection_named
from medusa_payments.management.trails import Verification, breaks_in, every_chain
from medusa_payments.operations.audit import Break, Chain


class Command(PaymentsCommand):
    help = (
        "Verify the audit trails; exit status 1 when one is broken. Writes nothing but when and"
        " with what result all of them were verified, for payments_health."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--collection", default="", help="only the trail of this collection")

    def run(self, options: dict[str, Any]) -> None:
        verification = None if options["collection"] else Verification()
        verified = entries = 0
        found: list[Break] = []
        for chain in _chosen(options["collection"]):
            verified += 1
            entries += chain.audit_length
            for each in breaks_in(chain):
                found.append(each)
                self.stderr.write(f"{each.chain_id} entry {each.number}: {each.detail}")
        if options["json"]:
            self.stdout.write(
                as_json(
                    {
                        "valid": not found,
                        "collections": verified,
                        "entries": entries,
                        "breaks": [asdict(each) for each in found],
                    }
                )
            )
        else:
            self.stdout.write(f"{verified} trails with {entries} entries, {len(found)} breaks.")
        if verification:
            verification.ended(trails=verified, entries=entries, breaks=len(found))
        if found:
            raise CommandError("The audit trail is broken.", returncode=REFUSED)


def _chosen(collection_id: str) -> Iterator[Chain]:
    return iter([collection_named(collection_id)]) if collection_id else every_chain()
