"""Payment methods, and the test ones that decide how a payment goes."""

import enum
from dataclasses import dataclass

from .errors import JsonObject, card_error, invalid_parameter, refused
from .identifiers import new_id, random_tail
from .params import merged_metadata
from .store import Record
from .world import Call, World


class Conduct(enum.StrEnum):
    """What a payment method does when it is asked for money."""

    PAY = "pay"
    DECLINE = "decline"
    ASK_OFF_SESSION = "ask_off_session"  # wants the buyer, always
    PROCESS = "process"  # answers later


@dataclass(frozen=True)
class Decline:
    code: str
    decline_code: str | None
    message: str


@dataclass(frozen=True)
class TestMethod:
    conduct: Conduct
    brand: str = "visa"
    last4: str = "4242"
    type: str = "card"
    decline: Decline | None = None
    may_attach: bool = True


_GENERIC = Decline("card_declined", "generic_decline", "Your card was declined.")
_INSUFFICIENT = Decline("card_declined", "insufficient_funds", "Your card has insufficient funds.")
_EXPIRED = Decline("expired_card", None, "Your card has expired.")
_CVC = Decline("incorrect_cvc", None, "Your card's security code is incorrect.")
_PROCESSING = Decline("processing_error", None, "An error occurred while processing your card.")

TEST_METHODS = {
    "pm_card_visa": TestMethod(Conduct.PAY),
    "pm_card_mastercard": TestMethod(Conduct.PAY, brand="mastercard", last4="4444"),
    "pm_card_amex": TestMethod(Conduct.PAY, brand="amex", last4="0005"),
    "pm_card_chargeDeclined": TestMethod(
        Conduct.DECLINE, last4="0002", decline=_GENERIC, may_attach=False
    ),
    "pm_card_visa_chargeDeclined": TestMethod(
        Conduct.DECLINE, last4="0002", decline=_GENERIC, may_attach=False
    ),
    "pm_card_chargeCustomerFail": TestMethod(Conduct.DECLINE, last4="0341", decline=_GENERIC),
    "pm_card_chargeDeclinedInsufficientFunds": TestMethod(
        Conduct.DECLINE, last4="9995", decline=_INSUFFICIENT, may_attach=False
    ),
    "pm_card_chargeDeclinedExpiredCard": TestMethod(
        Conduct.DECLINE, last4="0069", decline=_EXPIRED, may_attach=False
    ),
    "pm_card_chargeDeclinedIncorrectCvc": TestMethod(
        Conduct.DECLINE, last4="0127", decline=_CVC, may_attach=False
    ),
    "pm_card_chargeDeclinedProcessingError": TestMethod(
        Conduct.DECLINE, last4="0119", decline=_PROCESSING, may_attach=False
    ),
    "pm_card_authenticationRequired": TestMethod(Conduct.ASK_OFF_SESSION, last4="3184"),
    "pm_card_threeDSecure2Required": TestMethod(Conduct.ASK_OFF_SESSION, last4="3220"),
    "pm_simulator_async": TestMethod(Conduct.PROCESS, last4="7777"),
    "pm_usBankAccount": TestMethod(Conduct.PROCESS, last4="6789", type="us_bank_account"),
}

_BY_NUMBER = {
    "4242424242424242": "pm_card_visa",
    "5555555555554444": "pm_card_mastercard",
    "378282246310005": "pm_card_amex",
    "4000000000000002": "pm_card_chargeDeclined",
    "4000000000009995": "pm_card_chargeDeclinedInsufficientFunds",
    "4000000000000069": "pm_card_chargeDeclinedExpiredCard",
    "4000002760003184": "pm_card_authenticationRequired",
    "4000000000003220": "pm_card_threeDSecure2Required",
}


def resolve_method(world: World, call: Call, name: str = "payment_method") -> Record | None:
    """The payment method a call names or describes; a test name makes a fresh one, as at Stripe."""
    if identifier := call.params.text(name):
        return find_method(world, identifier, account=call.account, param=name)
    if described := call.params.mapping("payment_method_data"):
        return _make(world, _test_name_of(described), account=call.account)
    return None


def find_method(
    world: World, identifier: str, *, account: str, param: str, status: int = 400
) -> Record:
    if identifier in TEST_METHODS:
        return _make(world, identifier, account=account)
    return world.store.get(
        "payment_method", identifier, account=account, param=param, status=status
    )


def test_method_of(method: Record) -> TestMethod:
    return TEST_METHODS[method.hidden["test_name"]]


def check_usable(method: Record, *, customer: str | None) -> None:
    """Stripe lends an unattached method out once, and an attached one to its customer only."""
    if method["customer"] and method["customer"] != customer:
        message = (
            f"The customer does not have a payment method with the ID {method.id}. "
            "The payment method must be attached to the customer."
        )
        raise invalid_parameter(message, param="payment_method")
    if method.hidden.get("is_spent") and not method["customer"]:
        message = (
            "The provided PaymentMethod was previously used without Customer attachment or was "
            "detached from a Customer, and may not be used again."
        )
        raise invalid_parameter(message, param="payment_method")


def spend(method: Record) -> None:
    method.hidden["is_spent"] = True


def attach_to(world: World, call: Call, method: Record, customer: str) -> None:
    test = test_method_of(method)
    if test.decline and not test.may_attach:
        raise card_error(
            test.decline.message, code=test.decline.code, decline_code=test.decline.decline_code
        )
    if method["customer"] == customer:
        return
    check_usable(method, customer=None)
    method["customer"] = customer
    world.emit("payment_method.attached", method, call)


def create(world: World, call: Call) -> JsonObject:
    kind = call.params.required_text("type")
    name = _test_name_of({"type": kind, kind: call.params.mapping(kind) or {}})
    method = _make(world, name, account=call.account)
    method["metadata"] = merged_metadata({}, call.params)
    return method.data


def retrieve(world: World, call: Call) -> JsonObject:
    return _named(world, call).data


def attach(world: World, call: Call) -> JsonObject:
    method = _named(world, call)
    customer = call.params.required_text("customer")
    world.store.living_customer(customer, account=call.account, param="customer")
    attach_to(world, call, method, customer)
    return method.data


def detach(world: World, call: Call) -> JsonObject:
    method = _named(world, call)
    if not method["customer"]:
        raise refused(
            "The payment method you provided is not attached to a customer so detachment is "
            "impossible."
        )
    previous = {"customer": method["customer"]}
    method["customer"] = None
    spend(method)
    world.emit("payment_method.detached", method, call, previous)
    return method.data


def _named(world: World, call: Call) -> Record:
    identifier = call.path["id"]
    return find_method(world, identifier, account=call.account, param="payment_method", status=404)


def _test_name_of(described: JsonObject) -> str:
    kind = described.get("type")
    if kind == "us_bank_account":
        return "pm_usBankAccount"
    if kind != "card":
        raise invalid_parameter(f"Invalid payment method type: {kind}", param="type")
    card = described.get("card") or {}
    if number := card.get("number"):
        return _BY_NUMBER.get(number.replace(" ", ""), "pm_card_visa")
    return str(card.get("token", "tok_visa")).replace("tok_", "pm_card_")


def _make(world: World, test_name: str, *, account: str) -> Record:
    if test_name not in TEST_METHODS:
        raise invalid_parameter(f"No such token: '{test_name}'", param="payment_method")
    test = TEST_METHODS[test_name]
    data: JsonObject = {
        "id": new_id("pm"),
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": empty_billing_details(),
        "created": world.clock.seconds(),
        "customer": None,
        "livemode": False,
        "metadata": {},
        "type": test.type,
        test.type: card_facts(test) if test.type == "card" else bank_facts(test),
    }
    return world.store.add(data, account=account, hidden={"test_name": test_name})


def empty_billing_details() -> JsonObject:
    address = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
    return {"address": address, "email": None, "name": None, "phone": None, "tax_id": None}


def card_facts(test: TestMethod) -> JsonObject:
    return {
        "brand": test.brand,
        "checks": {
            "address_line1_check": None,
            "address_postal_code_check": None,
            "cvc_check": "pass",
        },
        "country": "US",
        "exp_month": 12,
        "exp_year": 2040,
        "fingerprint": random_tail(16),
        "funding": "credit",
        "last4": test.last4,
        "wallet": None,
    }


def bank_facts(test: TestMethod) -> JsonObject:
    return {
        "account_holder_type": "individual",
        "account_type": "checking",
        "bank_name": "STRIPE TEST BANK",
        "fingerprint": random_tail(16),
        "last4": test.last4,
        "routing_number": "110000000",
    }
