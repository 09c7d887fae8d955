"""Stripe's eight variants, and payments that need the buyer or time, from start to money."""

from __future__ import annotations

from typing import Any

import pytest

from medusa_payments.models import Capture, Payment, WebhookEvent
from medusa_payments.operations.sessions import create_payment_session
from medusa_payments.operations.webhooks import receive_webhook
from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.conftest import WEBHOOK_SECRET
from tests.laws.fixtures import configure
from tests.laws.scenes import (
    AMOUNT_MINOR,
    STRIPE,
    collection_of,
    deliver,
    only_call,
    reloaded,
    session_at,
)

pytestmark = pytest.mark.django_db(transaction=True)

# Identifier -> provider class and the payment method that Stripe is told to offer.
VARIANTS = {
    "stripe-bancontact": ("StripeBancontactProvider", "bancontact"),
    "stripe-blik": ("StripeBlikProvider", "blik"),
    "stripe-giropay": ("StripeGiropayProvider", "giropay"),
    "stripe-ideal": ("StripeIdealProvider", "ideal"),
    "stripe-przelewy24": ("StripePrzelewy24Provider", "p24"),
    "stripe-promptpay": ("StripePromptpayProvider", "promptpay"),
    "stripe-oxxo": ("StripeOxxoProvider", "oxxo"),
}


@pytest.fixture
def variants(shop: Any, stripe: StripeSimulator) -> StripeSimulator:
    """A shop with all eight on one account."""
    providers = dict(shop.MEDUSA_PAYMENTS["PROVIDERS"])
    options = providers[STRIPE]["OPTIONS"]
    for identifier, (name, _) in VARIANTS.items():
        providers[f"pp_{identifier}_stripe"] = {
            "BACKEND": f"medusa_payments.providers.stripe.variants.{name}",
            "OPTIONS": options,
        }
    configure(shop, PROVIDERS=providers)
    return stripe


@pytest.mark.parametrize("identifier", VARIANTS)
def test_a_variant_offers_its_method_and_takes_the_money_by_itself(
    variants: StripeSimulator, identifier: str
) -> None:
    session = session_at(f"pp_{identifier}_stripe")

    sent = only_call("initiate")
    (request,) = variants.requests("payment_intents.create")
    assert sent.provider_id == session.provider_id
    assert request["params"]["payment_method_types"] == [VARIANTS[identifier][1]]
    assert request["params"]["capture_method"] == "automatic"


def test_variants_share_an_account_and_its_events(variants: StripeSimulator) -> None:
    """Stripe knows one address of the shop, whichever variant a session is of."""
    session = session_at("pp_stripe-ideal_stripe", payment_method_types=["card"])
    variants.pay(session.provider_reference)

    for event in variants.events():
        deliver(variants, event["id"])
        receive_webhook(
            "pp_stripe-ideal_stripe", *variants.signed(event["id"], secret=WEBHOOK_SECRET)
        )

    assert Payment.objects.get().payment_session_id == session.pk
    assert WebhookEvent.objects.count() == len(variants.events())


def test_money_that_is_taken_at_once_is_captured_when_its_event_comes(
    stripe: StripeSimulator,
) -> None:
    session = session_at(STRIPE, capture_method="automatic")
    stripe.pay(session.provider_reference)

    for event in stripe.events():
        deliver(stripe, event["id"])

    capture = Capture.objects.get()
    assert (capture.amount_minor, capture.is_external) == (AMOUNT_MINOR, False)
    assert reloaded(session.payment_collection).status == "completed"


def test_a_payment_that_takes_days_waits_for_its_event(stripe: StripeSimulator) -> None:
    session = session_at(
        STRIPE, capture_method="automatic", payment_method_types=["us_bank_account"]
    )
    stripe.pay(session.provider_reference, "pm_usBankAccount")
    _deliver_all(stripe)
    waiting = reloaded(session)
    assert (waiting.status, waiting.provider_state) == ("pending_authorization", "processing")
    assert reloaded(session.payment_collection).status == "awaiting"

    stripe.finish_processing(session.provider_reference)
    _deliver_all(stripe)

    assert reloaded(session.payment_collection).status == "completed"
    assert Capture.objects.get().amount_minor == AMOUNT_MINOR


def test_a_payment_that_takes_days_may_fail(stripe: StripeSimulator) -> None:
    session = session_at(
        STRIPE, capture_method="automatic", payment_method_types=["us_bank_account"]
    )
    stripe.pay(session.provider_reference, "pm_usBankAccount")
    stripe.finish_processing(session.provider_reference, succeed=False)

    _deliver_all(stripe)

    assert reloaded(session).status == "error"
    assert not Payment.objects.exists()


def test_the_buyers_bank_asks_and_the_buyer_answers(stripe: StripeSimulator) -> None:
    session = session_at(STRIPE)
    stripe.pay(session.provider_reference, "pm_card_threeDSecure2Required")
    _deliver_all(stripe)
    assert reloaded(session).status == "requires_more"

    stripe.complete_action(session.provider_reference)
    _deliver_all(stripe)

    assert reloaded(session).status == "authorized"
    assert Payment.objects.get().amount_minor == AMOUNT_MINOR


def test_the_buyers_bank_asks_at_once_when_the_shop_confirms(stripe: StripeSimulator) -> None:
    session = create_payment_session(
        collection_of(),
        provider_id=STRIPE,
        data={
            "confirm": True,
            "payment_method": "pm_card_threeDSecure2Required",
            "return_url": "https://shop.example/back",
        },
    )

    assert session.status == "requires_more"
    assert session.data["client_secret"]


def _deliver_all(stripe: StripeSimulator) -> None:
    for event in stripe.events():
        deliver(stripe, event["id"])
