from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from medusa_payments.testing.stripe_simulator import StripeSimulator

CONFIRMED = '{"confirm": true, "off_session": true, "payment_method": "pm_card_visa"}'


@dataclass(frozen=True)
class Answer:
    status: int
    stdout: str
    message: str  # on stderr
    row: Any  # the object on the last line of stdout, with exact amounts


Command = Callable[..., Answer]


@pytest.fixture
def command(stripe_settings: Any, transactional_db: None) -> Command:
    """Run a command with ``--json`` in this process."""

    def run(*arguments: str) -> Answer:
        stdout, stderr = io.StringIO(), io.StringIO()
        status, message = 0, ""
        try:
            call_command(*arguments, "--json", stdout=stdout, stderr=stderr)
        except CommandError as error:
            status, message = error.returncode, str(error)
        last = stdout.getvalue().splitlines()[-1]
        row = json.loads(last, parse_float=Decimal)
        return Answer(status, stdout.getvalue(), stderr.getvalue() + message, row)

    return run


@pytest.fixture
def collection(command: Command) -> str:
    """Id of a collection of 100.50 euros."""
    return str(command("create_payment_collection", "100.50", "eur").row["id"])


@pytest.fixture
def session(command: Command, collection: str) -> Any:
    """A session that the buyer has not paid."""
    return command("create_payment_session", collection).row


@pytest.fixture
def held(command: Command, session: Any, simulator: StripeSimulator) -> str:
    """Id of a payment whose money is held."""
    simulator.pay(session["provider_reference"])
    return str(command("authorize_payment_session", session["id"]).row["id"])


@pytest.fixture
def taken(command: Command, held: str) -> str:
    """Id of a payment that was captured."""
    command("capture_payment", held)
    return held
