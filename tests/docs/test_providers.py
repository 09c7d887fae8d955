"""What docs/providers.md shows is what the tests run."""

from __future__ import annotations

import pytest

from medusa_payments.providers.base import PaymentProvider
from medusa_payments.providers.types import Capabilities
from medusa_payments.testing.provider_contract import ProviderContract
from tests.docs.pages import ROOT, quoted_in, rows_of, text_of

PAGE = "docs/providers.md"
SHOWN = "tests/docs/acme_provider.py"


def test_the_guide_shows_the_provider_word_for_word() -> None:
    _, _, shown = text_of(PAGE).partition(f"<!-- {SHOWN}, word for word -->\n```python\n")
    shown, _, _ = shown.partition(f"```\n<!-- end of {SHOWN} -->")

    assert shown == (ROOT / SHOWN).read_text(encoding="utf-8"), f"copy {SHOWN} into {PAGE}"


def test_the_guide_names_every_capability() -> None:
    rows = rows_of(PAGE, "## 7. State the capabilities")

    named = [name for cell, *_ in rows for name in quoted_in(cell)]

    assert sorted(named) == sorted(Capabilities.__dataclass_fields__)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_the_methods_that_the_guide_names_exist(number: int) -> None:
    section = text_of(PAGE).partition("\n## 2. Write the methods\n")[2].partition("\n## ")[0]
    table = section.split("\n\n")[number - 1]

    rows = [line.split(" | ")[0] for line in table.strip().splitlines()[2:]]
    named = [name for cell in rows for name in quoted_in(cell)]

    assert named
    assert [name for name in named if not hasattr(PaymentProvider, name)] == []


@pytest.mark.parametrize(
    "hook", ["hold", "lose_next_answer", "drop_next_request", "make_unreachable", "delivery"]
)
def test_the_hooks_that_the_guide_shows_exist(hook: str) -> None:
    assert f"def {hook}(self" in text_of(PAGE)
    assert callable(getattr(ProviderContract, hook))
