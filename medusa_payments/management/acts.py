"""What all commands share: a message and an exit status that a program can rely on."""

from __future__ import annotations

import getpass
from dataclasses import dataclass
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from medusa_payments.errors import MedusaPaymentsError, PaymentIndeterminate
from medusa_payments.management.descriptions import describe_session
from medusa_payments.management.printing import Described, as_json, print_fields
from medusa_payments.management.records import session_named
from medusa_payments.operations.actors import Actor
from medusa_payments.statuses import Door

REFUSED = 1
NOT_KNOWN_YET = 3


class PaymentsCommand(BaseCommand):
    """Exit status 0: done; 1: refused or failed; 3: the outcome is not known yet."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--json", action="store_true", help="print one JSON object as the last line"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.run(options)
        except MedusaPaymentsError as error:
            if options["json"]:
                self.stdout.write(as_json({"code": error.code, **vars(error)}))
            raise CommandError(error.message, returncode=REFUSED) from error

    def run(self, options: dict[str, Any]) -> None:
        raise NotImplementedError


@dataclass(frozen=True)
class Done:
    """The row that an act made, and in ``not_known`` what is not known of it yet."""

    row: Described
    not_known: str = ""


class ActCommand(PaymentsCommand):
    """Does one thing to a payment and shows the row that it made."""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--actor", default="", help="who acts, for the audit trail; default: your user name"
        )

    def run(self, options: dict[str, Any]) -> None:
        done = self._do(options)
        if options["json"]:
            self.stdout.write(as_json(done.row))
        else:
            print_fields(self.stdout, str(done.row["id"]), done.row)
        if done.not_known:
            raise CommandError(
                f"{done.not_known} reconcile_payments finds out.", returncode=NOT_KNOWN_YET
            )

    def _do(self, options: dict[str, Any]) -> Done:
        actor = Actor(options["actor"] or _user_name(), Door.COMMAND)
        try:
            return self.act(actor, options)
        except PaymentIndeterminate as error:
            session = session_named(error.session_id)
            return Done(describe_session(session), f"Session {session.pk}: {error.message}")
        except DatabaseError as error:
            # The provider may have been asked already.
            raise CommandError(
                f"The database failed, so the outcome is not known: {error}",
                returncode=NOT_KNOWN_YET,
            ) from error

    def act(self, actor: Actor, options: dict[str, Any]) -> Done:
        raise NotImplementedError


def _user_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "command"
