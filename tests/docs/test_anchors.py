"""A link into a page leads to a heading that is there."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

import pytest

from tests.docs.pages import PAGES, ROOT, prose_of

_LINK = re.compile(r"\]\(([^)\s#]*)#([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def anchors_of(page: str) -> set[str]:
    """As GitHub makes them of headings."""
    headings = _HEADING.findall(prose_of(page))
    return {re.sub(r"[^\w\- ]", "", each).strip().lower().replace(" ", "-") for each in headings}


def target_of(page: str, link: str) -> str:
    path = (ROOT / PurePosixPath(page).parent / link).resolve() if link else ROOT / page
    return path.relative_to(ROOT).as_posix()


LINKS = sorted(
    {
        (page, target_of(page, link), anchor)
        for page in PAGES
        for link, anchor in _LINK.findall(prose_of(page))
        if "://" not in link and (not link or link.endswith(".md"))
    }
)


@pytest.mark.parametrize(("page", "target", "anchor"), LINKS)
def test_a_link_leads_to_a_heading(page: str, target: str, anchor: str) -> None:
    assert anchor in anchors_of(target)
