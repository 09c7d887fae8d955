"""How a try at paying goes: paid, held, declined, waiting for the buyer or for a bank."""

import copy
from dataclasses import dataclass

from . import charges
from .errors import ApiError, JsonObject, card_error, invalid_parameter, unexpected_state
from .params import Params
from .payment_methods import Conduct, Decline, attach_to, spend, test_method_of
from .store import Record
from .world import Call, World

_CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
_NEEDS_AUTHENTICATION = Decline(
    "authentication_required",
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
)
_FAILED_AUTHENTICATION = Decline(
    "payment_intent_authentication_failure",
    None,
    "We are unable to authenticate your payment method. Please choose a different payment "
    "method and try again.",
)
_BANK_REFUSED = Decline("card_declined", "generic_decline", "The bank refused the payment.")


@dataclass(frozen=True)
class ConfirmTerms:
    """How the caller wants the confirmation to go about the buyer's presence."""

    is_off_session: bool
    refuses_actions: bool
    return_url: str | None

    @classmethod
    def read(cls, params: Params) -> "ConfirmTerms":
        off_session = params.values.get("off_session")
        return cls(
            is_off_session=off_session in ("true", "one_off", "recurring"),
            refuses_actions=bool(params.flag("error_on_requires_action")),
            return_url=params.text("return_url"),
        )


def method_types_of(data: JsonObject) -> list[str]:
    """What the account offers for the intent's currency."""
    return ["card", "us_bank_account"] if data["currency"] == "usd" else ["card"]


def check_confirmable(
    data: JsonObject, method: Record | None, terms: ConfirmTerms, *, has_sdk: bool = False
) -> Record:
    """Refuse before anything is changed. `has_sdk`: Stripe.js asks, which returns by itself."""
    if data["status"] not in _CONFIRMABLE:
        raise unexpected_state(
            f"You cannot confirm this PaymentIntent because it has a status of {data['status']}. "
            "Only a PaymentIntent with one of the following statuses may be confirmed: "
            f"{', '.join(_CONFIRMABLE)}.",
            copy.deepcopy(data),
        )
    if method is None:
        raise unexpected_state(
            "You cannot confirm this PaymentIntent because it's missing a payment method. You "
            "can either update the PaymentIntent with a payment method and then confirm it "
            "again, or confirm it again directly with a payment method or ConfirmationToken.",
            copy.deepcopy(data),
        )
    _check_type(data, method)
    _check_return_url(data, terms, has_sdk=has_sdk)
    return method


def confirm_with(
    world: World, call: Call, intent: Record, method: Record, terms: ConfirmTerms
) -> None:
    """Ask the payment method; a decline is raised after it has been recorded."""
    intent["last_payment_error"] = None
    intent["next_action"] = None
    test = test_method_of(method)
    if test.decline is not None:
        raise _declined(world, call, intent, method, test.decline)
    if test.conduct is Conduct.PROCESS:
        _begin_processing(world, call, intent, method)
    elif test.conduct is Conduct.ASK_OFF_SESSION:
        _ask_buyer(world, call, intent, method, terms)
    else:
        authorize(world, call, intent, method)


def authorize(world: World, call: Call, intent: Record, method: Record) -> None:
    charge = charges.make_charge(
        world, intent, method, status="succeeded", captured=not _is_manual(intent, method)
    )
    _record_money(world, call, intent, method, charge)


def finish_action(world: World, call: Call, intent: Record, *, succeed: bool) -> None:
    method = world.store.get("payment_method", intent["payment_method"], account=intent.account)
    intent["next_action"] = None
    if succeed:
        authorize(world, call, intent, method)
    else:
        _back_to_payment_method(world, call, intent, method, _FAILED_AUTHENTICATION, None)


def finish_processing(world: World, call: Call, intent: Record, *, succeed: bool) -> None:
    method = world.store.get("payment_method", intent["payment_method"], account=intent.account)
    charge = world.store.get("charge", intent["latest_charge"], account=intent.account)
    intent["processing"] = None
    if succeed:
        charges.mark_paid(charge, captured=not _is_manual(intent, method))
        _record_money(world, call, intent, method, charge)
        return
    charges.mark_failed(charge, _BANK_REFUSED)
    world.emit("charge.failed", charge, call)
    _back_to_payment_method(world, call, intent, method, _BANK_REFUSED, charge)


def _check_return_url(data: JsonObject, terms: ConfirmTerms, *, has_sdk: bool) -> None:
    automatic = data["automatic_payment_methods"] or {}
    may_redirect = automatic.get("enabled") and automatic.get("allow_redirects") != "never"
    if may_redirect and not terms.return_url and not has_sdk:
        raise invalid_parameter(
            "This PaymentIntent is configured to accept payment methods enabled in your Dashboard. "
            "Because some of these payment methods might redirect your customer off of your page, "
            "you must provide a `return_url`. If you don't want to accept redirect-based payment "
            "methods, set `automatic_payment_methods[enabled]` to `true` and "
            "`automatic_payment_methods[allow_redirects]` to `never` when creating PaymentIntents.",
            param="return_url",
        )


def _check_type(data: JsonObject, method: Record) -> None:
    if method["type"] in data["payment_method_types"]:
        return
    raise invalid_parameter(
        f"The PaymentMethod provided ({method['type']}) is not allowed for this PaymentIntent. "
        "Please attach a PaymentMethod of one of the following types: "
        f"{', '.join(data['payment_method_types'])}.",
        param="payment_method",
        code="payment_intent_incompatible_payment_method",
    )


def _is_manual(intent: Record, method: Record) -> bool:
    options = intent["payment_method_options"].get(method["type"]) or {}
    return "manual" in (options.get("capture_method"), intent["capture_method"])


def _record_money(world: World, call: Call, intent: Record, method: Record, charge: Record) -> None:
    """The money is there: held or taken, as the intent wants it."""
    if _is_manual(intent, method):
        intent.data |= {"status": "requires_capture", "amount_capturable": intent["amount"]}
        told = "payment_intent.amount_capturable_updated"
    else:
        intent.data |= {"status": "succeeded", "amount_received": intent["amount"]}
        told = "payment_intent.succeeded"
    if intent["setup_future_usage"] and intent["customer"]:
        attach_to(world, call, method, intent["customer"])
    spend(method)
    world.emit("charge.succeeded", charge, call)
    world.emit(told, intent, call)


def _begin_processing(world: World, call: Call, intent: Record, method: Record) -> None:
    charge = charges.make_charge(world, intent, method, status="pending", captured=False)
    processing = {"card": {}, "type": "card"} if method["type"] == "card" else None
    intent.data |= {"status": "processing", "processing": processing}
    world.emit("charge.pending", charge, call)
    world.emit("payment_intent.processing", intent, call)


def _ask_buyer(
    world: World, call: Call, intent: Record, method: Record, terms: ConfirmTerms
) -> None:
    if terms.is_off_session or terms.refuses_actions:
        raise _declined(world, call, intent, method, _NEEDS_AUTHENTICATION)
    intent.data |= {"status": "requires_action", "next_action": _next_action(call, intent, terms)}
    world.emit("payment_intent.requires_action", intent, call)


def _next_action(call: Call, intent: Record, terms: ConfirmTerms) -> JsonObject:
    if terms.return_url is None or call.is_publishable:
        return {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect"}}
    intent.hidden["return_url"] = terms.return_url
    url = f"{call.base_url}/_simulator/3ds/{intent.id}"
    return {
        "type": "redirect_to_url",
        "redirect_to_url": {"return_url": terms.return_url, "url": url},
    }


def _declined(
    world: World, call: Call, intent: Record, method: Record, decline: Decline
) -> ApiError:
    charge = charges.make_charge(world, intent, method, status="failed", captured=False)
    charges.mark_failed(charge, decline)
    world.emit("charge.failed", charge, call)
    _back_to_payment_method(world, call, intent, method, decline, charge)
    return card_error(
        decline.message,
        code=decline.code,
        decline_code=decline.decline_code,
        charge=charge.id,
        payment_intent=copy.deepcopy(intent.data),
        payment_method=copy.deepcopy(method.data),
        request_log_url=f"https://dashboard.stripe.com/test/logs/{call.request_id or 'none'}",
    )


def _back_to_payment_method(
    world: World,
    call: Call,
    intent: Record,
    method: Record,
    decline: Decline,
    charge: Record | None,
) -> None:
    error: JsonObject = {"type": "card_error", "code": decline.code, "message": decline.message}
    if decline.decline_code:
        error["decline_code"] = decline.decline_code
    if charge is not None:
        error["charge"] = charge.id
    error["payment_method"] = copy.deepcopy(method.data)
    intent.data |= {
        "last_payment_error": error,
        "payment_method": None,
        "status": "requires_payment_method",
    }
    world.emit("payment_intent.payment_failed", intent, call)
