from __future__ import annotations

from typing import Any

import pytest

from medusa_payments.errors import AccountHolderIndeterminate, AccountHolderRefused
from medusa_payments.models import AccountHolder, PaymentSession, ProviderCall
from medusa_payments.operations.account_holders import create_account_holder
from medusa_payments.operations.payment_methods import list_payment_methods, save_payment_method
from medusa_payments.operations.sessions import create_payment_session
from medusa_payments.providers.types import Failed, FailureKind, Indeterminate
from medusa_payments.reconciliation.sweep import reconcile_all
from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.laws.fixtures import configure
from tests.laws.scenes import FAKE, STRIPE, SYSTEM, StagedProvider, collection_of

pytestmark = pytest.mark.django_db(transaction=True)

ANNA = {"id": "customer_1", "email": "anna@example.com", "first_name": "Anna"}


def session_of(provider_id: str, customer: dict[str, Any] = ANNA, **data: Any) -> PaymentSession:
    return create_payment_session(
        collection_of(), provider_id=provider_id, customer=customer, data=data
    )


def test_a_customers_payment_is_theirs_at_the_provider(stripe: StripeSimulator) -> None:
    session = session_of(STRIPE)

    holder = AccountHolder.objects.get()
    assert session.data["customer"] == holder.external_id
    assert session.context is not None
    assert session.context["customer"] == ANNA
    assert session.context["account_holder"]["external_id"] == holder.external_id
    assert "client_secret" not in str(session.context)


def test_the_next_payment_uses_the_same_holder(stripe: StripeSimulator) -> None:
    first, second = session_of(STRIPE), session_of(STRIPE)

    assert first.data["customer"] == second.data["customer"]
    assert AccountHolder.objects.count() == 1


def test_a_saved_method_is_charged_off_session(stripe: StripeSimulator) -> None:
    holder = create_account_holder(provider_id=STRIPE, customer=ANNA)
    assert holder is not None
    save_payment_method(
        holder,
        data={
            "confirm": True,
            "payment_method": "pm_card_visa",
            "return_url": "https://shop.test/",
        },
    )
    (saved,) = list_payment_methods(holder)

    session = session_of(
        STRIPE,
        payment_method=saved["id"],
        confirm=True,
        off_session=True,
        capture_method="automatic",
    )

    assert (session.status, session.payment.amount) == ("authorized", collection_of().amount)


def test_a_lost_initiate_is_looked_for_among_the_customers_payments(
    stripe: StripeSimulator, shop: Any
) -> None:
    configure(shop, NOT_FOUND_HORIZON=0.0)
    stripe.fault("drop_after", operation="payment_intents.create", times=None)
    with pytest.raises(Exception, match="try again"):
        session_of(STRIPE)
    stripe.clear_faults()

    assert reconcile_all().unresolved == 0

    session = PaymentSession.all_objects.get()
    assert (session.resolution, session.provider_reference[:3]) == ("closed", "pi_")
    listed = [each for each in stripe.requests() if each["operation"] == "payment_intents.list"]
    assert AccountHolder.objects.get().external_id in str(listed)


def test_the_customer_is_among_the_arguments_of_the_initiate(fake: StagedProvider) -> None:
    session_of(FAKE)

    holder = AccountHolder.objects.get()
    call = ProviderCall.objects.get(kind="initiate")
    assert call.arguments["customer"] == {"id": holder.external_id}
    assert fake.asked_for("initiate_payment")[0].customer == {"id": holder.external_id}


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Indeterminate(), AccountHolderIndeterminate),
        (Failed(kind=FailureKind.REFUSED), AccountHolderRefused),
    ],
    ids=["lost", "refused"],
)
def test_without_its_holder_no_payment_is_started(
    answer: Any, error: type[Exception], fake: StagedProvider
) -> None:
    fake.script("create_account_holder", answer)

    with pytest.raises(error):
        session_of(FAKE)

    assert fake.asked_for("initiate_payment") == []
    assert not PaymentSession.all_objects.exists()


def test_a_provider_that_keeps_holders_by_the_shops_own_id(shop: Any) -> None:
    session = session_of(SYSTEM)

    assert session.context is not None
    assert session.context["account_holder"]["external_id"] == "customer_1"


def test_a_live_session_of_another_customer_is_replaced(fake: StagedProvider) -> None:
    collection = collection_of()
    made = [
        create_payment_session(collection, provider_id=FAKE, customer={"id": customer})
        for customer in ("customer_1", "customer_2")
    ]

    assert made[0].pk != made[1].pk
    assert PaymentSession.objects.get() == made[1]
