"""The `/v1` door: read a request, let it go wrong where a fault says so, answer it."""

import base64
from urllib.parse import parse_qsl

from aiohttp import web

from .errors import ApiError
from .execution import Execution, Reply
from .faulty_answers import answer_faultily
from .forms import parse_pairs
from .identifiers import new_id
from .params import Params
from .request_log import LoggedRequest
from .responses import respond
from .routes import match_operation
from .world import DEFAULT_ACCOUNT, Call, World


async def serve_api(world: World, request: web.Request) -> web.StreamResponse:
    entry = world.requests.open_entry(
        new_id("req"),
        method=request.method,
        path=request.path,
        key=request.headers.get("Idempotency-Key"),
        version=request.headers.get("Stripe-Version"),
    )
    try:
        execution = await _read(world, request, entry)
    except ApiError as error:
        return respond(request, entry, Reply(error.status, error.body))
    fault = world.faults.take(
        entry["operation"] or "", request.method, key_is_known=execution.key_is_known
    )
    if fault is None:
        return respond(request, entry, execution.run())
    entry["fault"] = fault.kind.value
    return await answer_faultily(world, request, entry, execution, fault)


async def _read(world: World, request: web.Request, entry: LoggedRequest) -> Execution:
    operation, path = match_operation(request.method, request.path)
    entry["operation"] = operation.name
    values = parse_pairs(await _pairs(request))
    entry["params"] = values
    api_key = _api_key(request)
    account = entry["account"] = _account(world, request, api_key)
    call = Call(
        params=Params(values),
        account=account,
        request_id=entry["id"],
        idempotency_key=entry["idempotency_key"],
        is_publishable=bool(api_key and api_key.startswith("pk_")),
        base_url=f"{request.scheme}://{request.host}",
        path=path,
    )
    return Execution(world, call, operation, entry, api_key)


async def _pairs(request: web.Request) -> list[tuple[str, str]]:
    query = parse_qsl(request.rel_url.raw_query_string, keep_blank_values=True)
    body = parse_qsl(await request.text(), keep_blank_values=True)
    return query + body


def _api_key(request: web.Request) -> str | None:
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return credentials.strip()
    if scheme.lower() == "basic":
        return base64.b64decode(credentials).decode().partition(":")[0]
    return None


def _account(world: World, request: web.Request, api_key: str | None) -> str:
    own = world.options.accounts_of_keys.get(api_key or "", DEFAULT_ACCOUNT)
    return request.headers.get("Stripe-Account", own)
