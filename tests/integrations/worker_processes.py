"""Workers of the example project as processes that can be killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 30


class WorkerProcess:
    """A worker and its children, in a process group of their own."""

    def __init__(self, *arguments: str, environment: Mapping[str, str], log: Path) -> None:
        self._log = log
        with log.open("w") as file:
            self._process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                env={**os.environ, **environment},
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        return self._log.read_text()

    def wait_for(self, text: str) -> WorkerProcess:
        wait_until(lambda: text in self.said, lambda: f"{text!r} in {self.said}")
        return self

    def kill(self) -> None:
        """SIGKILL to all of them at once: no handler, no finally, nothing is given back."""
        self._signal_all(signal.SIGKILL)

    def kill_children(self) -> None:
        """SIGKILL to those that run tasks, as the kernel does when memory runs out."""
        pid = self._process.pid
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            os.kill(int(child), signal.SIGKILL)

    def close(self) -> None:
        """A worker that is asked to end gives back what it holds; one that does not is killed."""
        self._signal_all(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=10)
        self.kill()

    def _signal_all(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)
        if number == signal.SIGKILL:
            self._process.wait(timeout=PATIENCE)


def wait_until(holds: Callable[[], bool], told: Callable[[], object] = str) -> None:
    ends = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < ends, told()
        time.sleep(0.05)
