"""`python -m medusa_payments.testing.stripe_simulator`: the simulator as a process."""

import argparse
import asyncio
import signal
import sys

from .server import serve
from .webhooks import Endpoint
from .world import World


def main() -> None:
    asyncio.run(_serve(_parser().parse_args()))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="A simulated Stripe for tests.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9210)
    parser.add_argument("--webhook-url", help="where events are posted")
    parser.add_argument("--webhook-secret", default="whsec_simulator")
    parser.add_argument("--hold", action="store_true", help="queue events until they are released")
    return parser


async def _serve(options: argparse.Namespace) -> None:
    world = World()
    world.webhooks.is_holding = options.hold
    if options.webhook_url:
        world.webhooks.endpoints = [Endpoint(options.webhook_url, options.webhook_secret)]
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, world.stopping.set)
    await serve(world, options.host, options.port, lambda port: _announce(options.host, port))


def _announce(host: str, port: int) -> None:
    sys.stdout.write(f"Stripe simulator ready on http://{host}:{port}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
