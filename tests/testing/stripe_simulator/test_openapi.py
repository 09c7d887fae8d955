"""What the simulator answers and accepts, against Stripe's OpenAPI description if at hand."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import stripe

from medusa_payments.testing.stripe_simulator.accepted import ACCEPTED
from medusa_payments.testing.stripe_simulator.routes import OPERATIONS

CHECKOUT = Path(__file__).resolve().parents[3]
SPEC_PATH = Path(
    os.environ.get("STRIPE_OPENAPI_SPEC", CHECKOUT.parent / "shared/stripe/spec3.json")
)

pytestmark = pytest.mark.skipif(
    not SPEC_PATH.exists(),
    reason=f"Stripe's OpenAPI description is not at {SPEC_PATH}; name it in STRIPE_OPENAPI_SPEC",
)


@cache
def spec() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(SPEC_PATH.read_text(encoding="utf-8"))
    return loaded


def schema_of(kind: str) -> dict[str, Any]:
    found: dict[str, Any] = spec()["components"]["schemas"][kind]
    return found


def wrongs(value: Any, schema: dict[str, Any], path: str) -> list[str]:
    """Where a value is not as described: an invented key, a missing one, a wrong type."""
    if "$ref" in schema:
        return wrongs(value, schema_of(schema["$ref"].rpartition("/")[2]), path)
    if value is None:
        return [] if schema.get("nullable") else [f"{path} may not be null"]
    if "anyOf" in schema:
        tries = [wrongs(value, choice, path) for choice in schema["anyOf"]]
        return min(tries, key=len)
    if isinstance(value, dict):
        return wrongs_of_object(value, schema, path)
    if isinstance(value, list):
        items = schema.get("items", {})
        return [wrong for item in value for wrong in wrongs(item, items, f"{path}[]")]
    return wrongs_of_leaf(value, schema, path)


def wrongs_of_object(value: dict[str, Any], schema: dict[str, Any], path: str) -> list[str]:
    if schema.get("type") == "string":
        return [f"{path} is an object and should be a string"]
    properties = schema.get("properties", {})
    if schema.get("additionalProperties") or not properties:
        return []
    invented = [f"{path}.{name} is invented" for name in value if name not in properties]
    missing = [
        f"{path}.{name} is missing" for name in schema.get("required", []) if name not in value
    ]
    inner = [
        wrong
        for name, item in value.items()
        if name in properties
        for wrong in wrongs(item, properties[name], f"{path}.{name}")
    ]
    return invented + missing + inner


def wrongs_of_leaf(value: Any, schema: dict[str, Any], path: str) -> list[str]:
    types: dict[str, Any] = {"string": str, "integer": int, "boolean": bool, "number": (int, float)}
    wanted = types.get(schema.get("type", ""))
    if schema.get("type") in ("object", "array") or (wanted and not isinstance(value, wanted)):
        return [f"{path} is {value!r} and should be {schema['type']}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{path} is {value!r}, which is not in the enum"]
    return []


@pytest.fixture
def story(client: Any, simulator: Any, make_paid: Any, make_held: Any, make_intent: Any) -> None:
    """Every kind of object in most of its states."""
    customer = client.customers.create({"email": "a@example.com", "address": {"city": "Bern"}})
    paid = make_paid(customer=customer.id, setup_future_usage="off_session", description="Order")
    simulator.next_refund_status("pending")
    refund = client.refunds.create(
        {"payment_intent": paid.id, "amount": 100, "metadata": {"a": "b"}}
    )
    simulator.fail_refund(refund.id)
    client.refunds.create({"payment_intent": paid.id, "amount": 100, "reason": "duplicate"})
    client.payment_intents.capture(make_held().id, {"amount_to_capture": 400})
    client.payment_intents.cancel(make_held().id, {"cancellation_reason": "abandoned"})
    simulator.expire_authorization(make_held().id)
    make_paid(payment_method="pm_card_threeDSecure2Required")
    make_paid(payment_method="pm_card_threeDSecure2Required", return_url="https://shop.example/")
    simulator.pay(make_intent().id, "pm_card_chargeDeclined")
    client.payment_intents.create({"amount": 1000, "currency": "usd"})
    bank = {"payment_method": "pm_usBankAccount", "payment_method_types": ["us_bank_account"]}
    slow = make_paid(currency="usd", **bank)
    simulator.finish_processing(slow.id)
    client.refunds.create({"payment_intent": slow.id})
    make_paid(currency="usd", **bank)
    simulator.partially_fund(make_intent(1000).id, 400)
    disputed = make_paid()
    simulator.close_dispute(simulator.dispute(disputed.id)["id"], won=True)
    client.setup_intents.create(
        {
            "customer": customer.id,
            "payment_method": "pm_card_visa",
            "confirm": True,
            "metadata": {"a": "b"},
        }
    )
    client.setup_intents.create(
        {"payment_method": "pm_card_threeDSecure2Required", "confirm": True}
    )


@pytest.mark.usefixtures("story")
def test_every_object_is_as_stripe_describes_it(simulator: Any) -> None:
    events = simulator.events()

    found = [wrong for event in events for wrong in wrongs(event, schema_of("event"), "event")]
    for event in events:
        snapshot = event["data"]["object"]
        found += wrongs(snapshot, schema_of(snapshot["object"]), snapshot["object"])

    assert sorted(set(found)) == []
    kinds = {event["data"]["object"]["object"] for event in events}
    assert kinds >= {
        "payment_intent",
        "charge",
        "refund",
        "customer",
        "payment_method",
        "dispute",
        "setup_intent",
    }


@pytest.mark.usefixtures("story")
@pytest.mark.parametrize(
    ("service", "kind", "expand"),
    [
        (
            "payment_intents",
            "payment_intent",
            ["latest_charge.refunds", "customer", "payment_method"],
        ),
        ("charges", "charge", ["payment_intent", "refunds", "customer"]),
        ("refunds", "refund", ["charge", "payment_intent"]),
        ("customers", "customer", []),
        ("setup_intents", "setup_intent", ["payment_method", "customer"]),
        ("disputes", "dispute", ["charge", "payment_intent"]),
    ],
)
def test_every_answer_is_as_stripe_describes_it(
    client: Any, service: str, kind: str, expand: list[str]
) -> None:
    for item in getattr(client, service).list({"limit": 100}).data:
        answer = getattr(client, service).retrieve(item.id, {"expand": expand}).to_dict()
        assert wrongs(answer, schema_of(kind), kind) == []


def test_account_is_as_stripe_describes_it(client: Any) -> None:
    answer = client.accounts.retrieve_current().to_dict()

    assert wrongs(answer, schema_of("account"), "account") == []


def test_card_error_is_as_stripe_describes_it(make_paid: Any) -> None:
    with pytest.raises(stripe.CardError) as raised:
        make_paid(payment_method="pm_card_chargeDeclined")

    body: Any = raised.value.json_body
    assert wrongs(body["error"], schema_of("api_errors"), "error") == []


@pytest.mark.usefixtures("story")
def test_every_event_type_is_one_of_stripes(simulator: Any) -> None:
    body = spec()["paths"]["/v1/webhook_endpoints"]["post"]["requestBody"]["content"]
    properties = body["application/x-www-form-urlencoded"]["schema"]["properties"]
    known = set(properties["enabled_events"]["items"]["enum"])

    assert {event["type"] for event in simulator.events()} - known == set()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_accepted_parameters_are_stripes(operation: Any) -> None:
    path = operation.pattern.pattern.replace("(?P<id>[^/]+)", "{}")
    described = next(
        described[operation.method.lower()]
        for name, described in spec()["paths"].items()
        if _without_names(name) == path and operation.method.lower() in described
    )
    query = {given["name"] for given in described.get("parameters", []) if given["in"] == "query"}
    content = described.get("requestBody", {}).get("content", {})
    form = (
        content.get("application/x-www-form-urlencoded", {}).get("schema", {}).get("properties", {})
    )

    assert ACCEPTED[operation.name] == query | set(form)


def _without_names(path: str) -> str:
    return "/".join("{}" if part.startswith("{") else part for part in path.split("/"))
