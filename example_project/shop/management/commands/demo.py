from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

_CHECKOUT = Path(__file__).resolve().parents[4]


class Command(BaseCommand):
    help = (
        "Tell, on a shop of its own with a simulated Stripe, what happens to money when answers"
        " get lost. Exit status 0 only if every figure was right."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--exit", action="store_true", help="end after the story; else the shop stays open"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Become the demo: its settings differ, and Django reads settings once."""
        search_path = [str(_CHECKOUT), os.environ.get("PYTHONPATH", "")]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, search_path))}
        command = [sys.executable, "-m", "example_project.shop.demo"]
        if options["exit"]:
            command.append("--exit")
        sys.stdout.flush()
        os.execve(command[0], command, environment)  # noqa: S606 - this very interpreter
