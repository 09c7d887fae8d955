"""`python -m benchmarks`: what the promise costs, as ratios to the least that could be written.

Needs PostgreSQL (``DATABASE_URL``, default the one at 127.0.0.1). Both sides run in the same server
process, on the same database and the same simulated Stripe, in turns.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import measures
from benchmarks.servers import database, environment, shop, stripe_simulator


def main() -> int:
    options = _parser().parse_args()
    with database() as database_url, stripe_simulator() as stripe_url:
        surroundings = environment(database_url, stripe_url)
        _migrate(surroundings)
        with shop({**surroundings, "MEDUSA_WEBHOOK_APPLY": "deferred"}) as url:
            compared = [
                *(measures.creation(url, parallel) for parallel in (1, 8)),
                *(measures.intake(url, stripe_url, parallel) for parallel in (1, 8)),
            ]
            rows = [_ratio(each, options) for each in compared]
        with shop(surroundings) as url:
            processed = measures.processing(url, stripe_url, count=options.count)
    _show(rows, processed)
    if options.json:
        sys.stdout.write(json.dumps({"ratios": rows, "webhooks_processed_per_second": processed}))
        sys.stdout.write("\n")
    return 0 if all(row["ratio"] <= row["limit"] for row in rows) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--count", type=int, default=400, help="requests of each side and round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print the figures as the last line")
    return parser


def _migrate(surroundings: dict[str, str]) -> None:
    command = [sys.executable, "manage.py", "migrate", "--run-syncdb", "-v0"]
    subprocess.run(command, env={**os.environ, **surroundings}, check=True)


def _ratio(measure: measures.Measure, options: argparse.Namespace) -> dict[str, Any]:
    """In turns, so that whatever else the machine does weighs on both sides."""
    measure.run(measure.ours, 50)
    measure.run(measure.bare, 50)
    ours, bare = [], []
    for _ in range(options.rounds):
        ours.append(measure.run(measure.ours, options.count))
        bare.append(measure.run(measure.bare, options.count))
    mine = median(each.together for each in ours)
    theirs = median(each.together for each in bare)
    return {
        "measure": measure.name,
        "parallel": measure.parallel,
        "ours_ms": round(median(each.median_ms for each in ours), 2),
        "bare_ms": round(median(each.median_ms for each in bare), 2),
        "ours_per_second": round(median(each.per_second for each in ours), 1),
        "bare_per_second": round(median(each.per_second for each in bare), 1),
        "ratio": round(mine / theirs, 2),
        "limit": measure.limit,
    }


def _show(rows: list[dict[str, Any]], processed: float) -> None:
    table = Table(title="Time of ours to time of the bare view")
    names = list(rows[0])
    for name in names:
        table.add_column(name.replace("_", " "))
    for row in rows:
        table.add_row(*(str(row[name]) for name in names))
    console = Console()
    console.print(table)
    console.print(f"Webhooks fully processed: {processed:.0f} a second, one connection")


if __name__ == "__main__":
    sys.exit(main())
