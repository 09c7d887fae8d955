"""Customers."""

from .errors import JsonObject
from .identifiers import new_id, random_tail
from .params import Params, merged_metadata
from .payment_methods import attach_to, find_method
from .store import Record
from .world import Call, World

_TEXTS = ("description", "email", "name", "phone")
_MAPPINGS = ("address", "shipping")


def create(world: World, call: Call) -> JsonObject:
    data = _blank(world)
    _fill(data, call.params)
    identifier = call.params.text("payment_method")
    method = (
        find_method(world, identifier, account=call.account, param="payment_method")
        if identifier
        else None
    )
    if method is not None:
        attach_to(world, call, method, data["id"])
    customer = world.store.add(data, account=call.account)
    world.emit("customer.created", customer, call)
    return customer.data


def update(world: World, call: Call) -> JsonObject:
    customer = _living(world, call)
    before = dict(customer.data)
    _fill(customer.data, call.params)
    previous = {name: value for name, value in before.items() if customer[name] != value}
    world.emit("customer.updated", customer, call, previous)
    return customer.data


def delete(world: World, call: Call) -> JsonObject:
    """A deleted customer is still found by id, with nothing left but that it was deleted."""
    customer = _living(world, call)
    world.emit("customer.deleted", customer, call)
    for method in world.store.oldest_first("payment_method"):
        if method["customer"] == customer.id:
            method["customer"] = None
    customer.data = {"id": customer.id, "object": "customer", "deleted": True}
    return customer.data


def _living(world: World, call: Call) -> Record:
    return world.store.living_customer(
        call.path["id"], account=call.account, param="id", status=404
    )


def _fill(data: JsonObject, params: Params) -> None:
    data["metadata"] = merged_metadata(data["metadata"], params)
    data.update({name: params.text(name) for name in _TEXTS if name in params})
    data.update({name: params.mapping(name) for name in _MAPPINGS if name in params})
    if settings := params.mapping("invoice_settings"):
        data["invoice_settings"] = data["invoice_settings"] | settings


def _blank(world: World) -> JsonObject:
    return {
        "id": new_id("cus"),
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": world.clock.seconds(),
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "email": None,
        "invoice_prefix": random_tail(8).upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": {},
        "name": None,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    }
