from __future__ import annotations

import json
import logging
from typing import Any

import pytest
import requests
from django.apps import apps
from django.core import serializers

from medusa_payments.errors import (
    AccountHolderIndeterminate,
    AccountHolderRefused,
    InvalidData,
    NotAllowed,
    NotFound,
    PaymentProviderUnavailable,
)
from medusa_payments.models import AccountHolder, AccountHolderCall
from medusa_payments.operations import audit
from medusa_payments.operations.account_holders import create_account_holder, delete_account_holder
from medusa_payments.operations.payment_methods import (
    delete_payment_method,
    list_payment_methods,
    save_payment_method,
    save_payment_methods,
)
from medusa_payments.providers.types import Indeterminate, KeptFound, KeptObject
from medusa_payments.reconciliation.sweep import reconcile_all
from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.laws.scenes import FAKE, STRIPE, SYSTEM, StagedProvider, reloaded

pytestmark = pytest.mark.django_db(transaction=True)

SAVED = {"confirm": True, "payment_method": "pm_card_visa", "return_url": "https://shop.test/"}


def holder_at(provider_id: str) -> AccountHolder:
    holder = create_account_holder(provider_id=provider_id, customer={"id": "customer_1"})
    assert holder is not None
    return holder


def setups(simulator: StripeSimulator) -> list[dict[str, Any]]:
    answer = requests.get(
        f"{simulator.url}/v1/setup_intents", {"limit": 100}, auth=("sk_test_x", ""), timeout=5
    )
    return list(answer.json()["data"])


def everything_stored() -> str:
    rows = [
        row
        for model in apps.get_app_config("medusa_payments").get_models()
        for row in model._base_manager.all()
    ]
    return str(serializers.serialize("json", rows))


def test_saving_hands_the_secret_on_and_stores_it_nowhere(
    stripe: StripeSimulator, caplog: Any
) -> None:
    holder = holder_at(STRIPE)

    with caplog.at_level(logging.DEBUG):
        saved = save_payment_method(holder)

    (setup,) = setups(stripe)
    assert saved["id"] == setup["id"]
    assert saved["provider_id"] == STRIPE
    assert saved["data"]["client_secret"] == setup["client_secret"]
    assert setup["client_secret"] not in everything_stored() + caplog.text
    call = AccountHolderCall.objects.get(kind="save_payment_method")
    assert (call.state, call.provider_reference) == ("succeeded", setup["id"])
    assert (setup["customer"], setup["usage"]) == (holder.external_id, "off_session")
    assert setup["metadata"] == {"account_holder_id": holder.pk, "call_id": call.pk}
    assert list(audit.verify(reloaded(holder))) == []


def test_what_was_saved_is_listed_and_can_be_forgotten(stripe: StripeSimulator) -> None:
    holder = holder_at(STRIPE)
    save_payment_method(holder, data=SAVED)

    (listed,) = list_payment_methods(holder)
    assert (listed["data"]["card"]["last4"], listed["provider_id"]) == ("4242", STRIPE)
    delete_payment_method(holder, listed["id"])

    assert list_payment_methods(holder) == []


def test_several_are_saved_one_after_the_other(stripe: StripeSimulator) -> None:
    holder = holder_at(STRIPE)

    saved = save_payment_methods(holder, [SAVED, {**SAVED, "payment_method": "pm_card_amex"}])

    assert len({each["id"] for each in saved}) == 2
    assert len(list_payment_methods(holder)) == 2


@pytest.mark.parametrize("fault", ["drop_after", "error_500_after", "truncated_json"])
def test_the_secret_of_a_lost_answer_is_told_all_the_same(
    fault: str, stripe: StripeSimulator
) -> None:
    holder = holder_at(STRIPE)
    stripe.fault(fault, operation="setup_intents.create", times=None)

    saved = save_payment_method(holder)

    (setup,) = setups(stripe)
    assert saved["data"]["client_secret"] == setup["client_secret"]
    assert AccountHolderCall.objects.get(kind="save_payment_method").evidence == "lookup"


def test_asking_again_takes_the_same_call_up(fake: StagedProvider) -> None:
    holder = holder_at(FAKE)
    fake.script("save_payment_method", Indeterminate())
    with pytest.raises(AccountHolderIndeterminate):
        save_payment_method(holder)

    saved = save_payment_method(holder)

    assert saved["id"] in fake.methods
    assert len(set(fake.keys("save_payment_method"))) == 1


def test_the_sweep_finishes_a_lost_save_and_a_lost_delete(fake: StagedProvider) -> None:
    holder = holder_at(FAKE)
    fake.script("save_payment_method", Indeterminate())
    fake.script("lookup_payment_method", RuntimeError("unreachable"))
    with pytest.raises(AccountHolderIndeterminate):
        save_payment_method(holder)
    assert reconcile_all().unresolved == 0
    (saved,) = fake.methods

    fake.script("delete_payment_method", Indeterminate())
    is_there = KeptFound(objects=(KeptObject(reference=saved),))
    fake.script("lookup_payment_method", is_there, RuntimeError("unreachable"))
    with pytest.raises(AccountHolderIndeterminate):
        delete_payment_method(holder, saved)
    assert reconcile_all().unresolved == 0

    assert fake.methods[saved].holder == ""


def test_a_lost_delete_that_happened_is_not_sent_again(fake: StagedProvider) -> None:
    holder = holder_at(FAKE)
    saved = save_payment_method(holder)
    fake.script("delete_payment_method", Indeterminate(), executes=True)

    delete_payment_method(holder, saved["id"])

    assert len(fake.asked_for("delete_payment_method")) == 1


def test_a_method_of_somebody_else_is_not_forgotten(stripe: StripeSimulator) -> None:
    holder = holder_at(STRIPE)
    other = create_account_holder(provider_id=STRIPE, customer={"id": "customer_2"})
    assert other is not None
    save_payment_method(other, data=SAVED)
    (theirs,) = list_payment_methods(other)

    with pytest.raises(NotFound):
        delete_payment_method(holder, theirs["id"])

    assert list_payment_methods(other) == [theirs]


@pytest.mark.parametrize(
    "data",
    [
        {"payment_method_data": {"type": "card", "card": {"number": "4242424242424242"}}},
        {"customer": "cus_of_somebody_else"},
        {"confirm": "yes"},
        {"metadata": {"number": "4242424242424242"}},
    ],
    ids=["card data", "another customer", "wrong kind", "card data in disguise"],
)
def test_data_that_must_not_pass_through_the_shop_is_refused(
    data: dict[str, Any], stripe: StripeSimulator
) -> None:
    holder = holder_at(STRIPE)

    with pytest.raises(InvalidData):
        save_payment_method(holder, data=data)

    assert setups(stripe) == []
    assert not AccountHolderCall.objects.filter(kind="save_payment_method").exists()


def test_a_declined_method_is_a_refusal(stripe: StripeSimulator) -> None:
    holder = holder_at(STRIPE)

    with pytest.raises(AccountHolderRefused):
        save_payment_method(holder, data={**SAVED, "payment_method": "pm_card_chargeDeclined"})

    assert list_payment_methods(holder) == []


def test_a_deleted_holder_has_no_methods(fake: StagedProvider) -> None:
    holder = delete_account_holder(holder_at(FAKE))

    for act in (lambda: list_payment_methods(holder), lambda: save_payment_method(holder)):
        with pytest.raises(NotAllowed):
            act()


def test_a_provider_that_saves_none_says_so() -> None:
    holder = holder_at(SYSTEM)

    assert list_payment_methods(holder) == []
    for act in (
        lambda: save_payment_method(holder),
        lambda: delete_payment_method(holder, "pm_1"),
    ):
        with pytest.raises(NotAllowed, match="does not save"):
            act()


def test_a_list_that_cannot_be_read_is_no_empty_list(stripe: StripeSimulator) -> None:
    holder = holder_at(STRIPE)
    stripe.fault("drop_before", operation="customers.list_payment_methods", times=None)

    with pytest.raises(PaymentProviderUnavailable):
        list_payment_methods(holder)


def test_no_secret_of_a_lookup_is_stored(fake: StagedProvider) -> None:
    holder = holder_at(FAKE)
    fake.script("save_payment_method", Indeterminate(), executes=True)

    saved = save_payment_method(holder)

    secret = saved["data"]["client_secret"]
    assert secret
    assert secret not in json.dumps(everything_stored())
