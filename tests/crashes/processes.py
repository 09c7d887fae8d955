"""The example project as processes: commands that can be killed, and desks that stay up."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from medusa_payments.testing.stripe_simulator import StripeSimulator

ROOT = Path(__file__).resolve().parents[2]
TIME_OUT = 90


@dataclass(frozen=True)
class Answer:
    """What a command said."""

    status: int
    stdout: str
    stderr: str

    @property
    def row(self) -> Any:
        """The object on the last line, with exact amounts."""
        last = self.stdout.strip().splitlines()[-1]
        return json.loads(last, parse_float=Decimal)

    def checked(self, status: int = 0) -> Answer:
        assert self.status == status, f"exit {self.status}, not {status}: {self}"
        return self


@dataclass
class Shop:
    """The example project on a database and a Stripe of its own."""

    database_url: str
    simulator: StripeSimulator
    environment: dict[str, str] = field(default_factory=dict)
    _processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return self._start([str(ROOT / "manage.py"), *arguments], stderr=subprocess.PIPE)

    def run(self, *arguments: str) -> Answer:
        process = self.start(*arguments)
        stdout, stderr = process.communicate(timeout=TIME_OUT)
        return Answer(process.returncode, stdout, stderr)

    def desk(self) -> Desk:
        return Desk(self._start(["-m", "tests.crashes.desk"], stdin=subprocess.PIPE))

    def close(self) -> None:
        for process in self._processes:
            kill(process)

    def _start(self, arguments: Sequence[str], **options: Any) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env={
                **os.environ,
                "DATABASE_URL": self.database_url,
                "STRIPE_API_BASE": self.simulator.url,
                "MEDUSA_NOT_FOUND_HORIZON": "1",
                **self.environment,
            },
            text=True,
            stdout=subprocess.PIPE,
            **options,
        )
        self._processes.append(process)
        return process


class Desk:
    """A process that runs one command after the other."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._is_ready = False

    def ask(self, *arguments: str) -> Answer:
        self.begin(arguments)
        (answer,) = self._hear()
        return Answer(**answer)

    def ask_at_once(self, *commands: Sequence[str]) -> list[Answer]:
        """Run several commands at the same instant, each in a process of its own."""
        self.begin(*commands)
        return [Answer(**each) for each in self._hear()]

    def begin(self, *commands: Sequence[str]) -> None:
        self.wait_until_ready()
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(commands) + "\n")
        self._process.stdin.flush()

    def wait_until_ready(self) -> None:
        if not self._is_ready:
            self._is_ready = self._hear() == "ready"

    def kill(self) -> None:
        kill(self._process)

    def _hear(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the desk's process has ended"
        return json.loads(line)


def kill(process: subprocess.Popen[str]) -> None:
    """SIGKILL: no handler, no finally, no rollback of its own."""
    if process.poll() is None:
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=TIME_OUT)
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            stream.close()
