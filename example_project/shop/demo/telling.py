"""Telling the story in the terminal, and remembering whether every figure was right."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from example_project.shop.demo.records import Money
from example_project.shop.demo.shop import ADMIN_NAME, ADMIN_PASSWORD, Answer, Shop

_WIDTH = 92


class Teller:
    def __init__(self) -> None:
        self._console = Console(highlight=False)
        self._console.width = min(self._console.width, _WIDTH)
        self._checked = 0
        self._wrong: list[str] = []

    def opening(self) -> None:
        self._console.print(
            Panel(
                "A shop, its database and a simulated Stripe on this machine. They talk over real"
                " HTTP, and some of Stripe's answers get lost on the way.",
                title="medusa_payments",
                border_style="cyan",
            )
        )

    def chapter(self, title: str) -> None:
        self._console.print()
        self._console.rule(f"[bold cyan]{title}", align="left")
        self._console.print()

    def step(self, text: str) -> None:
        self._print_beside(Text("▸", "cyan"), Text(text))

    def answer(self, answer: Answer, *, expected: int) -> None:
        """Show an HTTP answer, and a refusal's own words."""
        is_right = self._check(f"HTTP {answer.status}", answer.status, expected)
        style = "green" if answer.status == 200 else "yellow"
        text = Text(f"HTTP {answer.status}", style)
        if kind := answer.body.get("type"):
            text.append(f" {kind}", "bold yellow")
        if message := answer.body.get("message"):
            text.append(f"\n“{message}”", "italic default")
        self._print_beside(_mark(is_right), text)

    def facts(self, title: str, rows: Sequence[tuple[str, Any, Any]]) -> None:
        """Rows of name, found, expected; each is checked."""
        table = Table.grid(padding=(0, 2))
        for name, found, expected in rows:
            is_right = self._check(f"{title}: {name}", found, expected)
            shown = Text(_shown(found))
            if not is_right:
                shown.append(f" (expected {_shown(expected)})", "bold red")
            table.add_row(name, shown, _mark(is_right))
        self._print_below(title, table)

    def money(
        self, title: str, *, ours: Money, theirs: Money, **expected: str | tuple[str, str]
    ) -> None:
        """Both sides' figures; an expectation is one for both, or ours and theirs."""
        table = Table(box=box.SIMPLE_HEAD, show_edge=False)
        table.add_column("EUR")
        for heading in ("our database", "Stripe (simulated)"):
            table.add_column(heading, justify="right")
        table.add_column("", width=1)
        for name, figure in expected.items():
            pair = (figure, figure) if isinstance(figure, str) else figure
            found = (getattr(ours, name), getattr(theirs, name))
            wanted = (Decimal(pair[0]), Decimal(pair[1]))
            is_right = self._check(f"{title}: {name}", found, wanted)
            cells = [_figure(*both) for both in zip(found, wanted, strict=True)]
            table.add_row(name.replace("_", " "), *cells, _mark(is_right))
        self._print_below(title, table)

    def broken(self, log: str) -> None:
        self._console.print_exception()
        self._console.print(log, style="dim", markup=False)

    def ending(self) -> bool:
        """Whether all was right."""
        if self._wrong:
            listed = "\n".join(self._wrong)
            text = f"{len(self._wrong)} of {self._checked} figures were wrong:\n{listed}"
            self._console.print(Panel(Text(text), border_style="red"))
            return False
        self._console.print()
        text = f"All {self._checked} figures were right: every cent is where it belongs."
        self._console.print(Panel(text, border_style="green"))
        return True

    def invitation(self, shop: Shop, *, stripe_url: str, database: Path) -> None:
        table = Table.grid(padding=(0, 2))
        for name, value in (
            ("Shop", shop.url),
            ("Admin", f"{shop.url}/admin/   {ADMIN_NAME} / {ADMIN_PASSWORD}"),
            ("Database", str(database)),
        ):
            table.add_row(f"[bold]{name}", value)
        self._console.print(table)
        self._console.print(
            "Lose answers yourself, then check out in the shop:"
            f"\n  curl {stripe_url}/_simulator/fault -d"
            ' \'{"kind": "drop_after", "operation": "payment_intents.create", "times": 3}\''
            "\nCtrl-C ends the demo.",
            markup=False,
            soft_wrap=True,
        )

    def _print_below(self, title: str, table: Table) -> None:
        self._console.print()
        self._console.print(f"  {title}", style="bold")
        self._console.print(Padding(table, (0, 0, 1, 2)))

    def _print_beside(self, mark: Text, text: Text) -> None:
        """What wraps stays right of the mark."""
        grid = Table.grid(padding=(0, 1))
        grid.add_row(mark, text)
        self._console.print(grid)

    def _check(self, name: str, found: Any, expected: Any) -> bool:
        self._checked += 1
        if found == expected:
            return True
        self._wrong.append(f"{name}: {_shown(found)}, expected {_shown(expected)}")
        return False


def _mark(is_right: bool) -> Text:
    return Text("✓", "green") if is_right else Text("✗", "bold red")


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    if isinstance(value, tuple):
        return " / ".join(map(_shown, value))
    return str(value)


def _figure(found: Decimal, wanted: Decimal) -> Text:
    if found == wanted:
        return Text(_shown(found))
    return Text(f"{_shown(found)} (expected {_shown(wanted)})", "bold red")
