"""The fault matrix of account holders and payment methods: every fault, persistent and first call
only, on every operation, and the shop's second try before or after the sweep.

After one sweep the rows are what Stripe has: one customer for each live holder, none for a deleted
one, no SetupIntent and no attached method that we do not know of.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import pytest
import requests

from medusa_payments.errors import MedusaPaymentsError
from medusa_payments.ids import new_id
from medusa_payments.models import AccountHolder, AccountHolderCall, Discrepancy
from medusa_payments.operations import audit
from medusa_payments.operations.account_holders import (
    create_account_holder,
    delete_account_holder,
    update_account_holder,
)
from medusa_payments.operations.payment_methods import (
    delete_payment_method,
    list_payment_methods,
    save_payment_method,
)
from medusa_payments.reconciliation.sweep import reconcile_all
from medusa_payments.testing.stripe_simulator import StripeSimulator

from .scenarios import STRIPE
from .test_fault_matrix import FAULTS, HORIZON, PERSISTENCE, impatient

__all__ = ["impatient"]

# The answer is lost; and the key only repeats a stored error: whoever does not look makes another.
DEFAULT_RUN = {("drop_after", "persistent")}
SAVED = {"confirm": True, "payment_method": "pm_card_visa", "return_url": "https://shop.test/"}


@dataclass
class Customer:
    """One cell: a customer of the shop. ``is_wanted``: Stripe must have them in the end."""

    label: str
    id: str = field(default_factory=lambda: new_id("customer"))
    email: str = "before@example.com"
    is_wanted: bool = True
    methods: int = 0

    @property
    def holder(self) -> AccountHolder:
        rows = AccountHolder.all_objects.filter(customer_reference=self.id)
        return rows.latest("pk")

    def create(self) -> None:
        customer = {"id": self.id, "email": self.email}
        create_account_holder(provider_id=STRIPE, customer=customer)

    def update(self) -> None:
        self.email = "after@example.com"
        update_account_holder(self.holder, customer={"email": self.email})

    def delete(self) -> None:
        self.is_wanted = False
        delete_account_holder(self.holder)

    def save(self) -> None:
        self.methods = 1
        save_payment_method(self.holder, data=SAVED)

    def forget(self) -> None:
        self.methods = 0
        call = AccountHolderCall.objects.filter(
            account_holder=self.holder, kind="delete_payment_method"
        ).first()
        if call is not None and call.state == "succeeded":
            return
        known = call.arguments["reference"] if call else list_payment_methods(self.holder)[0]["id"]
        delete_payment_method(self.holder, known)


Step = Callable[[Customer], None]


@dataclass(frozen=True)
class Scenario:
    name: str
    operation: str  # the simulator's name of the call that goes wrong
    act: Step
    before: tuple[Step, ...] = (Customer.create,)


SCENARIOS = (
    Scenario("create", "customers.create", Customer.create, before=()),
    Scenario("update", "customers.update", Customer.update),
    Scenario("delete", "customers.delete", Customer.delete),
    Scenario("save", "setup_intents.create", Customer.save),
    Scenario(
        "forget",
        "payment_methods.detach",
        Customer.forget,
        before=(Customer.create, Customer.save),
    ),
)


def _cases() -> Iterator[Any]:
    for fault, persistence in product(FAULTS, PERSISTENCE):
        is_in_default = (fault, persistence) in DEFAULT_RUN
        marks = [] if is_in_default else [pytest.mark.slow]
        yield pytest.param(fault, persistence, marks=marks)


@pytest.mark.timeout(300)
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(("fault", "persistence"), list(_cases()))
def test_holders_are_the_providers_customers_after_any_fault(
    fault: str, persistence: str, simulator: StripeSimulator
) -> None:
    cells: list[tuple[Scenario, Customer, bool]] = []
    for scenario, is_retried_first in product(SCENARIOS, (True, False)):
        customer = Customer(f"{scenario.name} / {fault} / {persistence} / {is_retried_first}")
        for step in scenario.before:
            step(customer)
        simulator.fault(fault, operation=scenario.operation, times=PERSISTENCE[persistence])
        _try(customer, scenario.act)
        simulator.clear_faults()
        cells.append((scenario, customer, is_retried_first))

    for scenario, customer, is_retried_first in cells:
        if is_retried_first and not _is_done(scenario, customer):
            _try(customer, scenario.act)
    time.sleep(HORIZON + 0.6)
    report = reconcile_all()
    for scenario, customer, is_retried_first in cells:
        if not is_retried_first and not _is_done(scenario, customer):
            scenario.act(customer)

    broken = [f"{report.unresolved} unresolved"] if report.unresolved else []
    broken += [f"discrepancy: {each.detail}" for each in Discrepancy.objects.all()]
    for _, customer, _ in cells:
        broken += [f"{customer.label}: {each}" for each in _violations(customer, simulator)]
    broken += list(_orphans(simulator))
    assert not broken, "\n".join(broken)


def _try(customer: Customer, act: Step) -> None:
    try:
        act(customer)
    except MedusaPaymentsError:
        return


def _is_done(scenario: Scenario, customer: Customer) -> bool:
    """Whether what was asked for is known to have happened, so that nobody asks again."""
    kinds = {"save": "save_payment_method", "forget": "delete_payment_method"}
    kind = kinds.get(scenario.name, scenario.name)
    calls = AccountHolderCall.objects.filter(
        account_holder__customer_reference=customer.id, kind=kind
    )
    return calls.filter(state="succeeded").exists()


def _violations(customer: Customer, simulator: StripeSimulator) -> Iterator[str]:
    holder = customer.holder
    customers = _all(simulator, "customers")
    ours = [each for each in customers if each["metadata"]["account_holder_id"] == holder.pk]
    if len(ours) != int(customer.is_wanted):
        yield f"{len(ours)} customers at Stripe"
    elif customer.is_wanted:
        yield from _differences(customer, holder, ours[0])
    elif (holder.state, holder.deleted is not None) != ("deleted", True):
        yield f"deleted, and {holder.state}"
    yield from (f"audit: {each}" for each in audit.verify(holder))


def _differences(
    customer: Customer, holder: AccountHolder, theirs: dict[str, Any]
) -> Iterator[str]:
    if AccountHolder.all_objects.filter(customer_reference=customer.id).count() != 1:
        yield "more than one holder"
    if (holder.external_id, holder.state) != (theirs["id"], "active"):
        yield f"the row says {holder.external_id} {holder.state}"
    if (holder.email, theirs["email"]) != (customer.email, customer.email):
        yield f"email is {theirs['email']} there and {holder.email} here"
    if len(list_payment_methods(holder)) != customer.methods:
        yield f"{len(list_payment_methods(holder))} payment methods, not {customer.methods}"


def _orphans(simulator: StripeSimulator) -> Iterator[str]:
    """What Stripe has and no row of ours names."""
    holders = set(AccountHolder.all_objects.values_list("external_id", flat=True))
    calls = set(AccountHolderCall.objects.values_list("provider_reference", flat=True))
    for each in _all(simulator, "customers"):
        if each["id"] not in holders:
            yield f"{each['id']} is nobody's"
    setups = _all(simulator, "setup_intents")
    for each in setups:
        if each["id"] not in calls:
            yield f"{each['id']} is nobody's"
    for call_id, count in Counter(each["metadata"]["call_id"] for each in setups).items():
        if count > 1:
            yield f"{call_id} made {count} setup intents"


def _all(simulator: StripeSimulator, kind: str) -> list[dict[str, Any]]:
    answer = requests.get(
        f"{simulator.url}/v1/{kind}", {"limit": 100}, auth=("sk_test_x", ""), timeout=5
    )
    return list(answer.json()["data"])
