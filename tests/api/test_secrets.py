"""Who is shown the secret that finishes a payment: whoever starts it, and nobody else."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from medusa_payments.models import PaymentSession, ProviderCall
from tests.api.shop import Api, priced

ROOMS = (
    "payment-collections?fields=payment_sessions.data,payments.payment_session.data",
    "payment-sessions?fields=data,payment_collection.payment_sessions.data",
    "payments?fields=payment_session.data,payment_collection.payment_sessions.data",
    "provider-calls?fields=payment_session.data,payment_collection.payment_sessions.data",
    "audit-entries?fields=payment_collection.payment_sessions.data",
)


def _started(api: Api) -> Any:
    answer = api.session(api.collection()).json()
    return answer["payment_collection"]["payment_sessions"][0]["data"]


@pytest.mark.parametrize("path", ROOMS)
def test_no_reading_route_shows_it_however_it_is_asked(api: Api, path: str) -> None:
    secret = _started(api)["client_secret"]
    api.authorized()

    answer = api.ask_admin(path)

    assert answer.status_code == 200
    assert secret not in answer.content.decode()
    assert "_secret_" not in answer.content.decode()


def test_acts_on_a_payment_do_not_show_it(api: Api) -> None:
    payment = api.authorized()
    asked = "payment_session.data,payment_collection.payment_sessions.data"

    for act in ("capture", "refund"):
        answer = api.admin("POST", f"payments/{payment}/{act}", {}, fields=asked)

        assert answer.status_code == 200
        assert answer.json()["payment"]["payment_session"]["data"]["id"]
        assert "_secret_" not in answer.content.decode()


def test_whoever_starts_a_payment_is_handed_it_again(api: Api) -> None:
    priced("cart_1", "10")
    made = api.store("POST", "payment-collections", {"cart_id": "cart_1"}).json()
    collection = made["payment_collection"]["id"]
    path = f"payment-collections/{collection}/payment-sessions"
    started = api.store("POST", path, {"provider_id": "pp_stripe_stripe"}).json()

    again = api.store("POST", "payment-collections", {"cart_id": "cart_1"}).json()

    (first,) = started["payment_collection"]["payment_sessions"]
    (second,) = again["payment_collection"]["payment_sessions"]
    assert first["data"]["client_secret"] == second["data"]["client_secret"]
    assert "_secret_" in first["data"]["client_secret"]


def test_it_is_not_handed_out_while_nobody_knows_what_it_would_pay(
    api: Api,
) -> None:
    """The process that was changing the amount died."""
    priced("cart_1", "10")
    made = api.store("POST", "payment-collections", {"cart_id": "cart_1"}).json()
    path = f"payment-collections/{made['payment_collection']['id']}/payment-sessions"
    api.store("POST", path, {"provider_id": "pp_stripe_stripe"})
    session = PaymentSession.objects.get()
    initiate = ProviderCall.objects.get()
    initiate.pk, initiate.kind, initiate.state, initiate.evidence = "pcall_u", "update", "open", ""
    initiate.next_attempt_at = timezone.now()
    initiate.save(force_insert=True)

    again = api.store("POST", "payment-collections", {"cart_id": "cart_1"})

    assert session.data["client_secret"] not in again.content.decode()
