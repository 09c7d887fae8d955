"""What docs/moving-from-medusa.md names exists, and nothing that a shop may call is left out."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import pytest
from django.core.management import get_commands
from django.urls import Resolver404, resolve

from medusa_payments import operations, signals
from medusa_payments.models import Discrepancy, Payment, PaymentSession, WebhookEvent
from medusa_payments.operations.actors import SYSTEM
from medusa_payments.operations.webhooks import receive_webhook
from medusa_payments.providers.stripe.options import StripeOptions
from medusa_payments.settings import Settings
from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.conftest import WEBHOOK_SECRET
from tests.docs.pages import ROOT, prose_of, quoted_in, rows_of, text_of

PAGE = "docs/moving-from-medusa.md"
STRIPE = "pp_stripe_stripe"

_CALL = re.compile(r"(\w+\.\w+)\((.*)\)")
_ROUTE = re.compile(r"(GET|POST|DELETE) (/[\w:/-]+)")
_SETTING = re.compile(r"[A-Z][A-Z_]+[A-Z]")
_COMMAND = re.compile(r"manage\.py (\w+)")
_SDK_CALL = re.compile(r'check\("((?:store|admin)\.\w+(?:\.\w+)?)')
_OF_DJANGO = {"check"}


# Functions


def functions_in_the_page() -> dict[str, str]:
    """Name below operations -> its arguments, as the page writes them."""
    cells = [row[2] for row in rows_of(PAGE, "## Every operation in Python")]
    calls = [_CALL.fullmatch(name) for cell in cells for name in quoted_in(cell)]
    return {call[1]: call[2] for call in calls if call}


def functions_of_a_shop() -> Iterator[str]:
    """Functions that ask who acts, and take the shop's own code for an answer."""
    for module in iter_modules(operations.__path__):
        found = import_module(f"{operations.__name__}.{module.name}")
        for name, function in inspect.getmembers(found, inspect.isfunction):
            actor = inspect.signature(function).parameters.get("actor")
            is_own = function.__module__ == found.__name__ and not name.startswith("_")
            if is_own and actor is not None and actor.default is SYSTEM:
                yield f"{module.name}.{name}"


@pytest.mark.parametrize(("name", "arguments"), functions_in_the_page().items())
def test_a_function_exists_and_takes_these_arguments(name: str, arguments: str) -> None:
    module, _, function = name.partition(".")
    signature = inspect.signature(
        getattr(import_module(f"{operations.__name__}.{module}"), function)
    )
    written = [each.strip() for each in arguments.split(",") if each]
    positional = [each for each in written if not each.endswith("=")]

    named = [each.removesuffix("=") for each in written if each.endswith("=")]
    signature.bind_partial(*positional, **dict.fromkeys(named))  # asserts by not raising

    assert positional == list(signature.parameters)[: len(positional)]


def test_no_function_of_a_shop_is_left_out() -> None:
    assert set(functions_of_a_shop()) - set(functions_in_the_page()) == set()


# Routes and calls of the SDK


def routes_in_the_page() -> list[tuple[str, str]]:
    return sorted({(route[1], route[2]) for route in _ROUTE.finditer(prose_of(PAGE))})


@pytest.mark.parametrize(("method", "path"), routes_in_the_page())
def test_a_route_exists(method: str, path: str) -> None:
    try:
        view: Any = resolve("/api" + re.sub(r":\w+", "id", path))
    except Resolver404:
        pytest.fail("no such route")

    assert view.url_name
    assert hasattr(view.func.cls, method.lower())


def test_every_call_of_the_sdk_that_is_tested_is_told() -> None:
    scripts = (ROOT / "tests" / "js_sdk").glob("*.mjs")
    tested = {call for path in scripts for call in _SDK_CALL.findall(path.read_text("utf-8"))}
    told = text_of(PAGE)

    assert len(tested) > 10
    assert {call for call in tested if f"`{call}`" not in told and f"`{call}." not in told} == set()


# Settings, commands, signals


def test_settings_and_options_exist() -> None:
    known = {
        *Settings.__dataclass_fields__,
        *(n.upper() for n in StripeOptions.__dataclass_fields__),
    }
    named = [name for name in quoted_in(prose_of(PAGE)) if _SETTING.fullmatch(name)]

    assert len(named) > 10
    assert [name for name in named if name not in known] == []


def test_commands_exist() -> None:
    commands = {name for name, app in get_commands().items() if app == "medusa_payments"}
    named = set(_COMMAND.findall(text_of(PAGE)))

    assert named
    assert named - commands - _OF_DJANGO == set()


def test_every_signal_is_mapped() -> None:
    named = [name for row in rows_of(PAGE, "### Events") for name in quoted_in(row[1])]

    assert sorted(named) == sorted([*signals.FOR_THE_SHOP, "webhook_event_stored"])


# Both at one Stripe account


@pytest.mark.django_db(transaction=True)
def test_medusas_events_touch_nothing_and_open_one_ghost_for_each_session(
    stripe_settings: Any, simulator: StripeSimulator
) -> None:
    simulator.hold()
    intent = simulator.foreign_intent(metadata={"session_id": "payses_01MEDUSA"})
    simulator.dashboard_refund(intent["id"])
    events = simulator.events()

    for event in events:
        receive_webhook(STRIPE, *simulator.signed(event["id"], secret=WEBHOOK_SECRET))

    states = set(WebhookEvent.objects.values_list("state", flat=True))
    assert len(events) > 2
    assert states == {"quarantined"}
    assert [(found.kind, found.state) for found in Discrepancy.objects.all()] == [("ghost", "open")]
    assert not PaymentSession.all_objects.exists()
    assert not Payment.objects.exists()
    assert simulator.requests("payment_intents.retrieve") == []
