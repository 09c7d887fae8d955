"""The command: its exit statuses, its formats, and its sudden death."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from medusa_payments.management.printing import as_json
from medusa_payments.models import Discrepancy, LedgerScan
from medusa_payments.reconciliation.ledger_scan import observe_ledger
from medusa_payments.statuses import LedgerScanState
from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.crashes.processes import Answer, Shop, kill
from tests.laws.scenes import STRIPE
from tests.reconciliation.ledger_scenes import (
    END,
    START,
    deals,
    named,
    on_both_sides,
    plant,
    row_counts,
)

pytestmark = pytest.mark.django_db(transaction=True)

SCAN = ("scan_provider_ledger", "--since", START.isoformat(), "--until", END.isoformat())
OF_STRIPE = ("--provider", STRIPE)


@pytest.fixture
def processes(database_url: str, stripe: StripeSimulator) -> Any:
    shop = Shop(database_url, stripe, {"MEDUSA_LEASE_SECONDS": "1"})
    yield shop
    shop.close()


@pytest.mark.slow
def test_a_scan_that_was_killed_goes_on_and_reports_the_same(
    stripe: StripeSimulator, processes: Shop
) -> None:
    on_both_sides(stripe, deals(40))
    plant(stripe, first=100, each=1)
    expected = observe_ledger(STRIPE, since=START, until=END)
    stripe.fault("hang_before", "payment_intents.list", times=1, after=4, delay=60)

    process = processes.start(*SCAN)
    until(lambda: _hung(stripe))
    kill(process)
    cut_short = LedgerScan.objects.get()
    answer = processes.run(*SCAN, "--json").checked(3)

    assert cut_short.watermark is not None
    assert START < cut_short.watermark < END
    assert answer.stdout.splitlines()[-1] == as_json(expected.as_dict())
    (finished,) = LedgerScan.objects.all()
    assert finished.state == LedgerScanState.FINISHED
    open_keys = Discrepancy.objects.values_list("open_key", flat=True)
    assert len(set(open_keys)) == len(open_keys)


@pytest.mark.slow
def test_the_exit_status_tells_whether_everything_was_matched(
    stripe: StripeSimulator,
) -> None:
    on_both_sides(stripe, deals(10))
    clean = answer_of(*SCAN, *OF_STRIPE).checked(0)
    wrong = plant(stripe, first=100, each=1)
    before = row_counts()

    observed = answer_of(*SCAN, *OF_STRIPE, "--observe", "--format", "csv").checked(3)
    refused = answer_of(*SCAN, "--provider", "pp_system_default").checked(1)

    assert "Both sides" in clean.stdout
    assert "0 findings" in clean.stdout
    assert "does not list what it holds" in refused.stderr
    rows = list(csv.DictReader(io.StringIO(observed.stdout)))
    listed = {
        (row["object"], row["class"], row["reference"]) for row in rows if row["row"] == "finding"
    }
    assert listed == wrong == named(observe_ledger(STRIPE, since=START, until=END))
    assert row_counts() == before


def answer_of(*arguments: str) -> Answer:
    """As a process would answer, without starting one."""
    stdout, stderr, status = io.StringIO(), io.StringIO(), 0
    try:
        call_command(*arguments, stdout=stdout, stderr=stderr)
    except CommandError as error:
        status = error.returncode
        stderr.write(str(error))
    return Answer(status, stdout.getvalue(), stderr.getvalue())


def until(holds: Callable[[], bool]) -> None:
    ends = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < ends, "it never came to that"
        time.sleep(0.05)


def _hung(stripe: StripeSimulator) -> bool:
    return any(fault["fired"] for fault in stripe.faults())
