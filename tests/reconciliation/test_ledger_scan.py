from __future__ import annotations

from typing import Any

import pytest

from medusa_payments.models import Discrepancy
from medusa_payments.reconciliation.ledger_scan import observe_ledger, scan_ledger
from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.laws.scenes import STRIPE
from tests.reconciliation.ledger_scenes import END, START, deals, on_both_sides

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_equal_sides_have_no_findings(stripe: StripeSimulator) -> None:
    on_both_sides(stripe, deals(40))

    report = scan_ledger(STRIPE, since=START, until=END)

    assert report.findings == []
    for t in report.totals: print(t)
    assert all(row["class"] == "matched" and row["there"] == row["here"] for row in report.totals)
    assert not Discrepancy.objects.exists()
