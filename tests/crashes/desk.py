"""A process of the shop that stays up: it runs the commands that it reads.

A line holds one command, or several that run at the same instant, each in a process of its own.
``POST <path> <body> <key>`` is a request of the shop's server to the API, which this process
serves itself; its exit status is that of the answer.
"""

from __future__ import annotations

import base64
import io
import json
import multiprocessing
import os
import sys
import traceback
from typing import Any


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example_project.settings")
    import django

    django.setup()
    _say("ready")
    for line in sys.stdin:
        commands = json.loads(line)
        _say([_run(commands[0])] if len(commands) == 1 else _run_at_once(commands))


def _run(arguments: list[str]) -> dict[str, Any]:
    if arguments[0] == "POST":
        return _post(*arguments[1:])
    from django.core.management import CommandError, call_command

    stdout, stderr = io.StringIO(), io.StringIO()
    status = 0
    try:
        call_command(*arguments, stdout=stdout, stderr=stderr)
    except CommandError as error:
        status = error.returncode
        stderr.write(str(error))
    except Exception:  # noqa: BLE001 - what went wrong is the answer
        status = 1
        stderr.write(traceback.format_exc())
    return {"status": status, "stdout": stdout.getvalue(), "stderr": stderr.getvalue()}


def _post(path: str, body: str, key: str) -> dict[str, Any]:
    from django.test import Client

    answer = Client(raise_request_exception=False).post(
        path,
        body,
        content_type="application/json",
        headers={
            "host": "localhost",
            "authorization": "Basic " + base64.b64encode(b"sk_demo:").decode(),
            "idempotency-key": key,
        },
    )
    headers = "".join(f"{name}: {value}\n" for name, value in answer.items())
    return {"status": answer.status_code, "stdout": answer.content.decode(), "stderr": headers}


def _run_at_once(commands: list[list[str]]) -> list[dict[str, Any]]:
    _close_connections()
    fork = multiprocessing.get_context("fork")
    start = fork.Barrier(len(commands))
    answers = fork.SimpleQueue()

    def run(arguments: list[str]) -> None:
        start.wait()
        answers.put(_run(arguments))

    children = [fork.Process(target=run, args=[each]) for each in commands]
    for child in children:
        child.start()
    given = [answers.get() for _ in children]
    for child in children:
        child.join()
    return given


def _close_connections() -> None:
    """Those to the database and to the provider: processes must not share them."""
    from django.db import connections

    from medusa_payments.providers import registry

    connections.close_all()
    registry.clear()


def _say(what: Any) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
