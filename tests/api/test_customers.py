"""Whose payment it is: the shop says who is logged in, the browser never does."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpRequest

from medusa_payments.models import AccountHolder, PaymentSession
from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.api.shop import PROVIDER, Api, priced

pytestmark = pytest.mark.django_db(transaction=True)


def logged_in(request: HttpRequest) -> dict[str, Any] | None:
    return {"id": "customer_1", "email": "anna@example.com"}


def nobody(request: HttpRequest) -> dict[str, Any] | None:
    return None


def start(api: Api) -> Any:
    priced("cart_1", "100.50")
    made = api.store("POST", "payment-collections", {"cart_id": "cart_1"}).json()
    path = f"payment-collections/{made['payment_collection']['id']}/payment-sessions"
    return api.store("POST", path, {"provider_id": PROVIDER})


def test_a_session_is_the_customers_who_is_logged_in(api: Api, change: Any) -> None:
    change(CUSTOMER_RESOLVER="tests.api.test_customers.logged_in")

    answer = start(api)

    (session,) = answer.json()["payment_collection"]["payment_sessions"]
    holder = AccountHolder.objects.get()
    assert session["context"]["customer"] == {"id": "customer_1", "email": "anna@example.com"}
    assert session["context"]["account_holder"]["external_id"] == holder.external_id
    assert session["data"]["customer"] == holder.external_id


@pytest.mark.parametrize("resolver", ["", "tests.api.test_customers.nobody"])
def test_without_a_customer_it_is_nobodys(resolver: str, api: Api, change: Any) -> None:
    change(CUSTOMER_RESOLVER=resolver)

    answer = start(api)

    assert answer.json()["payment_collection"]["payment_sessions"][0]["context"] is None
    assert not AccountHolder.all_objects.exists()


def test_a_lost_holder_starts_no_payment_and_says_what_to_do(
    api: Api, change: Any, simulator: StripeSimulator
) -> None:
    change(CUSTOMER_RESOLVER="tests.api.test_customers.logged_in")
    simulator.fault("drop_before", operation="customers.create", times=None)

    answer = start(api)

    assert (answer.status_code, answer.json()["type"]) == (503, "account_holder_indeterminate")
    assert "Nothing was charged" in answer.json()["message"]
    assert answer.headers["Retry-After"]
    assert not PaymentSession.all_objects.exists()
    simulator.clear_faults()
    assert start(api).status_code == 200
