from typing import Any

from django.core.management.base import CommandParser

from medusa_payments.management.acts import ActCommand, Done
from medusa_payments.management.descriptions import describe_api_key
from medusa_payments.management.records import api_key_named
from medusa_payments.operations.actors import Actor
from medusa_payments.operations.api_keys import revoke_api_key


class Command(ActCommand):
    help = "Revoke an API key for ever. Keys of the settings are removed there."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("key", help="id of the key, apk_...")

    def act(self, actor: Actor, options: dict[str, Any]) -> Done:
        return Done(describe_api_key(revoke_api_key(api_key_named(options["key"]), actor=actor)))
