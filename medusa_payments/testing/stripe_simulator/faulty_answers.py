"""What each kind of fault makes of a request."""

import asyncio
import copy
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from aiohttp import web

from .errors import ApiError, key_in_use, rate_limited
from .execution import Execution, Reply
from .faults import Fault, FaultKind
from .request_log import LoggedRequest
from .responses import closed, encoded, headers_of, respond
from .world import World

_PROXY_PAGE = (
    "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
)
_HEADER = "headers."


@dataclass
class _Exchange:
    world: World
    request: web.Request
    entry: LoggedRequest
    execution: Execution
    delay: float
    changes: Mapping[str, Any]

    def respond(self, reply: Reply) -> web.Response:
        return respond(self.request, self.entry, reply)

    def closed(self) -> web.Response:
        return closed(self.request)


_Answer = Callable[[_Exchange], Awaitable[web.StreamResponse]]


async def answer_faultily(
    world: World, request: web.Request, entry: LoggedRequest, execution: Execution, fault: Fault
) -> web.StreamResponse:
    exchange = _Exchange(world, request, entry, execution, fault.delay, fault.changes)
    return await _ANSWERS[fault.kind](exchange)


async def _drop_before(exchange: _Exchange) -> web.StreamResponse:
    return exchange.closed()


async def _drop_after(exchange: _Exchange) -> web.StreamResponse:
    exchange.execution.run()
    return exchange.closed()


async def _hang(exchange: _Exchange) -> web.StreamResponse:
    exchange.execution.run()
    return await _hang_before(exchange)


async def _hang_before(exchange: _Exchange) -> web.StreamResponse:
    """Ends after the delay, when the client leaves (aiohttp cancels) or the simulator stops."""
    await _pass_time(exchange)
    return exchange.closed()


async def _execute_late(exchange: _Exchange) -> web.StreamResponse:
    if exchange.execution.reserve():
        exchange.world.background.start(_executed_later(exchange))
    return exchange.closed()


async def _slow_execution(exchange: _Exchange) -> web.StreamResponse:
    if not exchange.execution.reserve():
        return exchange.respond(exchange.execution.run())
    task = exchange.world.background.start(_executed_later(exchange))
    return exchange.respond(await asyncio.shield(task))


async def _executed_later(exchange: _Exchange) -> Reply:
    try:
        await asyncio.sleep(exchange.delay)
    except asyncio.CancelledError:
        exchange.execution.abandon()
        raise
    return exchange.execution.execute()


async def _slow(exchange: _Exchange) -> web.StreamResponse:
    reply = exchange.execution.run()
    await _pass_time(exchange)
    return exchange.respond(reply)


async def _error_500_before(exchange: _Exchange) -> web.StreamResponse:
    return exchange.respond(exchange.execution.fail(after_executing=False))


async def _error_500_after(exchange: _Exchange) -> web.StreamResponse:
    return exchange.respond(exchange.execution.fail(after_executing=True))


async def _html_502_before(exchange: _Exchange) -> web.StreamResponse:
    exchange.entry["status"] = 502
    return web.Response(status=502, text=_PROXY_PAGE, content_type="text/html")


async def _html_502_after(exchange: _Exchange) -> web.StreamResponse:
    exchange.execution.run()
    return await _html_502_before(exchange)


async def _rate_limit(exchange: _Exchange) -> web.StreamResponse:
    return _refuse(exchange, rate_limited())


async def _key_in_use(exchange: _Exchange) -> web.StreamResponse:
    return _refuse(exchange, key_in_use(exchange.entry["idempotency_key"] or ""))


def _refuse(exchange: _Exchange, error: ApiError) -> web.Response:
    return exchange.respond(Reply(error.status, error.body))


async def _truncated_json(exchange: _Exchange) -> web.StreamResponse:
    reply = exchange.execution.run()
    body = encoded(reply)
    headers = headers_of(exchange.request, exchange.entry, reply) | {
        "Content-Type": "application/json"
    }
    response = web.StreamResponse(status=reply.status, headers=headers)
    response.content_length = len(body)
    await response.prepare(exchange.request)
    await response.write(body[: len(body) // 2])
    exchange.closed()
    return response


async def _truncated_json_clean(exchange: _Exchange) -> web.StreamResponse:
    reply = exchange.execution.run()
    body = encoded(reply)
    headers = headers_of(exchange.request, exchange.entry, reply)
    cut = body[: len(body) // 2]
    exchange.entry["status"] = 200
    return web.Response(status=200, body=cut, content_type="application/json", headers=headers)


async def _altered(exchange: _Exchange) -> web.StreamResponse:
    """As if something between the two had mixed answers up."""
    reply = exchange.execution.run()
    headers, body = dict(reply.headers), copy.deepcopy(reply.body)
    for path, value in exchange.changes.items():
        if path.startswith(_HEADER):
            headers[path.removeprefix(_HEADER)] = value
        else:
            _put(body, path.split("."), value)
    return exchange.respond(replace(reply, body=body, headers=headers))


def _put(thing: Any, path: list[str], value: Any) -> None:
    """Where `path` leads to nothing, such as in an error's body, nothing is changed."""
    name, *rest = path
    if isinstance(thing, list) and name.isdigit():
        for chosen in thing[int(name) : int(name) + 1]:
            _put(chosen, rest, value)
    elif isinstance(thing, list):
        for each in thing:
            _put(each, path, value)
    elif isinstance(thing, dict) and rest:
        _put(thing.get(name), rest, value)
    elif isinstance(thing, dict):
        thing[name] = value


async def _pass_time(exchange: _Exchange) -> None:
    try:
        await asyncio.wait_for(exchange.world.stopping.wait(), timeout=exchange.delay)
    except TimeoutError:
        return


_ANSWERS: dict[FaultKind, _Answer] = {
    FaultKind.DROP_BEFORE: _drop_before,
    FaultKind.DROP_AFTER: _drop_after,
    FaultKind.HANG: _hang,
    FaultKind.HANG_BEFORE: _hang_before,
    FaultKind.EXECUTE_LATE: _execute_late,
    FaultKind.ERROR_500_BEFORE: _error_500_before,
    FaultKind.ERROR_500_AFTER: _error_500_after,
    FaultKind.HTML_502_BEFORE: _html_502_before,
    FaultKind.HTML_502_AFTER: _html_502_after,
    FaultKind.RATE_LIMIT: _rate_limit,
    FaultKind.KEY_IN_USE: _key_in_use,
    FaultKind.TRUNCATED_JSON: _truncated_json,
    FaultKind.TRUNCATED_JSON_CLEAN: _truncated_json_clean,
    FaultKind.SLOW: _slow,
    FaultKind.SLOW_EXECUTION: _slow_execution,
    FaultKind.ALTERED: _altered,
}
