"""Single objects and lists of them: newest first, filtered, in pages."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import islice

from .errors import JsonObject, invalid_parameter, missing_resource
from .params import Params
from .store import Record, age_of
from .world import Call, World

Handler = Callable[[World, Call], JsonObject]
Matches = Callable[[Record], bool]
_DEFAULT_LIMIT = 10
_LARGEST_LIMIT = 100


def retriever(kind: str, param: str = "id") -> Handler:
    def answer(world: World, call: Call) -> JsonObject:
        return world.store.get(kind, call.path["id"], account=call.account, param=param).data

    return answer


def lister(kind: str, url: str, *filters: str) -> Handler:
    """The list operation of one kind of object; each filter compares the field of its name."""

    def answer(world: World, call: Call) -> JsonObject:
        return _page(world, call, kind, url, matches=_has(call.params, filters))

    return answer


def list_customer_methods(world: World, call: Call) -> JsonObject:
    customer = world.store.living_customer(
        call.path["id"], account=call.account, param="id", status=404
    )
    has_type = _has(call.params, ("type",))
    return _page(
        world,
        call,
        "payment_method",
        f"/v1/customers/{customer.id}/payment_methods",
        matches=lambda method: method["customer"] == customer.id and has_type(method),
    )


def list_events(world: World, call: Call) -> JsonObject:
    types = call.params.texts("types")
    wanted = call.params.text("type")
    return _page(
        world,
        call,
        "event",
        "/v1/events",
        matches=lambda event: (
            _type_matches(event["type"], wanted) and (not types or event["type"] in types)
        ),
    )


def _type_matches(event_type: str, wanted: str | None) -> bool:
    if wanted is None:
        return True
    if wanted.endswith("*"):
        return event_type.startswith(wanted[:-1])
    return event_type == wanted


def _has(params: Params, filters: tuple[str, ...]) -> Matches:
    wanted = {name: params.text(name) for name in filters if params.text(name)}
    return lambda record: all(record.data.get(name) == value for name, value in wanted.items())


def _created_bounds(params: Params) -> tuple[float, float]:
    """The seconds in which it was made, both included."""
    created = params.values.get("created")
    if created is None or created == "":
        return -math.inf, math.inf
    if isinstance(created, str):
        exact = Params({"created": created}).required_integer("created")
        return exact, exact
    bounds = params.mapping("created") or {}
    first, last = -math.inf, math.inf
    for comparison in bounds:
        bound = _bound(bounds, comparison)
        if comparison in ("gt", "gte"):
            first = max(first, bound + (comparison == "gt"))
        else:
            last = min(last, bound - (comparison == "lt"))
    return first, last


def _bound(bounds: JsonObject, comparison: str) -> int:
    if comparison not in ("gt", "gte", "lt", "lte"):
        name = f"created[{comparison}]"
        raise invalid_parameter(
            f"Received unknown parameter: {name}", param=name, code="parameter_unknown"
        )
    return Params(bounds).required_integer(comparison)


def _page(world: World, call: Call, kind: str, url: str, *, matches: Matches) -> JsonObject:
    """One page, found without looking at what is on the pages before it."""
    params = call.params
    first, last = _created_bounds(params)
    limit = _limit(params)
    after, before = params.text("starting_after"), params.text("ending_before")
    if after and before:
        message = "You can only specify one of starting_after or ending_before."
        raise invalid_parameter(message, param="ending_before")
    records = world.store.made_between(kind, first, last)
    if before:
        start = bisect_right(records, _place(world, call, kind, "ending_before"), key=age_of)
        page, has_more = _taken(_rest(records, start), call, matches, limit)
        page.reverse()
    else:
        end = len(records)
        if after:
            end = bisect_left(records, _place(world, call, kind, "starting_after"), key=age_of)
        page, has_more = _taken(_back_from(records, end), call, matches, limit)
    return {
        "object": "list",
        "data": [record.data for record in page],
        "has_more": has_more,
        "url": url,
    }


def _rest(records: Sequence[Record], start: int) -> Iterable[Record]:
    return (records[index] for index in range(start, len(records)))


def _back_from(records: Sequence[Record], end: int) -> Iterable[Record]:
    return (records[index] for index in range(end - 1, -1, -1))


def _taken(
    records: Iterable[Record], call: Call, matches: Matches, limit: int
) -> tuple[list[Record], bool]:
    """The first so many that match, and whether there are more."""
    listed = (
        record
        for record in records
        if record.account == call.account and not record.data.get("deleted") and matches(record)
    )
    page = list(islice(listed, limit + 1))
    return page[:limit], len(page) > limit


def _place(world: World, call: Call, kind: str, param: str) -> tuple[float, int]:
    identifier = call.params.text(param) or ""
    record = world.store.find(identifier)
    if record is None or record["object"] != kind or record.account != call.account:
        raise missing_resource(kind, identifier, param=param, status=400)
    return age_of(record)


def _limit(params: Params) -> int:
    limit = params.integer("limit")
    if limit is None:
        return _DEFAULT_LIMIT
    if not 1 <= limit <= _LARGEST_LIMIT:
        message = f"Limit must be between 1 and {_LARGEST_LIMIT}."
        raise invalid_parameter(message, param="limit", code="parameter_invalid_integer")
    return limit
