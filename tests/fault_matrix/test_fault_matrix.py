"""The fault matrix: every fault, on every operation, persistent and first-call-only, with webhooks
once or twice, in order or reversed, before or after one ``reconcile_payments --all``.

All cells of one fault share a run: one wait for the horizon, one sweep. ``docs/fault-matrix.md``
tells the result; ``-m slow`` runs all of it.
"""

from __future__ import annotations

import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import Any, NamedTuple

import pytest
from django.db import connection

from medusa_payments.operations.webhooks import receive_webhook
from medusa_payments.reconciliation.sweep import reconcile_all
from medusa_payments.testing.stripe_simulator import StripeSimulator
from medusa_payments.testing.stripe_simulator.faults import FaultKind
from tests.conftest import WEBHOOK_SECRET

from .checks import violations
from .scenarios import SCENARIOS, STRIPE, Cell, Scenario

HORIZON = 1.0

FAULTS = (
    "drop_before",
    "drop_after",
    "hang",
    "hang_before",
    "execute_late",
    "error_500_before",
    "error_500_after",
    "html_502_before",
    "html_502_after",
    "rate_limit",
    "key_in_use",
    "truncated_json",
    "truncated_json_clean",
    "slow",
)
PERSISTENCE = {"persistent": None, "first call only": 1}
# The default run sees the ways in which an answer can be lost after, before and during the work.
IN_THE_DEFAULT_RUN = {
    ("drop_after", "persistent"),
    ("drop_before", "first call only"),
    ("execute_late", "persistent"),
}


class Webhooks(NamedTuple):
    times: int
    is_reversed: bool
    before_sweep: bool


WEBHOOKS = tuple(Webhooks(*each) for each in product((1, 2), (False, True), (True, False)))
A_FEW_WEBHOOKS = (Webhooks(2, True, False),)


def _cases() -> list[Any]:
    cases = []
    for fault, persistence in product(FAULTS, PERSISTENCE):
        all_cells = [pytest.mark.slow, pytest.mark.all_cells]
        cases.append(pytest.param(fault, persistence, WEBHOOKS, marks=all_cells))
        if (fault, persistence) in IN_THE_DEFAULT_RUN:
            cases.append(pytest.param(fault, persistence, A_FEW_WEBHOOKS))
    return cases


@pytest.fixture
def impatient(stripe_settings: Any) -> Any:
    """Time-outs short enough that a lost answer costs little, a horizon of one second."""
    configured = dict(stripe_settings.MEDUSA_PAYMENTS)
    stripe = dict(configured["PROVIDERS"][STRIPE])
    stripe["OPTIONS"] = {**stripe["OPTIONS"], "READ_TIMEOUT": 0.3, "TOTAL_BUDGET": 8.0}
    configured["PROVIDERS"] = {**configured["PROVIDERS"], STRIPE: stripe}
    configured["NOT_FOUND_HORIZON"] = HORIZON
    stripe_settings.MEDUSA_PAYMENTS = configured
    return stripe_settings


@pytest.mark.timeout(900)
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("fault", "persistence", "webhooks"), _cases())
def test_record_equals_the_providers_ledger_after_any_fault(
    fault: str,
    persistence: str,
    webhooks: tuple[Webhooks, ...],
    impatient: Any,
    simulator: StripeSimulator,
) -> None:
    simulator.hold()
    cells = [
        pair
        for scenario in SCENARIOS
        for pair in zip(
            _run(simulator, scenario, fault, persistence, webhooks), webhooks, strict=True
        )
    ]

    time.sleep(HORIZON + 0.6)
    events = _events_by_session(simulator)
    for cell, each in cells:
        if each.before_sweep:
            _deliver(simulator, cell, each, events)
    reconcile_all()
    events = _events_by_session(simulator)
    for cell, each in cells:
        if not each.before_sweep:
            _deliver(simulator, cell, each, events)

    ledger = dict(simulator.ledger())
    broken = [text for cell, _ in cells for text in violations(cell, ledger)]
    assert not broken, "\n".join(broken)


def _run(
    simulator: StripeSimulator,
    scenario: Scenario,
    fault: str,
    persistence: str,
    webhooks: tuple[Webhooks, ...],
) -> list[Cell]:
    cells = [
        Cell(simulator, f"{scenario.name} / {fault} / {persistence} / {each}") for each in webhooks
    ]
    for cell in cells:
        scenario.prepare(cell)
    if PERSISTENCE[persistence] is None:
        simulator.fault(fault, operation=scenario.operation, times=None)
        _side_by_side(scenario, cells)
        simulator.clear_faults()
    else:
        for cell in cells:
            simulator.fault(fault, operation=scenario.operation, times=1)
            scenario.act(cell)
            simulator.clear_faults()
    for cell in cells:
        scenario.follow(cell)
    return cells


def _side_by_side(scenario: Scenario, cells: list[Cell]) -> None:
    """Acts under a lasting fault mostly wait; cells share nothing, so they wait together."""

    def act(cell: Cell) -> None:
        try:
            scenario.act(cell)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(cells)) as pool:
        list(pool.map(act, cells))


Events = dict[str, list[tuple[int, str]]]


def _events_by_session(simulator: StripeSimulator) -> Events:
    """Numbers and ids of the events so far, by the session that they name."""
    found = defaultdict(list)
    for number, event in enumerate(simulator.events()):
        session_id = event["data"]["object"].get("metadata", {}).get("session_id", "")
        found[session_id].append((number, event["id"]))
    return found


def _deliver(simulator: StripeSimulator, cell: Cell, webhooks: Webhooks, events: Events) -> None:
    own = sorted(event for session_id in cell.session_ids() for event in events[session_id])
    for _, event_id in reversed(own) if webhooks.is_reversed else own:
        for _ in range(webhooks.times):
            body, headers = simulator.signed(event_id, secret=WEBHOOK_SECRET)
            receive_webhook(STRIPE, body, headers)


def test_every_fault_of_the_simulator_is_in_the_matrix() -> None:
    not_an_answer_lost = {FaultKind.SLOW_EXECUTION, FaultKind.ALTERED}

    assert {str(kind) for kind in FaultKind} - not_an_answer_lost == set(FAULTS)
