"""The HTTP server, and the simulator as a thing to use in process."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from .api import serve_api
from .authentication_page import answer_page, show_page
from .controls import ControlError, SimulatorControls
from .desk import ControlDesk
from .errors import JsonObject
from .responses import CORS_HEADERS
from .world import World

_STRIPE_JS = Path(__file__).parent / "stripe_js" / "stripe.js"
_START_TIMEOUT = 10
_SHUTDOWN_TIMEOUT = 1.0


class StripeSimulator(SimulatorControls):
    """A simulated Stripe on a thread of its own.

    Stopping it refuses connections and keeps what it knows; started again, it is on the same port.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        webhook_url: str | None = None,
        webhook_secret: str = "whsec_simulator",
    ) -> None:
        self._host = host
        self._port = port
        self._webhook = (webhook_url, webhook_secret)
        self._world = World()
        self._desk = ControlDesk(self._world)
        self._desk.set_webhook(*self._webhook)
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_ready = threading.Event()
        self._failure: OSError | None = None

    @property
    def url(self) -> str:
        return f"http://{self._host}:{self._port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        self._is_ready.clear()
        self._failure = None
        self._thread = threading.Thread(target=self._run, name="stripe-simulator", daemon=True)
        self._thread.start()
        if not self._is_ready.wait(_START_TIMEOUT):
            raise TimeoutError("The Stripe simulator did not start.")
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        if self._thread is None or self._loop is None:
            return
        self._loop.call_soon_threadsafe(self._world.stopping.set)
        self._thread.join()
        self._thread = self._loop = None

    def _ask(self, act: str, **arguments: Any) -> Any:
        if self._loop is None:
            return asyncio.run(self._perform_while_stopped(act, arguments))
        return asyncio.run_coroutine_threadsafe(
            self._desk.perform(act, arguments), self._loop
        ).result()

    async def _perform_while_stopped(self, act: str, arguments: JsonObject) -> Any:
        try:
            return await self._desk.perform(act, arguments)
        finally:
            await self._world.webhooks.close()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except OSError as error:  # the port is taken; start() raises it on its own thread
            self._failure = error
            self._is_ready.set()

    async def _serve(self) -> None:
        self._world.stopping = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        await serve(self._world, self._host, self._port, self._note_port)

    def _note_port(self, port: int) -> None:
        self._port = port
        self._is_ready.set()


async def serve(world: World, host: str, port: int, on_ready: Callable[[int], None]) -> None:
    """Serve until `world.stopping` is set."""
    runner = web.AppRunner(
        build_app(world),
        handler_cancellation=True,
        access_log=None,
        shutdown_timeout=_SHUTDOWN_TIMEOUT,
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port, reuse_address=True)
        await site.start()
        on_ready(runner.addresses[0][1])
        await world.stopping.wait()
    finally:
        await runner.cleanup()
        await world.background.close()
        await world.webhooks.close()


def build_app(world: World) -> web.Application:
    app = web.Application()
    desk = ControlDesk(world)
    app.router.add_get("/_simulator/health", _health)
    app.router.add_post("/_simulator/{act}", _control(desk))
    app.router.add_get("/_simulator/3ds/{intent}", show_page)
    app.router.add_post("/_simulator/3ds/{intent}", _answered_page(world))
    app.router.add_get("/v3", _stripe_js)
    app.router.add_get("/v3/", _stripe_js)
    app.router.add_options("/{path:.*}", _preflight)
    app.router.add_route("*", "/{path:.*}", _api(world))
    return app


_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def _api(world: World) -> _Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        return await serve_api(world, request)

    return handle


def _control(desk: ControlDesk) -> _Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        arguments = await request.json() if request.can_read_body else {}
        try:
            answer = await desk.perform(request.match_info["act"], arguments)
        except ControlError as error:
            return web.json_response({"error": str(error)}, status=400, headers=CORS_HEADERS)
        return web.json_response({"answer": answer}, headers=CORS_HEADERS)

    return handle


def _answered_page(world: World) -> _Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        return await answer_page(world, request)

    return handle


async def _health(request: web.Request) -> web.StreamResponse:
    return web.json_response({"answer": "ready"})


async def _preflight(request: web.Request) -> web.StreamResponse:
    return web.Response(status=204, headers=CORS_HEADERS)


async def _stripe_js(request: web.Request) -> web.StreamResponse:
    text = _STRIPE_JS.read_text(encoding="utf-8")
    return web.Response(text=text, content_type="text/javascript", headers=CORS_HEADERS)
