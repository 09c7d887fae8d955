"""Single objects and lists of them: newest first, filtered, in pages."""

from collections.abc import Callable

from .errors import JsonObject, invalid_parameter, missing_resource
from .params import Params
from .store import Record
from .world import Call, World

Handler = Callable[[World, Call], JsonObject]
_COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "gt": lambda created, bound: created > bound,
    "gte": lambda created, bound: created >= bound,
    "lt": lambda created, bound: created < bound,
    "lte": lambda created, bound: created <= bound,
}
_DEFAULT_LIMIT = 10
_LARGEST_LIMIT = 100


def retriever(kind: str, param: str = "id") -> Handler:
    def answer(world: World, call: Call) -> JsonObject:
        return world.store.get(kind, call.path["id"], account=call.account, param=param).data

    return answer


def lister(kind: str, url: str, *filters: str) -> Handler:
    """The list operation of one kind of object; each filter compares the field of its name."""

    def answer(world: World, call: Call) -> JsonObject:
        records = world.store.newest_first(kind, account=call.account)
        return _page(_matching(records, call.params, filters), kind, url, call.params)

    return answer


def list_customer_methods(world: World, call: Call) -> JsonObject:
    customer = world.store.living_customer(
        call.path["id"], account=call.account, param="id", status=404
    )
    methods = [
        method
        for method in world.store.newest_first("payment_method", account=call.account)
        if method["customer"] == customer.id
    ]
    url = f"/v1/customers/{customer.id}/payment_methods"
    return _page(_matching(methods, call.params, ("type",)), "payment_method", url, call.params)


def list_events(world: World, call: Call) -> JsonObject:
    types = call.params.texts("types")
    events = [
        event
        for event in world.store.newest_first("event", account=call.account)
        if _type_matches(event["type"], call.params.text("type"))
        and (not types or event["type"] in types)
    ]
    return _page(_matching(events, call.params, ()), "event", "/v1/events", call.params)


def _type_matches(event_type: str, wanted: str | None) -> bool:
    if wanted is None:
        return True
    if wanted.endswith("*"):
        return event_type.startswith(wanted[:-1])
    return event_type == wanted


def _matching(records: list[Record], params: Params, filters: tuple[str, ...]) -> list[Record]:
    wanted = {name: params.text(name) for name in filters if params.text(name)}
    bounds = _created_bounds(params)
    return [
        record
        for record in records
        if not record.data.get("deleted")
        and all(record.data.get(name) == value for name, value in wanted.items())
        and all(_COMPARISONS[comparison](record["created"], bound) for comparison, bound in bounds)
    ]


def _created_bounds(params: Params) -> list[tuple[str, int]]:
    created = params.values.get("created")
    if created is None or created == "":
        return []
    if isinstance(created, str):
        exact = Params({"created": created}).required_integer("created")
        return [("gte", exact), ("lte", exact)]
    bounds = params.mapping("created") or {}
    for comparison in bounds:
        if comparison not in _COMPARISONS:
            name = f"created[{comparison}]"
            raise invalid_parameter(
                f"Received unknown parameter: {name}", param=name, code="parameter_unknown"
            )
    return [(comparison, Params(bounds).required_integer(comparison)) for comparison in bounds]


def _page(records: list[Record], kind: str, url: str, params: Params) -> JsonObject:
    limit = _limit(params)
    after, before = params.text("starting_after"), params.text("ending_before")
    if after and before:
        message = "You can only specify one of starting_after or ending_before."
        raise invalid_parameter(message, param="ending_before")
    if before:
        newer = records[: _position(records, before, kind, "ending_before")]
        page, has_more = newer[-limit:], len(newer) > limit
    else:
        start = _position(records, after, kind, "starting_after") + 1 if after else 0
        page, has_more = records[start : start + limit], len(records) > start + limit
    return {
        "object": "list",
        "data": [record.data for record in page],
        "has_more": has_more,
        "url": url,
    }


def _limit(params: Params) -> int:
    limit = params.integer("limit")
    if limit is None:
        return _DEFAULT_LIMIT
    if not 1 <= limit <= _LARGEST_LIMIT:
        message = f"Limit must be between 1 and {_LARGEST_LIMIT}."
        raise invalid_parameter(message, param="limit", code="parameter_invalid_integer")
    return limit


def _position(records: list[Record], identifier: str, kind: str, param: str) -> int:
    for index, record in enumerate(records):
        if record.id == identifier:
            return index
    raise missing_resource(kind, identifier, param=param, status=400)
