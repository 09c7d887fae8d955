"""The pages of the documentation, as tests read them."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")))

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_BAR = re.compile(r"(?<!\\)\|")
_QUOTED = re.compile(r"`([^`\n]+)`")


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def prose_of(page: str) -> str:
    """Without its blocks of code."""
    return _BLOCK.sub("", text_of(page))


def code_in(page: str, language: str = "python") -> list[str]:
    return [code for found, code in _BLOCK.findall(text_of(page)) if found == language]


def quoted_in(text: str) -> list[str]:
    """What stands in backticks, once each, in its order."""
    return list(dict.fromkeys(_QUOTED.findall(text)))


def rows_of(page: str, heading: str) -> list[list[str]]:
    """The rows of the first table below a heading, without its head."""
    below = f"\n{text_of(page)}".partition(f"\n{heading}\n")[2]
    table = re.search(r"(?:^\|.*\n)+", below, re.MULTILINE)
    assert table, f"{page} has no table below {heading}"
    lines = table.group().splitlines()[2:]
    return [[cell.strip() for cell in _BAR.split(line)[1:-1]] for line in lines]
