"""Every dotted name of ours that a page writes in backticks can be imported."""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any

import pytest

from tests.docs.pages import PAGES, prose_of, quoted_in

_DOTTED = re.compile(r"(medusa_payments(?:\.\w+)+)(?:\(.*\))?")


def named_in(page: str) -> list[str]:
    found = (_DOTTED.fullmatch(name) for name in quoted_in(prose_of(page)))
    return [match[1] for match in found if match]


def resolve(name: str) -> Any:
    """The module, or what stands in it.

    :raises ImportError, AttributeError: there is no such thing.
    """
    try:
        return import_module(name)
    except ModuleNotFoundError:
        holder, _, last = name.rpartition(".")
        return getattr(resolve(holder), last)


NAMES = sorted({(page, name) for page in PAGES for name in named_in(page)})


@pytest.mark.parametrize(("page", "name"), NAMES)
def test_a_name_that_a_page_writes_exists(page: str, name: str) -> None:
    resolve(name)  # asserts by not raising
