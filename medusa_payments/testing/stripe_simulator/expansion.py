"""`expand[]`: ids in an answer replaced by the objects they name."""

import copy
from typing import Any

from .errors import ApiError, JsonObject, invalid_parameter
from .params import Params
from .releases import all_refunds_of
from .store import Store
from .world import World

_DEEPEST = 4
_LISTED_AT_MOST = 10  # of a list inside of another object
_EXPANDABLE = {
    "payment_intent": {
        "customer": "customer",
        "latest_charge": "charge",
        "payment_method": "payment_method",
    },
    "charge": {
        "customer": "customer",
        "payment_intent": "payment_intent",
        "refunds": "list of refunds",
    },
    "list of refunds": {"data": "refund"},
    "refund": {"charge": "charge", "payment_intent": "payment_intent"},
    "payment_method": {"customer": "customer"},
    "setup_intent": {"customer": "customer", "payment_method": "payment_method"},
    "dispute": {"charge": "charge", "payment_intent": "payment_intent"},
}


def check_expansions(operation: str, params: Params) -> None:
    """Refuse a wrong path before anything is executed."""
    resource, _, verb = operation.partition(".")
    kind = "payment_method" if verb == "list_payment_methods" else resource.removesuffix("s")
    for path in params.texts("expand"):
        names = path.split(".")
        if len(names) > _DEEPEST:
            raise invalid_parameter(
                f"You cannot expand more than {_DEEPEST} levels.", param="expand"
            )
        if verb.startswith("list") and (names.pop(0) != "data" or not names):
            raise _not_expandable(path)
        _check_path(kind, names, path)


def rendered(world: World, params: Params, body: JsonObject) -> JsonObject:
    """A copy of the answer, apart from the store, with what the call wants expanded."""
    answer = copy.deepcopy(body)
    for path in params.texts("expand"):
        _expand(world, answer, path.split("."))
    return answer


def _check_path(kind: str, names: list[str], path: str) -> None:
    for name in names:
        expandable = _EXPANDABLE.get(kind, {})
        if name not in expandable:
            raise _not_expandable(path)
        kind = expandable[name]


def _not_expandable(path: str) -> ApiError:
    return invalid_parameter(f"This property cannot be expanded ({path}).", param="expand")


def _expand(world: World, owner: JsonObject, names: list[str]) -> None:
    name, rest = names[0], names[1:]
    if owner["object"] == "list":
        for item in owner["data"]:
            if rest:
                _expand(world, item, rest)
        return
    if name == "refunds":
        owner.setdefault("refunds", _refunds_list(world, owner["id"]))
    else:
        owner[name] = _object_of(world.store, owner.get(name))
    if rest and owner[name] is not None:
        _expand(world, owner[name], rest)


def _object_of(store: Store, value: Any) -> Any:
    record = store.find(value) if isinstance(value, str) else None
    return copy.deepcopy(record.data) if record else value


def _refunds_list(world: World, charge_id: str) -> JsonObject:
    charge = world.store.find(charge_id)
    refunds = all_refunds_of(world, charge)[::-1] if charge else []
    return {
        "object": "list",
        "data": [copy.deepcopy(refund.data) for refund in refunds[:_LISTED_AT_MOST]],
        "has_more": len(refunds) > _LISTED_AT_MOST,
        "url": f"/v1/charges/{charge_id}/refunds",
    }
