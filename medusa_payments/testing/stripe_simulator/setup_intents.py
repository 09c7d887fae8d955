"""Setup intents: a payment method kept for later, without money."""

import copy

from .errors import JsonObject, card_error, invalid_parameter, refused
from .identifiers import client_secret, new_id
from .params import merged_metadata
from .payment_methods import Conduct, attach_to, check_usable, resolve_method, test_method_of
from .store import Record
from .world import Call, World

_CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")


def create(world: World, call: Call) -> JsonObject:
    data = _opened(world, call)
    method = resolve_method(world, call)
    is_confirming = call.params.flag("confirm")
    if is_confirming and method is None:
        raise _needs_method()
    if method is not None:
        check_usable(method, customer=data["customer"])
        data |= {"payment_method": method.id, "status": "requires_confirmation"}

    setup = world.store.add(data, account=call.account)
    world.emit("setup_intent.created", setup, call)
    if is_confirming and method is not None:
        _confirm_with(world, call, setup, method)
    return setup.data


def confirm(world: World, call: Call) -> JsonObject:
    setup = named(world, call)
    if setup["status"] not in _CONFIRMABLE:
        message = (
            f"You cannot confirm this SetupIntent because it has a status of {setup['status']}."
        )
        raise refused(
            message, code="setup_intent_unexpected_state", setup_intent=copy.deepcopy(setup.data)
        )
    kept = world.store.find(setup["payment_method"]) if setup["payment_method"] else None
    method = resolve_method(world, call) or kept
    if method is None:
        raise _needs_method()
    check_usable(method, customer=setup["customer"])
    setup["payment_method"] = method.id
    _confirm_with(world, call, setup, method)
    return setup.data


def finish_action(world: World, call: Call, setup: Record, *, succeed: bool) -> None:
    method = world.store.get("payment_method", setup["payment_method"], account=setup.account)
    setup["next_action"] = None
    if succeed:
        _succeed(world, call, setup, method)
        return
    _fail(
        world,
        call,
        setup,
        {
            "type": "invalid_request_error",
            "code": "setup_intent_authentication_failure",
            "message": "The latest attempt to set up the payment method has failed "
            "because authentication failed.",
        },
    )


def named(world: World, call: Call) -> Record:
    return world.store.get("setup_intent", call.path["id"], account=call.account, param="intent")


def _opened(world: World, call: Call) -> JsonObject:
    params = call.params
    identifier = new_id("seti")
    customer = params.text("customer")
    if customer:
        world.store.living_customer(customer, account=call.account, param="customer")
    return {
        "id": identifier,
        "object": "setup_intent",
        "application": None,
        "automatic_payment_methods": None,
        "cancellation_reason": None,
        "client_secret": client_secret(identifier),
        "created": world.clock.seconds(),
        "customer": customer,
        "description": params.text("description"),
        "flow_directions": None,
        "last_setup_error": None,
        "latest_attempt": None,
        "livemode": False,
        "mandate": None,
        "metadata": merged_metadata({}, params),
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_options": {},
        "payment_method_types": params.texts("payment_method_types") or ["card"],
        "single_use_mandate": None,
        "status": "requires_payment_method",
        "usage": params.choice("usage", ("off_session", "on_session")) or "off_session",
    }


def _needs_method() -> Exception:
    message = "You cannot confirm this SetupIntent because it's missing a payment method."
    return invalid_parameter(message, param="payment_method", code="parameter_missing")


def _confirm_with(world: World, call: Call, setup: Record, method: Record) -> None:
    test = test_method_of(method)
    if test.decline is not None:
        facts = {"code": test.decline.code, "message": test.decline.message}
        _fail(world, call, setup, {"type": "card_error", **facts})
        raise card_error(
            test.decline.message,
            code=test.decline.code,
            decline_code=test.decline.decline_code,
            setup_intent=copy.deepcopy(setup.data),
        )
    if test.conduct is Conduct.ASK_OFF_SESSION:
        action = {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect"}}
        setup.data |= {"status": "requires_action", "next_action": action}
        world.emit("setup_intent.requires_action", setup, call)
        return
    _succeed(world, call, setup, method)


def _succeed(world: World, call: Call, setup: Record, method: Record) -> None:
    setup.data |= {"status": "succeeded", "last_setup_error": None}
    if setup["customer"]:
        attach_to(world, call, method, setup["customer"])
    world.emit("setup_intent.succeeded", setup, call)


def _fail(world: World, call: Call, setup: Record, error: JsonObject) -> None:
    setup.data |= {
        "last_setup_error": error,
        "payment_method": None,
        "status": "requires_payment_method",
    }
    world.emit("setup_intent.setup_failed", setup, call)
