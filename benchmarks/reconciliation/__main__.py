"""`python -m benchmarks.reconciliation`: ten thousand lost answers among a million sessions.

Celery workers on a real broker find out what became of each, while some of them are killed at
random moments. At the end every unit of money in the simulated Stripe is held against our record.
Needs PostgreSQL (``DATABASE_URL``) and a broker (``CELERY_BROKER_URL``, default RabbitMQ here).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import django
from rich.console import Console
from rich.table import Table

from benchmarks.reconciliation.bad_day import BLIND, FAULTS
from benchmarks.reconciliation.workers import Beat, Worker
from benchmarks.servers import database, environment, stripe_simulator
from medusa_payments.testing.stripe_simulator.client import SimulatorClient

_HOURS = 3  # since the answers were lost: the horizon is over
_READS = ("payment_intents.list", "payment_intents.retrieve", "refunds.list", "disputes.list")
_SHARES = {"never made": 2, "payable": 2, "held": 2, "taken": 2, "captures": 1, "refunds": 1}
_LONGEST = 3600  # seconds
_MOST_READS = 1 / 20  # for each call


def main() -> int:
    options = _parser().parse_args()
    with ExitStack() as stack:
        database_url = stack.enter_context(database())
        stripe_url = stack.enter_context(stripe_simulator())
        surroundings = environment(
            database_url,
            stripe_url,
            CELERY_BROKER_URL=options.broker,
            CELERY_TASK_DEFAULT_QUEUE=f"benchmark-{os.getpid()}",
            MEDUSA_SWEEP_EVERY="5",
            MEDUSA_LEASE_SECONDS="10",
        )
        os.environ |= surroundings
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example_project.settings")
        django.setup()
        bench = Bench(SimulatorClient(stripe_url), surroundings, options)
        figures = bench.run(stack)
    _show(figures)
    if options.json:
        sys.stdout.write(json.dumps(figures) + "\n")
    return 0 if figures["holds"] else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.reconciliation", description=__doc__
    )
    parser.add_argument("--sessions", type=int, default=1_000_000, help="finished ones around")
    parser.add_argument("--calls", type=int, default=10_000, help="of unknown outcome")
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--kills", type=int, default=2, help="workers that get SIGKILL")
    parser.add_argument(
        "--broker", default=os.environ.get("CELERY_BROKER_URL", "amqp://guest:guest@127.0.0.1:5672")
    )
    parser.add_argument("--json", action="store_true", help="print the figures as the last line")
    return parser


class Bench:
    def __init__(
        self, stripe: SimulatorClient, surroundings: dict[str, str], options: argparse.Namespace
    ) -> None:
        self._stripe = stripe
        self._surroundings = surroundings
        self._options = options

    def run(self, stack: ExitStack) -> dict[str, Any]:
        subprocess.run([sys.executable, "manage.py", "migrate", "--run-syncdb", "-v0"], check=True)
        self._say("making calls whose answers are lost")
        self._lose_answers()
        self._say("filling the tables")
        self._fill()
        unfinished, before = self._unfinished(), self._reads()
        started = time.monotonic()
        workers = [
            stack.enter_context(Worker(number, self._surroundings))
            for number in range(self._options.workers)
        ]
        stack.enter_context(Beat(self._surroundings))
        self._say(f"{unfinished} calls are unfinished; {len(workers)} workers begin")
        killed = self._await_end(workers, unfinished)
        seconds = time.monotonic() - started
        return self._figures(unfinished, killed, seconds, self._reads() - before)

    # Before

    def _lose_answers(self) -> None:
        self._stripe.advance(-_HOURS * 3600)
        shares = sum(_SHARES.values())
        for kind, share in _SHARES.items():
            count = self._options.calls * share // shares
            if kind in BLIND:
                paid = "paid by hold" if kind == "captures" else "paid at once"
                self._in_processes(paid, count)
                self._stripe.fault("rate_limit", "payment_intents.retrieve", times=None)
            fault, operation = FAULTS[kind]
            self._stripe.fault(fault, operation, times=None)
            # One process for what takes the next payment that nobody has taken.
            self._in_processes(kind, count, parallel=1 if kind in BLIND else 2)
            self._stripe.clear_faults()
        self._stripe.advance(_HOURS * 3600)
        _let_time_pass(hours=_HOURS)

    def _in_processes(self, kind: str, count: int, *, parallel: int = 2) -> None:
        own = {**self._surroundings, "STRIPE_TOTAL_BUDGET": "1", "STRIPE_READ_TIMEOUT": "10"}
        command = [sys.executable, "-m", "benchmarks.reconciliation.bad_day", kind]
        share = str(-(-count // parallel))
        running = [
            subprocess.Popen([*command, share], env=own, stderr=subprocess.DEVNULL)
            for _ in range(parallel)
        ]
        codes = [process.wait() for process in running]
        if any(codes):
            raise RuntimeError(f"{kind}: the calls could not be made")

    def _fill(self) -> None:
        from benchmarks.reconciliation.big_tables import fill
        from medusa_payments.models import PaymentSession

        finished = PaymentSession.objects.filter(provider_state="captured").order_by("pk").first()
        assert finished is not None
        fill(finished, self._options.sessions)

    # Meanwhile

    def _await_end(self, workers: list[Worker], unfinished: int) -> int:
        """Until nothing is unfinished; kills some workers on the way, and starts them anew."""
        moments = sorted(random.uniform(0.1, 0.7) * unfinished for _ in range(self._options.kills))
        killed = 0
        ends = time.monotonic() + _LONGEST
        while (left := self._unfinished()) and time.monotonic() < ends:
            if moments and unfinished - left >= moments[0]:
                moments.pop(0)
                workers[killed % len(workers)].kill()
                killed += 1
                self._say(f"{left} left; one worker killed")
            time.sleep(0.5)
        return killed

    def _unfinished(self) -> int:
        from medusa_payments.models import ProviderCall

        return ProviderCall.objects.filter(next_attempt_at__isnull=False).count()

    def _reads(self) -> Counter[str]:
        return Counter({each: len(self._stripe.requests(each)) for each in _READS})

    # Afterwards

    def _figures(
        self, unfinished: int, killed: int, seconds: float, asked: Counter[str]
    ) -> dict[str, Any]:
        from benchmarks.reconciliation.truth import differences

        found = differences(self._stripe)
        for each in found[:20]:
            self._say(each)
        left, reads = self._unfinished(), asked.total()
        return {
            "sessions": self._options.sessions,
            "calls": unfinished,
            "workers": self._options.workers,
            "killed": killed,
            "seconds": round(seconds, 1),
            "calls_per_second": round(unfinished / seconds, 1),
            "reads": reads,
            **{f"reads by {operation}": count for operation, count in asked.items()},
            "calls_for_each_read": round(unfinished / reads, 1) if reads else None,
            "left": left,
            "differences_from_the_ledger": len(found),
            "holds": not left and not found and reads <= unfinished * _MOST_READS,
        }

    def _say(self, text: str) -> None:
        Console(stderr=True).print(f"{time.strftime('%H:%M:%S')} {text}", highlight=False)


def _let_time_pass(*, hours: float) -> None:
    """What happened here so far happened that much earlier."""
    from django.db.models import F

    from medusa_payments.models import PaymentSession, ProviderCall

    earlier = timedelta(hours=hours)
    ProviderCall.objects.update(
        **{
            name: F(name) - earlier
            for name in ("created_at", "first_sent_at", "last_sent_at", "next_attempt_at")
        },
        leased_until=None,
    )
    PaymentSession.all_objects.update(created_at=F("created_at") - earlier)


def _rows(figures: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, figure in figures.items():
        yield name.replace("_", " "), str(figure)


def _show(figures: dict[str, Any]) -> None:
    table = Table(title="Lost answers, found out", show_header=False)
    for row in _rows(figures):
        table.add_row(*row)
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())
