"""Which policy fits, and how many persons it takes: by the settings alone."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from medusa_payments.operations.policies import mode_for, persons_needed
from medusa_payments.statuses import ProposalKind
from tests.laws.scenes import AMOUNT_MINOR, FAKE
from tests.operations.ghosts import amend

HUNDRED = {"eur": Decimal("100")}


@pytest.mark.parametrize(
    ("policies", "mode"),
    [
        ((), "act"),
        (({"MODE": "observe"},), "observe"),
        (({"MODE": "propose", "PROVIDER": FAKE},), "propose"),
        (({"MODE": "propose", "PROVIDER": "pp_other"},), "act"),
        (({"MODE": "propose", "KIND": "refund"},), "propose"),
        (({"MODE": "propose", "KIND": "cancel"},), "act"),
        (({"MODE": "propose", "ABOVE": HUNDRED},), "propose"),
        (({"MODE": "propose", "ABOVE": {"eur": Decimal("100.50")}},), "act"),
        (({"MODE": "propose", "ABOVE": {"eur": 0}},), "propose"),
        (({"MODE": "propose", "ABOVE": {"usd": Decimal("1")}},), "act"),
        (({"MODE": "propose", "OLDER_THAN": 60},), "propose"),
        (({"MODE": "propose", "OLDER_THAN": 61},), "act"),
        (({"MODE": "act", "KIND": "refund"}, {"MODE": "observe"}), "act"),
        (({"MODE": "act", "KIND": "cancel"}, {"MODE": "observe"}), "observe"),
        (({"MODE": "observe", "KIND": "refund", "PROVIDER": "pp_other"},), "act"),
    ],
)
def test_the_first_policy_that_fits_decides(policies: Any, mode: str, shop: Any) -> None:
    amend(shop, POLICIES=policies)

    assert mode == mode_for(
        provider_id=FAKE,
        kind=ProposalKind.REFUND,
        amount_minor=AMOUNT_MINOR,
        currency_code="eur",
        age=timedelta(seconds=60),
    )


@pytest.mark.parametrize(
    ("limits", "amount_minor", "persons"),
    [
        ({}, 10**9, 1),
        (HUNDRED, 10000, 1),
        (HUNDRED, 10001, 2),
        ({"usd": Decimal("1")}, 10001, 1),
        ({"eur": 0}, 1, 2),
    ],
)
def test_two_persons_are_needed_above_the_limit(
    limits: Any, amount_minor: int, persons: int, shop: Any
) -> None:
    amend(shop, TWO_PERSONS_ABOVE=limits)

    assert persons_needed(amount_minor=amount_minor, currency_code="eur") == persons
