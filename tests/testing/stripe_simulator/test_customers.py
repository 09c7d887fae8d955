"""Customers, their payment methods, and setup intents."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from .conftest import error_of


@pytest.fixture
def customer(client: Any) -> Any:
    return client.customers.create(
        {"email": "a@example.com", "name": "Ada", "metadata": {"user": "1"}}
    )


def test_customer_is_created_updated_and_deleted(
    client: Any, customer: Any, simulator: Any
) -> None:
    updated = client.customers.update(customer.id, {"name": "Ada L.", "metadata": {"user": ""}})
    assert (updated.name, updated.email, updated.metadata.to_dict()) == (
        "Ada L.",
        "a@example.com",
        {},
    )

    client.customers.delete(customer.id)

    assert client.customers.retrieve(customer.id).deleted is True
    assert client.customers.list().data == []
    assert [event["type"] for event in simulator.events()] == [
        "customer.created",
        "customer.updated",
        "customer.deleted",
    ]


def test_deleted_customer_may_not_pay(client: Any, customer: Any) -> None:
    client.customers.delete(customer.id)

    with pytest.raises(stripe.InvalidRequestError) as raised:
        client.payment_intents.create({"amount": 1000, "currency": "eur", "customer": customer.id})

    assert raised.value.code == "resource_missing"


def test_payment_method_is_attached_listed_and_detached(client: Any, customer: Any) -> None:
    method = client.payment_methods.attach("pm_card_mastercard", {"customer": customer.id})

    assert method.id != "pm_card_mastercard"
    listed = client.customers.payment_methods.list(customer.id)
    assert [item.card.brand for item in listed] == ["mastercard"]
    assert [item.id for item in client.payment_methods.list({"customer": customer.id})] == [
        method.id
    ]
    assert client.payment_methods.detach(method.id).customer is None
    assert client.payment_methods.list({"customer": customer.id, "type": "card"}).data == []


def test_card_that_declines_may_not_be_attached(client: Any, customer: Any) -> None:
    with pytest.raises(stripe.CardError):
        client.payment_methods.attach("pm_card_chargeDeclined", {"customer": customer.id})


def test_detached_method_may_not_be_used_again(client: Any, customer: Any, make_paid: Any) -> None:
    method = client.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    client.payment_methods.detach(method.id)

    with pytest.raises(stripe.InvalidRequestError):
        make_paid(payment_method=method.id)


def test_method_of_a_customer_pays_for_that_customer_only(
    client: Any, customer: Any, make_paid: Any
) -> None:
    method = client.payment_methods.attach("pm_card_visa", {"customer": customer.id})

    assert (
        make_paid(payment_method=method.id, customer=customer.id, off_session=True).status
        == "succeeded"
    )
    with pytest.raises(stripe.InvalidRequestError):
        make_paid(payment_method=method.id)


def test_setup_future_usage_keeps_the_method(client: Any, customer: Any, make_paid: Any) -> None:
    paid = make_paid(customer=customer.id, setup_future_usage="off_session")

    kept = client.payment_methods.retrieve(paid.payment_method)
    assert kept.customer == customer.id


def test_setup_intent_attaches_the_method(client: Any, customer: Any) -> None:
    setup = client.setup_intents.create({"customer": customer.id, "usage": "off_session"})
    assert setup.status == "requires_payment_method"

    done = client.setup_intents.confirm(setup.id, {"payment_method": "pm_card_visa"})

    assert done.status == "succeeded"
    assert client.payment_methods.retrieve(done.payment_method).customer == customer.id
    assert [item.id for item in client.setup_intents.list({"customer": customer.id})] == [setup.id]


def test_setup_intent_waits_for_authentication(client: Any, customer: Any, simulator: Any) -> None:
    setup = client.setup_intents.create(
        {
            "customer": customer.id,
            "payment_method": "pm_card_threeDSecure2Required",
            "confirm": True,
        }
    )
    assert setup.status == "requires_action"

    assert simulator.complete_action(setup.id)["status"] == "succeeded"


def test_declined_setup_intent_is_a_card_error(client: Any) -> None:
    with pytest.raises(stripe.CardError) as raised:
        client.setup_intents.create({"payment_method": "pm_card_chargeDeclined", "confirm": True})

    assert error_of(raised).setup_intent["status"] == "requires_payment_method"
