from typing import Any

from django.core.management.base import CommandParser

from medusa_payments.management.acts import ActCommand, Done
from medusa_payments.management.descriptions import describe_session
from medusa_payments.management.records import collection_named, data_of
from medusa_payments.operations.actors import Actor
from medusa_payments.operations.enabled_providers import enabled_provider_ids
from medusa_payments.operations.sessions import create_payment_session


class Command(ActCommand):
    help = "Start a payment at a provider, in place of the collection's earlier session."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("collection", help="id of the payment collection")
        parser.add_argument("--provider", default="", help="default: the first that is enabled")
        parser.add_argument("--data", default="{}", help="JSON for the provider; it is trusted")

    def act(self, actor: Actor, options: dict[str, Any]) -> Done:
        session = create_payment_session(
            collection_named(options["collection"]),
            provider_id=options["provider"] or next(iter(enabled_provider_ids()), ""),
            data=data_of(options["data"]),
            actor=actor,
        )
        return Done(describe_session(session))
