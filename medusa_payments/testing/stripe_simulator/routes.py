"""Which operation a method and a path ask for."""

import re
from dataclasses import dataclass

from . import accounts, customers, intents, payment_methods, refunds, setup_intents
from .errors import unknown_url
from .listing import Handler, list_customer_methods, list_events, lister, retriever


@dataclass(frozen=True)
class Operation:
    name: str
    method: str
    pattern: re.Pattern[str]
    handler: Handler
    is_public: bool = False  # open to a publishable key with the object's client secret


def match_operation(method: str, path: str) -> tuple[Operation, dict[str, str]]:
    for operation in OPERATIONS:
        match = operation.pattern.fullmatch(path) if operation.method == method else None
        if match:
            return operation, match.groupdict()
    raise unknown_url(method, path)


def _operation(
    name: str, method: str, path: str, handler: Handler, *, is_public: bool = False
) -> Operation:
    pattern = re.compile(path.replace("{id}", r"(?P<id>[^/]+)"))
    return Operation(name, method, pattern, handler, is_public)


_INTENT = "/v1/payment_intents/{id}"
_SETUP = "/v1/setup_intents/{id}"
_METHOD = "/v1/payment_methods/{id}"
_CUSTOMER = "/v1/customers/{id}"
_REFUND = "/v1/refunds/{id}"

OPERATIONS = (
    _operation("payment_intents.create", "POST", "/v1/payment_intents", intents.create),
    _operation(
        "payment_intents.list",
        "GET",
        "/v1/payment_intents",
        lister("payment_intent", "/v1/payment_intents", "customer"),
    ),
    _operation(
        "payment_intents.retrieve",
        "GET",
        _INTENT,
        retriever("payment_intent", "intent"),
        is_public=True,
    ),
    _operation("payment_intents.update", "POST", _INTENT, intents.update),
    _operation(
        "payment_intents.confirm", "POST", f"{_INTENT}/confirm", intents.confirm, is_public=True
    ),
    _operation("payment_intents.capture", "POST", f"{_INTENT}/capture", intents.capture),
    _operation("payment_intents.cancel", "POST", f"{_INTENT}/cancel", intents.cancel),
    _operation("refunds.create", "POST", "/v1/refunds", refunds.create),
    _operation(
        "refunds.list",
        "GET",
        "/v1/refunds",
        lister("refund", "/v1/refunds", "charge", "payment_intent"),
    ),
    _operation("refunds.retrieve", "GET", _REFUND, retriever("refund")),
    _operation("refunds.update", "POST", _REFUND, refunds.update),
    _operation("refunds.cancel", "POST", f"{_REFUND}/cancel", refunds.cancel),
    _operation(
        "charges.list",
        "GET",
        "/v1/charges",
        lister("charge", "/v1/charges", "payment_intent", "customer", "transfer_group"),
    ),
    _operation("charges.retrieve", "GET", "/v1/charges/{id}", retriever("charge")),
    _operation("customers.create", "POST", "/v1/customers", customers.create),
    _operation(
        "customers.list", "GET", "/v1/customers", lister("customer", "/v1/customers", "email")
    ),
    _operation("customers.retrieve", "GET", _CUSTOMER, retriever("customer")),
    _operation("customers.update", "POST", _CUSTOMER, customers.update),
    _operation("customers.delete", "DELETE", _CUSTOMER, customers.delete),
    _operation(
        "customers.list_payment_methods",
        "GET",
        f"{_CUSTOMER}/payment_methods",
        list_customer_methods,
    ),
    _operation("payment_methods.create", "POST", "/v1/payment_methods", payment_methods.create),
    _operation(
        "payment_methods.list",
        "GET",
        "/v1/payment_methods",
        lister("payment_method", "/v1/payment_methods", "customer", "type"),
    ),
    _operation("payment_methods.retrieve", "GET", _METHOD, payment_methods.retrieve),
    _operation("payment_methods.attach", "POST", f"{_METHOD}/attach", payment_methods.attach),
    _operation("payment_methods.detach", "POST", f"{_METHOD}/detach", payment_methods.detach),
    _operation("setup_intents.create", "POST", "/v1/setup_intents", setup_intents.create),
    _operation(
        "setup_intents.list",
        "GET",
        "/v1/setup_intents",
        lister("setup_intent", "/v1/setup_intents", "customer", "payment_method"),
    ),
    _operation(
        "setup_intents.retrieve", "GET", _SETUP, retriever("setup_intent", "intent"), is_public=True
    ),
    _operation(
        "setup_intents.confirm", "POST", f"{_SETUP}/confirm", setup_intents.confirm, is_public=True
    ),
    _operation(
        "disputes.list",
        "GET",
        "/v1/disputes",
        lister("dispute", "/v1/disputes", "charge", "payment_intent"),
    ),
    _operation("disputes.retrieve", "GET", "/v1/disputes/{id}", retriever("dispute", "dispute")),
    _operation("events.list", "GET", "/v1/events", list_events),
    _operation("events.retrieve", "GET", "/v1/events/{id}", retriever("event")),
    _operation("account.retrieve", "GET", "/v1/account", accounts.retrieve),
)
