from typing import Any

from django.core.management.base import CommandParser

from medusa_payments.management.acts import ActCommand, Done
from medusa_payments.management.descriptions import describe_api_key
from medusa_payments.operations.actors import Actor
from medusa_payments.operations.api_keys import create_api_key
from medusa_payments.statuses import ApiKeyType


class Command(ActCommand):
    help = "Create an API key. Its token is the last line; a secret one is never shown again."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--type", required=True, choices=ApiKeyType.values)
        parser.add_argument("--title", required=True, help="what the key is for")

    def run(self, options: dict[str, Any]) -> None:
        super().run(options)
        if not options["json"]:
            self.stdout.write(self._token)

    def act(self, actor: Actor, options: dict[str, Any]) -> Done:
        key, self._token = create_api_key(
            key_type=ApiKeyType(options["type"]), title=options["title"], actor=actor
        )
        token = {"token": self._token} if options["json"] else {}
        return Done({**describe_api_key(key), **token})
