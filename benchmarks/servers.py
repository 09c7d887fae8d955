"""What is measured: the shop's server and the simulated Stripe, each a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, cast
from urllib.error import URLError

import psycopg

ROOT_URL = os.environ.get("DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres")
WEBHOOK_SECRET = "whsec_of_the_benchmarks"  # noqa: S105 - of a Stripe that is none
_THREADS = 8


@contextmanager
def database() -> Iterator[str]:
    """A database of our own on the server that DATABASE_URL names, dropped at the end."""
    name = f"medusa_benchmarks_{os.getpid()}"
    server = ROOT_URL.replace("postgres://", "postgresql://")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    try:
        yield f"{ROOT_URL.rpartition('/')[0]}/{name}"
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def stripe_simulator() -> Iterator[str]:
    """Its URL; events are held back, so that only what is measured is sent."""
    command = ["-m", "medusa_payments.testing.stripe_simulator", "--port", "0", "--hold"]
    with _process(command, os.environ.copy()) as process:
        yield cast("IO[str]", process.stdout).readline().split()[-1]


@contextmanager
def shop(environment: dict[str, str]) -> Iterator[str]:
    """Its URL, when it answers."""
    port = _free_port()
    command = ["-m", "waitress", f"--listen=127.0.0.1:{port}", f"--threads={_THREADS}"]
    with _process([*command, "example_project.wsgi:application"], environment):
        url = f"http://127.0.0.1:{port}"
        _await(url)
        yield url


def environment(database_url: str, stripe_url: str, **more: str) -> dict[str, str]:
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "benchmarks.bare.settings",
        "DJANGO_DEBUG": "0",
        "DATABASE_URL": database_url,
        "STRIPE_API_BASE": stripe_url,
        "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "MEDUSA_PUBLISHABLE_KEY": "pk_benchmark",
        "MEDUSA_ADMIN_API_KEY": "sk_benchmark",
        **more,
    }


@contextmanager
def _process(arguments: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, *arguments], env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(10)


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _await(url: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            urllib.request.urlopen(url, timeout=5)
        except URLError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return
