"""A ledger of 100,000 objects. Run by name: `pytest -m slow tests/reconciliation/test_ledger_*`."""

from __future__ import annotations

import resource
from typing import Any

import pytest
from django.db import connections

from medusa_payments.models import Discrepancy
from medusa_payments.reconciliation.ledger_scan import scan_ledger
from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.laws.fixtures import configure
from tests.laws.scenes import STRIPE
from tests.reconciliation.ledger_scenes import END, START, deals, named, on_both_sides, plant

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.timeout(1_800)]

# On PostgreSQL; a tenth of it where the rows on our side take many minutes to be written.
_SHARE = 1 if connections["default"].vendor == "postgresql" else 10
OBJECTS = 100_000 // _SHARE
_DEALS = 52_640 // _SHARE  # with their charges and refunds


def test_exactly_what_is_wrong_among_100000_objects_is_found(
    stripe: StripeSimulator, shop: Any
) -> None:
    configure(shop, READS_PER_MINUTE=1_000_000)
    on_both_sides(stripe, deals(_DEALS))
    wrong = plant(stripe, first=100_000, each=20)
    before = _peak_megabytes()

    report = scan_ledger(STRIPE, since=START, until=END)

    assert sum(row["objects"] for row in report.totals) > OBJECTS
    assert named(report) == wrong
    matched = [row for row in report.totals if row["class"] == "matched"]
    assert all(row["there"] == row["here"] for row in matched if row["object"] != "payment")
    # Seven kinds of payments and four of refunds; a ghost that keeps nothing is only reported.
    assert Discrepancy.objects.count() == 7 * 20 + 4 * 20
    assert _peak_megabytes() - before < 100


def _peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
