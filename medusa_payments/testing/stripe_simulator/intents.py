"""Payment intents as the API opens, changes, captures and cancels them."""

import copy

from . import money
from .confirmation import ConfirmTerms, check_confirmable, confirm_with, method_types_of
from .errors import JsonObject, invalid_parameter, refused, unexpected_state
from .identifiers import client_secret, new_id
from .params import Params, merged_metadata
from .payment_methods import check_usable, resolve_method
from .releases import release_hold
from .store import Record
from .world import Call, World

CAPTURE_METHODS = ("automatic", "automatic_async", "manual")
_TEXTS = (
    "description",
    "receipt_email",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_group",
)
_OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")
_CANCELABLE = (*_OPEN, "requires_capture")
_CANCELLATION_REASONS = ("duplicate", "fraudulent", "requested_by_customer", "abandoned")
_NOTHING = (
    "application application_fee_amount canceled_at cancellation_reason customer "
    "customer_account description last_payment_error latest_charge next_action on_behalf_of "
    "payment_method payment_method_configuration_details processing receipt_email review "
    "setup_future_usage shipping statement_descriptor statement_descriptor_suffix "
    "transfer_data transfer_group"
)
_FIXED_ONCE_PAID = (
    "amount",
    "currency",
    "customer",
    "payment_method",
    "payment_method_data",
    "capture_method",
)


def create(world: World, call: Call) -> JsonObject:
    data = _opened(world, call)
    terms = ConfirmTerms.read(call.params) if call.params.flag("confirm") else None
    _check_confirm_only(call.params, is_confirming=terms is not None)
    method = resolve_method(world, call)
    if method is not None:
        check_usable(method, customer=data["customer"])
        data["payment_method"] = method.id
    if terms is not None:
        check_confirmable(data, method, terms)
    elif method is not None:
        data["status"] = "requires_confirmation"

    intent = world.store.add(data, account=call.account)
    world.emit("payment_intent.created", intent, call)
    if terms is not None and method is not None:
        confirm_with(world, call, intent, method, terms)
    return intent.data


def update(world: World, call: Call) -> JsonObject:
    intent = named(world, call)
    _check_updatable(intent, call.params)
    draft = copy.deepcopy(intent.data)
    _fill(world, call, draft)
    _change_money(draft, call.params)
    method = resolve_method(world, call)
    if method is not None:
        check_usable(method, customer=draft["customer"])
        draft |= {"payment_method": method.id, "status": "requires_confirmation"}
    if draft["status"] in _OPEN:
        draft["last_payment_error"] = None
    intent.data.update(draft)
    return intent.data


def confirm(world: World, call: Call) -> JsonObject:
    intent = named(world, call)
    terms = ConfirmTerms.read(call.params)
    draft = copy.deepcopy(intent.data)
    _fill(world, call, draft)
    _check_amount_to_confirm(draft, call.params)
    draft["capture_method"] = (
        call.params.choice("capture_method", CAPTURE_METHODS) or draft["capture_method"]
    )
    asked = resolve_method(world, call) or _kept_method(world, intent)
    method = check_confirmable(draft, asked, terms, has_sdk=call.is_publishable)
    check_usable(method, customer=draft["customer"])
    intent.data.update(draft)
    intent["payment_method"] = method.id
    confirm_with(world, call, intent, method, terms)
    return intent.data


def capture(world: World, call: Call) -> JsonObject:
    intent = named(world, call)
    _check_final(call.params)
    amount = call.params.integer("amount_to_capture")
    metadata = merged_metadata(intent["metadata"], call.params)
    if intent["status"] != "requires_capture":
        raise unexpected_state(
            "This PaymentIntent could not be captured because it has a status of "
            f"{intent['status']}. Only a "
            "PaymentIntent with one of the following statuses may be captured: requires_capture.",
            copy.deepcopy(intent.data),
        )
    captured = _captured_amount(intent, amount)
    intent["metadata"] = metadata
    take_held(world, call, intent, captured)
    return intent.data


def take_held(world: World, call: Call, intent: Record, captured: int) -> None:
    """Capture once; what is not taken is released."""
    charge = world.store.get("charge", intent["latest_charge"], account=intent.account)
    charge.data |= {
        "captured": True,
        "amount_captured": captured,
        "balance_transaction": new_id("txn"),
    }
    released: int = intent["amount_capturable"] - captured
    intent.data |= {"amount_capturable": 0, "amount_received": captured, "status": "succeeded"}
    if released:
        release_hold(world, intent, charge, released, reason=None)
    world.emit("charge.captured", charge, call)
    world.emit("payment_intent.succeeded", intent, call)


def cancel(world: World, call: Call) -> JsonObject:
    intent = named(world, call)
    reason = call.params.choice("cancellation_reason", _CANCELLATION_REASONS)
    may_cancel_processing = (
        intent["status"] == "processing" and world.options.allow_cancel_processing
    )
    if intent["status"] not in _CANCELABLE and not may_cancel_processing:
        raise unexpected_state(
            "You cannot cancel this PaymentIntent because it has a status of "
            f"{intent['status']}. Only a "
            "PaymentIntent with one of the following statuses may be canceled: "
            f"{', '.join(_CANCELABLE)}.",
            copy.deepcopy(intent.data),
        )
    close_intent(world, call, intent, reason=reason)
    return intent.data


def close_intent(
    world: World, call: Call, intent: Record, *, reason: str | None, has_expired: bool = False
) -> None:
    """Cancel: held money goes back, told as a refund of the charge, or as its expiry."""
    held: int = intent["amount_capturable"]
    intent.data |= {
        "amount_capturable": 0,
        "canceled_at": world.clock.seconds(),
        "cancellation_reason": reason,
        "next_action": None,
        "status": "canceled",
    }
    if held:
        charge = world.store.get("charge", intent["latest_charge"], account=intent.account)
        release_hold(
            world, intent, charge, held, reason="expired_uncaptured_charge" if has_expired else None
        )
        world.emit("charge.expired" if has_expired else "charge.refunded", charge, call)
    world.emit("payment_intent.canceled", intent, call)


def named(world: World, call: Call) -> Record:
    return world.store.get("payment_intent", call.path["id"], account=call.account, param="intent")


def _opened(world: World, call: Call) -> JsonObject:
    params = call.params
    amount = params.required_integer("amount")
    currency = money.check_currency(params.required_text("currency"))
    money.check_amount(amount, currency)
    data = blank(world, amount, currency)
    data["capture_method"] = params.choice("capture_method", CAPTURE_METHODS) or "automatic_async"
    data["confirmation_method"] = (
        params.choice("confirmation_method", ("automatic", "manual")) or "automatic"
    )
    _choose_method_types(data, params)
    _fill(world, call, data)
    return data


def blank(world: World, amount: int, currency: str) -> JsonObject:
    """An intent that nobody has paid."""
    identifier = new_id("pi")
    return dict.fromkeys(_NOTHING.split()) | {
        "id": identifier,
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "automatic_payment_methods": None,
        "client_secret": client_secret(identifier),
        "created": world.clock.seconds(),
        "currency": currency,
        "livemode": False,
        "metadata": {},
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "status": "requires_payment_method",
    }


def _choose_method_types(data: JsonObject, params: Params) -> None:
    automatic = params.mapping("automatic_payment_methods")
    types = params.texts("payment_method_types")
    if automatic and types:
        message = "You may only specify one of automatic_payment_methods, payment_method_types."
        raise invalid_parameter(message, param="payment_method_types")
    if types:
        data["payment_method_types"] = types
        return
    enabled = (automatic or {}).get("enabled", "true") == "true"
    allowed = (automatic or {}).get("allow_redirects", "always")
    data["automatic_payment_methods"] = (
        {"allow_redirects": allowed, "enabled": enabled} if enabled else None
    )
    data["payment_method_types"] = method_types_of(data)


def _fill(world: World, call: Call, data: JsonObject) -> None:
    """Set what creation, update and confirmation have in common."""
    params = call.params
    data["metadata"] = merged_metadata(data["metadata"], params)
    for name in _TEXTS:
        if name in params:
            data[name] = params.text(name)
    if "shipping" in params:
        data["shipping"] = params.mapping("shipping")
    if "setup_future_usage" in params:
        data["setup_future_usage"] = params.choice(
            "setup_future_usage", ("off_session", "on_session")
        )
    if customer := params.text("customer"):
        world.store.living_customer(customer, account=call.account, param="customer")
        data["customer"] = customer
    if options := params.mapping("payment_method_options"):
        data["payment_method_options"] = data["payment_method_options"] | options
    if configuration := params.text("payment_method_configuration"):
        data["payment_method_configuration_details"] = {"id": configuration, "parent": None}


def _check_confirm_only(params: Params, *, is_confirming: bool) -> None:
    for name in (
        "off_session",
        "return_url",
        "error_on_requires_action",
        "mandate",
        "mandate_data",
    ):
        if name in params and not is_confirming:
            message = (
                f"The parameter `{name}` cannot be passed when creating a PaymentIntent unless "
                "`confirm` is set to true."
            )
            raise invalid_parameter(message, param=name)


def _check_updatable(intent: Record, params: Params) -> None:
    if intent["status"] in _OPEN:
        return
    for name in _FIXED_ONCE_PAID:
        if name in params:
            raise unexpected_state(
                f"This PaymentIntent's {name} could not be updated because it has a status of "
                f"{intent['status']}. You may only update the {name} of a PaymentIntent with one "
                f"of the following statuses: {', '.join(_OPEN)}.",
                copy.deepcopy(intent.data),
            )


def _change_money(draft: JsonObject, params: Params) -> None:
    if currency := params.text("currency"):
        draft["currency"] = money.check_currency(currency)
    amount = params.integer("amount")
    if amount is not None or "currency" in params:
        draft["amount"] = money.check_amount(
            draft["amount"] if amount is None else amount, draft["currency"]
        )
    if method := params.choice("capture_method", CAPTURE_METHODS):
        draft["capture_method"] = method
    if types := params.texts("payment_method_types"):
        draft["payment_method_types"] = types
    if amount is not None and draft["status"] == "requires_action":
        draft |= {"status": "requires_confirmation", "next_action": None}


def _check_amount_to_confirm(draft: JsonObject, params: Params) -> None:
    amount = params.integer("amount_to_confirm")
    if amount is not None and amount != draft["amount"]:
        message = f"The amount to confirm ({amount}) is not that of this PaymentIntent."
        raise invalid_parameter(message, param="amount_to_confirm")


def _kept_method(world: World, intent: Record) -> Record | None:
    return world.store.find(intent["payment_method"]) if intent["payment_method"] else None


def _check_final(params: Params) -> None:
    if params.flag("final_capture") is False:
        message = "This account does not have multicapture; `final_capture` may not be false."
        raise invalid_parameter(message, param="final_capture")


def _captured_amount(intent: Record, amount: int | None) -> int:
    capturable: int = intent["amount_capturable"]
    if amount is None:
        return capturable
    if amount > capturable:
        message = (
            f"The requested capture amount ({amount}) is greater than the amount you can capture "
            f"({capturable}) for this charge."
        )
        raise refused(message, code="amount_too_large", param="amount_to_capture")
    return money.check_amount(amount, intent["currency"], param="amount_to_capture")
