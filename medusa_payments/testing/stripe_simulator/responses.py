"""Answers as HTTP, with the headers Stripe sends."""

import json
from email.utils import formatdate

from aiohttp import web

from .execution import Reply
from .request_log import LoggedRequest
from .world import API_VERSION

CORS_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Stripe-Version, Stripe-Account",
    "Access-Control-Expose-Headers": "Request-Id, Stripe-Version",
}


def respond(request: web.Request, entry: LoggedRequest, reply: Reply) -> web.Response:
    entry["status"] = reply.status
    return web.Response(
        status=reply.status,
        body=encoded(reply),
        content_type="application/json",
        headers=headers_of(request, entry, reply),
    )


def encoded(reply: Reply) -> bytes:
    return json.dumps(reply.body, indent=2).encode()


def headers_of(request: web.Request, entry: LoggedRequest, reply: Reply) -> dict[str, str]:
    headers = {
        "Date": formatdate(entry["time"], usegmt=True),  # by the simulator's clock
        "Request-Id": entry["id"],
        "Stripe-Version": request.headers.get("Stripe-Version", API_VERSION),
        **CORS_HEADERS,
        **reply.headers,
    }
    if entry["idempotency_key"]:
        headers["Idempotency-Key"] = entry["idempotency_key"]
    if account := request.headers.get("Stripe-Account"):
        headers["Stripe-Account"] = account
    return headers


def closed(request: web.Request) -> web.Response:
    """No answer: the connection is closed, and what is returned here goes nowhere."""
    if request.transport is not None:
        request.transport.close()
    return web.Response()
