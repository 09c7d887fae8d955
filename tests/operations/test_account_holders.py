from __future__ import annotations

import threading
from typing import Any

import pytest
import requests
from django.db import connection, transaction

from medusa_payments.errors import (
    AccountHolderIndeterminate,
    AccountHolderRefused,
    InvalidData,
    NotAllowed,
    OpenTransaction,
    PaymentProviderUnavailable,
)
from medusa_payments.models import AccountHolder, AccountHolderCall, Discrepancy
from medusa_payments.operations import audit
from medusa_payments.operations.account_holders import (
    create_account_holder,
    delete_account_holder,
    retrieve_account_holder,
    update_account_holder,
)
from medusa_payments.providers.registry import get_provider
from medusa_payments.providers.types import Failed, FailureKind, Indeterminate, NoAnswer, Succeeded
from medusa_payments.reconciliation.sweep import reconcile_all
from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.laws.fixtures import configure
from tests.laws.scenes import FAKE, STRIPE, SYSTEM, Crash, StagedProvider, let_leases_end, reloaded

pytestmark = pytest.mark.django_db(transaction=True)

ANNA = {
    "id": "customer_1",
    "email": "anna@example.com",
    "first_name": "Anna",
    "last_name": "Karlsson",
    "phone": "+4612345",
    "billing_address": {
        "address_1": "Storgatan 1",
        "city": "Lund",
        "country_code": "se",
        "postal_code": "22222",
    },
}


def made(provider_id: str = FAKE, **changes: Any) -> AccountHolder:
    holder = create_account_holder(provider_id=provider_id, customer={**ANNA, **changes})
    assert holder is not None
    return holder


def customers(simulator: StripeSimulator) -> list[dict[str, Any]]:
    """What Stripe has, oldest first; deleted ones are not listed."""
    answer = requests.get(
        f"{simulator.url}/v1/customers", {"limit": 100}, auth=("sk_test_x", ""), timeout=5
    )
    return list(reversed(answer.json()["data"]))


def provider_of(provider_id: str) -> StagedProvider:
    """Built anew after the settings changed."""
    provider = get_provider(provider_id)
    assert isinstance(provider, StagedProvider)
    return provider


def intact(holder: AccountHolder) -> bool:
    return list(audit.verify(reloaded(holder))) == []


# Making


def test_a_customer_becomes_a_customer_of_stripe_with_our_id(stripe: StripeSimulator) -> None:
    holder = made(STRIPE)

    (customer,) = customers(stripe)
    assert (holder.external_id, holder.state) == (customer["id"], "active")
    assert customer["metadata"] == {"account_holder_id": holder.pk}
    assert (customer["email"], customer["name"]) == ("anna@example.com", "Anna Karlsson")
    assert customer["address"] == {
        "line1": "Storgatan 1",
        "city": "Lund",
        "country": "SE",
        "postal_code": "22222",
    }
    assert intact(holder)


def test_a_company_is_named_by_its_name(stripe: StripeSimulator) -> None:
    made(STRIPE, company_name="Karlsson AB")

    assert customers(stripe)[0]["name"] == "Karlsson AB"


def test_a_customer_has_one_holder_at_a_provider(fake: StagedProvider) -> None:
    assert made() == made(email="new@example.com")
    assert made(id="customer_2").pk != made().pk

    assert len(fake.holders) == 2


def test_the_row_is_committed_before_the_provider_is_asked(fake: StagedProvider) -> None:
    seen: list[Any] = []
    fake.before["create_account_holder"] = lambda request: seen.append(
        AccountHolder.objects.get(pk=request.account_holder_id).state
    )

    made()

    assert seen == ["requested"]
    assert fake.in_transaction == [("create_account_holder", False)]
    assert fake.recorded == [("create_account_holder", "open")]


def test_it_refuses_to_run_in_an_open_transaction(fake: StagedProvider) -> None:
    holder = made()

    for act in (
        lambda: made(id="customer_2"),
        lambda: update_account_holder(holder, customer=ANNA),
        lambda: delete_account_holder(holder),
    ):
        with pytest.raises(OpenTransaction), transaction.atomic():
            act()

    assert AccountHolder.objects.count() == 1
    assert [method for method, _ in fake.asked] == ["create_account_holder"]


def test_two_requests_at_once_make_one_holder(fake: StagedProvider) -> None:
    found: list[AccountHolder] = []

    def second() -> None:
        try:
            found.append(made())
        finally:
            connection.close()

    def meanwhile(request: Any) -> None:
        thread = threading.Thread(target=second)
        thread.start()
        threads.append(thread)
        thread.join(0.5)  # it waits for the first one's answer
        assert thread.is_alive()

    threads: list[threading.Thread] = []
    fake.before["create_account_holder"] = meanwhile

    first = made()
    threads[0].join(10)

    assert found == [first]
    assert len(fake.holders) == 1


def test_a_provider_without_holders_makes_none(fake: StagedProvider, monkeypatch: Any) -> None:
    monkeypatch.setattr(type(fake), "supports", lambda self, method: False)

    assert create_account_holder(provider_id=FAKE, customer=ANNA) is None
    assert not AccountHolder.all_objects.exists()


def test_an_empty_answer_makes_none(fake: StagedProvider) -> None:
    fake.script("create_account_holder", Succeeded(data={}))

    assert create_account_holder(provider_id=FAKE, customer=ANNA) is None

    kept = AccountHolder.all_objects.get()
    assert (kept.state, kept.deleted is not None) == ("failed", True)
    assert made().state == "active"


def test_the_system_provider_takes_the_customers_own_id() -> None:
    assert made(SYSTEM).external_id == "customer_1"


@pytest.mark.parametrize(
    "customer",
    [
        {},
        {"id": ""},
        {"id": 7},
        {"id": "x" * 256},
        {"id": "c", "email": 5},
        {"id": "c", "email": "x" * 300},
    ],
    ids=str,
)
def test_a_customer_without_usable_details_is_refused(
    customer: dict[str, Any], fake: StagedProvider
) -> None:
    with pytest.raises(InvalidData):
        create_account_holder(provider_id=FAKE, customer=customer)

    assert not AccountHolder.all_objects.exists()


# Three answers


def test_a_refusal_is_final_and_another_try_is_a_new_call(fake: StagedProvider) -> None:
    fake.script("create_account_holder", Failed(kind=FailureKind.REFUSED, code="email_invalid"))
    with pytest.raises(AccountHolderRefused):
        made()
    assert AccountHolder.objects.get().state == "failed"

    holder = made()

    assert AccountHolder.objects.get() == holder
    assert len(set(fake.keys("create_account_holder"))) == 2
    assert intact(holder)


def test_what_was_not_reached_changed_nothing(fake: StagedProvider) -> None:
    fake.script("create_account_holder", Failed(kind=FailureKind.UNAVAILABLE))

    with pytest.raises(PaymentProviderUnavailable):
        made()

    assert not reconcile_all().unresolved


def test_a_lost_answer_is_found_within_the_request(fake: StagedProvider) -> None:
    fake.script("create_account_holder", Indeterminate(), executes=True)

    holder = made()

    assert [holder.external_id] == list(fake.holders)
    assert AccountHolderCall.objects.get().evidence == "lookup"


def test_an_unknown_outcome_tells_what_to_do(fake: StagedProvider) -> None:
    fake.script("create_account_holder", Indeterminate())
    with pytest.raises(AccountHolderIndeterminate, match="Nothing was charged") as raised:
        made()

    holder = made()

    assert raised.value.account_holder_id == holder.pk
    assert len(set(fake.keys("create_account_holder"))) == 1
    assert len(fake.holders) == 1


@pytest.mark.parametrize("executes", [True, False])
def test_the_sweep_finishes_a_lost_create(executes: bool, fake: StagedProvider) -> None:
    fake.script("create_account_holder", Indeterminate(), executes=executes)
    fake.script("lookup_account_holder", RuntimeError("unreachable"))
    with pytest.raises(AccountHolderIndeterminate):
        made()

    report = reconcile_all()

    assert (report.examined, report.resolved, report.unresolved) == (1, 1, 0)
    assert [AccountHolder.objects.get().external_id] == list(fake.holders)
    assert intact(AccountHolder.objects.get())


@pytest.mark.parametrize("moment", ["before", "after"])
def test_the_sweep_finishes_what_a_dead_process_left(moment: str, fake: StagedProvider) -> None:
    def die(request: Any) -> None:
        raise Crash

    getattr(fake, moment)["create_account_holder"] = die
    with pytest.raises(Crash):
        made()
    assert AccountHolderCall.objects.get().state == "open"

    let_leases_end()
    report = reconcile_all()

    assert (report.resolved, report.unresolved) == (1, 0)
    assert made().external_id in fake.holders
    assert len(fake.holders) == 1


def test_a_second_object_is_a_discrepancy(fake: StagedProvider) -> None:
    fake.script("create_account_holder", Indeterminate(), executes=True)
    fake.script("lookup_account_holder", RuntimeError("unreachable"))
    with pytest.raises(AccountHolderIndeterminate):
        made()
    (first,) = fake.holders.values()
    fake.holders["fakecus_other"] = type(first)(
        account_holder_id=first.account_holder_id, customer={}, reference="fakecus_other"
    )

    reconcile_all()

    found = Discrepancy.objects.get()
    assert (found.kind, found.account_holder) == ("duplicate", AccountHolder.objects.get())
    assert "fakecus_other" in found.detail
    assert AccountHolder.objects.get().external_id == first.reference


def test_a_schedule_that_ends_without_an_answer_is_loud(shop: Any) -> None:
    configure(shop, RECONCILE_SCHEDULE=(0.0, 0.0))
    fake = provider_of(FAKE)
    fake.script("create_account_holder", *[Indeterminate()] * 10)
    fake.script("lookup_account_holder", *[RuntimeError("unreachable")] * 10)
    with pytest.raises(AccountHolderIndeterminate):
        made()

    reconcile_all()
    found = Discrepancy.objects.get()
    assert (found.kind, found.state) == ("unresolved", "open")
    fake._scripts.clear()
    reconcile_all()

    assert reloaded(found).state == "closed"
    assert AccountHolder.objects.get().state == "active"
    assert intact(AccountHolder.objects.get())


# Changing


def test_an_update_writes_over_the_providers_details(stripe: StripeSimulator) -> None:
    holder = update_account_holder(made(STRIPE), customer={**ANNA, "email": "new@example.com"})

    assert holder.email == customers(stripe)[0]["email"] == "new@example.com"


def test_an_update_is_not_overtaken_by_an_earlier_one(fake: StagedProvider) -> None:
    holder = made()
    fake.script("update_account_holder", Indeterminate())
    with pytest.raises(AccountHolderIndeterminate):
        update_account_holder(holder, customer={"email": "first@example.com"})

    updated = update_account_holder(holder, customer={"email": "second@example.com"})

    sent = [each.customer["email"] for each in fake.asked_for("update_account_holder")]
    assert sent == ["first@example.com", "first@example.com", "second@example.com"]
    assert updated.email == "second@example.com"
    assert intact(updated)


def test_a_lost_update_that_happened_is_not_sent_again(fake: StagedProvider) -> None:
    holder = made()
    fake.script("update_account_holder", Indeterminate(), executes=True)

    update_account_holder(holder, customer={"email": "new@example.com"})

    assert len(fake.asked_for("update_account_holder")) == 1
    assert reloaded(holder).email == "new@example.com"


# Deleting


def test_a_deleted_holder_is_forgotten_and_kept_as_a_row(stripe: StripeSimulator) -> None:
    holder = delete_account_holder(made(STRIPE))

    assert (holder.state, holder.deleted is not None) == ("deleted", True)
    assert customers(stripe) == []
    assert made(STRIPE).pk != holder.pk
    assert intact(holder)


def test_deleting_twice_asks_once(fake: StagedProvider) -> None:
    holder = delete_account_holder(made())

    again = delete_account_holder(holder)

    assert again.deleted == holder.deleted
    assert len(fake.asked_for("delete_account_holder")) == 1


def test_a_deleted_holder_cannot_be_changed(fake: StagedProvider) -> None:
    holder = delete_account_holder(made())

    with pytest.raises(NotAllowed):
        update_account_holder(holder, customer=ANNA)


@pytest.mark.parametrize(
    "answer", [Indeterminate(), Failed(kind=FailureKind.UNAVAILABLE)], ids=["lost", "unreachable"]
)
def test_the_sweep_goes_on_deleting(answer: Any, fake: StagedProvider) -> None:
    holder = made()
    fake.script("delete_account_holder", answer)
    with pytest.raises(AccountHolderIndeterminate):
        delete_account_holder(holder)
    assert reloaded(holder).deleted is not None

    report = reconcile_all()

    assert (report.unresolved, fake.holders) == (0, {})
    assert reloaded(holder).state == "deleted"


def test_a_refused_deletion_is_shown_to_a_person(fake: StagedProvider) -> None:
    holder = made()
    fake.script("delete_account_holder", Failed(kind=FailureKind.REFUSED))
    with pytest.raises(AccountHolderRefused):
        delete_account_holder(holder)
    found = Discrepancy.objects.get()
    assert (found.kind, found.account_holder) == ("undo_blocked", holder)

    delete_account_holder(holder)

    assert reloaded(found).state == "closed"
    assert fake.holders == {}


def test_a_holder_that_appears_after_its_deletion_is_forgotten_too(fake: StagedProvider) -> None:
    fake.script("create_account_holder", Indeterminate(), executes=True)
    fake.script("lookup_account_holder", RuntimeError("unreachable"), RuntimeError("again"))
    with pytest.raises(AccountHolderIndeterminate):
        made()
    holder = AccountHolder.objects.get()
    fake.script("create_account_holder", Indeterminate())
    with pytest.raises(AccountHolderIndeterminate):
        delete_account_holder(holder)

    report = reconcile_all()

    assert (report.unresolved, fake.holders) == (0, {})
    assert reloaded(holder).state == "deleted"
    assert intact(holder)


# Reading


def test_what_the_provider_keeps_is_read(stripe: StripeSimulator) -> None:
    holder = made(STRIPE)

    kept = retrieve_account_holder(holder)

    assert kept is not None
    assert (kept["id"], kept["email"]) == (holder.external_id, "anna@example.com")
    assert retrieve_account_holder(delete_account_holder(holder)) is None


def test_a_read_that_fails_tells_nothing_of_the_provider(stripe: StripeSimulator) -> None:
    holder = made(STRIPE)
    stripe.fault("error_500_before", operation="customers.retrieve", times=None)

    with pytest.raises(PaymentProviderUnavailable, match="cannot be read"):
        retrieve_account_holder(holder)


def test_a_late_answer_does_not_write_over_a_newer_update(fake: StagedProvider) -> None:
    holder = create_account_holder(provider_id=FAKE, customer={"id": "c1", "email": "a@x.de"})
    assert holder is not None

    def newer(request: Any) -> None:
        let_leases_end()
        reconcile_all()
        update_account_holder(holder, customer={"email": "new@x.de"})

    fake.after["update_account_holder"] = newer

    update_account_holder(holder, customer={"email": "old@x.de"})

    assert reloaded(holder).email == "new@x.de"


def test_deleting_does_not_tell_how_an_earlier_update_ended(fake: StagedProvider) -> None:
    holder = create_account_holder(provider_id=FAKE, customer={"id": "c1", "email": "a@x.de"})
    assert holder is not None
    fake.script("update_account_holder", Indeterminate(ask_again=False))
    fake.after["update_account_holder"] = lambda request: fake.script(
        "lookup_account_holder", NoAnswer()
    )
    with pytest.raises(AccountHolderIndeterminate):
        update_account_holder(holder, customer={"email": "new@x.de"})
    fake.script("update_account_holder", Failed(kind=FailureKind.WRONG_STATE))

    deleted = delete_account_holder(holder)

    assert deleted.state == "deleted"
    kinds = AccountHolderCall.objects.order_by("pk").values_list("kind", "state")
    assert list(kinds) == [("create", "succeeded"), ("update", "failed"), ("delete", "succeeded")]
