"""The provider of docs/providers.md in a shop: an answer is lost, and the money goes back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from medusa_payments.errors import PaymentDeclined, PaymentIndeterminate, PaymentProviderUnavailable
from medusa_payments.models import Discrepancy, Payment, PaymentCollection, PaymentSession
from medusa_payments.operations import audit
from medusa_payments.operations.authorizations import authorize_payment_session
from medusa_payments.operations.captures import capture_payment
from medusa_payments.operations.collections import create_payment_collection
from medusa_payments.operations.refunds import refund_payment
from medusa_payments.operations.sessions import create_payment_session
from medusa_payments.reconciliation.sweep import reconcile_all
from tests.docs.acme_gateway import (
    API_KEY,
    DECLINED_TOKEN,
    WEBHOOK_SECRET,
    AcmeGateway,
    Entry,
    Fault,
)

pytestmark = pytest.mark.django_db(transaction=True)

ACME = "pp_acme_default"
SAVED_CARD = {"token": "card_of_the_buyer"}


@pytest.fixture
def acme(settings: Any) -> Iterator[AcmeGateway]:
    with AcmeGateway() as gateway:
        settings.MEDUSA_PAYMENTS = {
            "PROVIDERS": {
                ACME: {
                    "BACKEND": "tests.docs.acme_provider.AcmeProvider",
                    "OPTIONS": {
                        "API_KEY": API_KEY,
                        "WEBHOOK_SECRET": WEBHOOK_SECRET,
                        "API_BASE": gateway.url,
                    },
                }
            }
        }
        yield gateway


def new_collection() -> PaymentCollection:
    return create_payment_collection(amount=Decimal("100.50"), currency_code="eur")


def start(collection: PaymentCollection, data: dict[str, Any] | None = None) -> PaymentSession:
    return create_payment_session(collection, provider_id=ACME, data=data)


def lose_the_start(acme: AcmeGateway, fault: Fault) -> tuple[PaymentSession, Entry]:
    """A saved card is charged, and no try of it is answered."""
    acme.fail_always("create", fault)
    with pytest.raises(PaymentIndeterminate) as raised:
        start(new_collection(), SAVED_CARD)
    acme.heal()
    session = PaymentSession.all_objects.get(pk=raised.value.session_id)
    return session, acme.payment_of(session.pk)


ON_HOLD = json.dumps(
    {
        "payment": Entry(
            amount=Decimal("100.50"),
            currency="EUR",
            merchant_reference="payses_1",
            status="on_hold",
        ).shown()
    }
).encode()
LOST = {
    "the connection breaks": Fault(executes=True),
    "a proxy answers": Fault(executes=True, answer=(502, b"<html>Bad gateway</html>")),
    "half an answer": Fault(executes=True, answer=(201, b'{"payment": {"id": "acme_')),
    "a status that nobody knows": Fault(executes=True, answer=(201, ON_HOLD)),
}


@pytest.mark.parametrize("lost", LOST)
def test_a_lost_start_is_set_aside_and_the_sweep_gives_the_money_back(
    acme: AcmeGateway, lost: str
) -> None:
    session, entry = lose_the_start(acme, LOST[lost])
    acme.capture_in_dashboard(entry.id)
    before = (session.indeterminate, session.deleted_reason, entry.kept)

    report = reconcile_all()

    session.refresh_from_db()
    assert before == (True, "indeterminate", Decimal("100.50"))
    assert (session.resolution, session.provider_reference) == ("refunded", entry.id)
    assert (entry.taken, entry.refunded, len(entry.refunds)) == (Decimal("100.50"),) * 2 + (1,)
    assert report.unresolved == 0
    assert list(audit.verify(PaymentCollection.objects.get())) == []


def test_a_lost_start_that_only_held_the_money_releases_it(acme: AcmeGateway) -> None:
    session, entry = lose_the_start(acme, Fault(executes=True))

    reconcile_all()

    session.refresh_from_db()
    assert session.resolution == "closed"
    assert (entry.status, entry.kept) == ("voided", 0)


def test_its_webhook_gives_the_money_back_without_a_sweep(
    acme: AcmeGateway, client: Client
) -> None:
    session, entry = lose_the_start(acme, Fault(executes=True))
    body, headers = acme.delivery(entry.id)

    answer = client.post(
        "/api/hooks/payment/acme_default", body, content_type="application/json", headers=headers
    )

    session.refresh_from_db()
    assert answer.status_code == 200
    assert session.resolution == "closed"
    assert entry.kept == 0


def test_a_start_that_never_arrived_is_not_created_after_the_horizon(
    acme: AcmeGateway, settings: Any
) -> None:
    settings.MEDUSA_PAYMENTS = {**settings.MEDUSA_PAYMENTS, "NOT_FOUND_HORIZON": 0}
    acme.fail_always("create", Fault(executes=False))
    with pytest.raises(PaymentIndeterminate):
        start(new_collection(), SAVED_CARD)
    acme.heal()

    reconcile_all()

    assert PaymentSession.all_objects.get().resolution == "not_created"
    assert acme.ledger == {}


def test_one_lost_answer_is_healed_by_the_second_try_with_the_same_key(acme: AcmeGateway) -> None:
    acme.fail_next("create", Fault(executes=True))

    session = start(new_collection(), SAVED_CARD)

    assert session.provider_reference == acme.payment_of(session.pk).id
    assert acme.keys[0] == acme.keys[1]


def test_a_refund_whose_answer_was_lost_is_made_once(acme: AcmeGateway) -> None:
    payment = paid(acme)
    acme.fail_always("refund", Fault(executes=True))

    refund = refund_payment(payment, amount=Decimal("40"))

    entry = acme.payment_of(payment.payment_session_id)
    assert refund.status == "succeeded"  # the look that follows at once has found it
    assert entry.refunded == Decimal("40")


def test_a_declined_card_took_nothing(acme: AcmeGateway) -> None:
    with pytest.raises(PaymentDeclined):
        start(new_collection(), {"token": DECLINED_TOKEN})

    assert acme.ledger == {}


def test_a_gateway_that_cannot_be_reached_was_not_asked(acme: AcmeGateway) -> None:
    acme.stop()

    with pytest.raises(PaymentProviderUnavailable):
        start(new_collection())

    assert PaymentSession.objects.get().status == "error"


def test_a_buyer_pays_at_the_checkout_page(acme: AcmeGateway) -> None:
    payment = paid(acme)

    collection = PaymentCollection.objects.get(pk=payment.payment_collection_id)
    assert (collection.status, collection.captured_amount) == ("completed", Decimal("100.5"))
    assert not Discrepancy.objects.exists()


def paid(acme: AcmeGateway) -> Payment:
    session = start(new_collection())
    assert session.data["checkout_url"].endswith(session.provider_reference)
    acme.pay(session.provider_reference)
    payment = authorize_payment_session(session)
    assert payment is not None
    capture_payment(payment)
    return payment
