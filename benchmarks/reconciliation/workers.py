"""Celery's workers and its beat, as processes of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from types import TracebackType
from typing import Self


class _Process:
    def __init__(self, arguments: list[str], environment: dict[str, str]) -> None:
        self._command = [sys.executable, "-m", "celery", "-A", "example_project", *arguments]
        self._environment = environment
        self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def _start(self) -> None:
        self._process = subprocess.Popen(
            self._command,
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _end(self) -> None:
        """All of its group, at once: no handler, no finally, nothing is given back."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


class Worker(_Process):
    def __init__(self, number: int, environment: dict[str, str]) -> None:
        arguments = ["worker", "--concurrency=1", "-n", f"bench{number}@%h", "--loglevel=WARNING"]
        super().__init__([*arguments, "--without-mingle", "--without-gossip"], environment)

    def kill(self) -> None:
        """Die, and be started anew, as by a service manager."""
        self._end()
        self._start()


class Beat(_Process):
    def __init__(self, environment: dict[str, str]) -> None:
        super().__init__(["beat", f"--schedule=/tmp/medusa-beat-{os.getpid()}"], environment)
