"""dj-stripe's webhook as a door of our intake (DESIGN, "dj-stripe"; law 9 through any door)."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from djstripe import signals
from djstripe.models import Event, WebhookEventTrigger

from medusa_payments.models import Payment, PaymentSession, WebhookEvent
from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.api.shop import PROVIDER, rows

from .door import DJSTRIPE_SECRET, Door, assert_applied, failing_inserts, listening

HOOK = f"/api/hooks/payment/{PROVIDER}"

pytestmark = pytest.mark.database


def deliver_to_our_hook(simulator: StripeSimulator, event: str) -> int:
    body, headers = simulator.signed(event)
    client = Client(raise_request_exception=False)  # which would raise what another thread meets
    answer = client.post(HOOK, body, content_type="application/json", headers=headers)
    return int(answer.status_code)


# Which door


def test_a_shop_that_points_stripe_only_at_dj_stripe_has_its_payment_recorded(
    door: Door, session: PaymentSession, simulator: StripeSimulator, live_server: Any
) -> None:
    simulator.set_webhook(live_server.url + door.path, DJSTRIPE_SECRET)
    simulator.pay(session.provider_reference)

    deliveries = simulator.release(types=["payment_intent.amount_capturable_updated"])

    assert [each["status"] for each in deliveries] == [200]
    assert_applied(session)
    assert Event.objects.get().id == WebhookEvent.objects.get().event_id


def test_an_event_that_dj_stripe_gets_twice_is_stored_once(
    door: Door, event: str, session: PaymentSession
) -> None:
    door.deliver(event)
    before = rows()

    answer = door.deliver(event)

    assert answer.status_code == 200
    assert rows() == before
    assert_applied(session)


def test_pointed_at_both_dj_stripe_first(
    door: Door, event: str, session: PaymentSession, simulator: StripeSimulator
) -> None:
    door.deliver(event)
    before = rows()

    assert deliver_to_our_hook(simulator, event) == 200
    assert rows() == before
    assert_applied(session)


def test_pointed_at_both_our_hook_first(
    door: Door, event: str, session: PaymentSession, simulator: StripeSimulator
) -> None:
    deliver_to_our_hook(simulator, event)
    before = rows()

    assert door.deliver(event).status_code == 200
    assert rows() == before
    assert_applied(session)
    assert Event.objects.get().id == event


@pytest.mark.parametrize("commits", [True, False])
def test_our_hook_gets_the_event_while_dj_stripes_transaction_is_open(
    door: Door, event: str, session: PaymentSession, simulator: StripeSimulator, *, commits: bool
) -> None:
    answers: list[int] = []

    def ask() -> None:
        answers.append(deliver_to_our_hook(simulator, event))
        connection.close()

    hook = threading.Thread(target=ask)

    def meanwhile(**kwargs: Any) -> None:
        hook.start()
        hook.join(0.2)
        if not commits:
            raise LookupError("the shop's own receiver is broken")

    with listening(signals.webhook_post_process, meanwhile):
        answer = door.deliver(event)
    hook.join()

    assert answer.status_code == (200 if commits else 500)
    assert answers == [200]
    assert_applied(session)


# dj-stripe fails


def test_an_event_that_dj_stripe_cannot_process_is_stored_and_applied(
    door: Door, event: str, session: PaymentSession, simulator: StripeSimulator
) -> None:
    simulator.fault("error_500_before", "payment_intents.retrieve", times=None)

    answer = door.deliver(event)

    assert answer.status_code == 500
    assert WebhookEventTrigger.objects.get().exception
    assert not Event.objects.exists()
    assert_applied(session)


def test_it_stays_one_event_when_stripe_repeats_it(
    door: Door, event: str, session: PaymentSession, simulator: StripeSimulator
) -> None:
    simulator.fault("error_500_before", "payment_intents.retrieve", times=None)
    door.deliver(event)
    simulator.clear_faults()

    assert door.deliver(event).status_code == 200
    assert Event.objects.count() == 1
    assert_applied(session)


def test_an_event_that_was_rolled_back_with_dj_stripes_transaction_is_stored_again(
    door: Door, event: str, session: PaymentSession
) -> None:
    was_stored = []

    def break_down(**kwargs: Any) -> None:
        was_stored.append(WebhookEvent.objects.exists())
        raise LookupError("the shop's own receiver is broken")

    with listening(signals.webhook_post_process, break_down):
        answer = door.deliver(event)

    assert was_stored == [True]
    assert answer.status_code == 500
    assert_applied(session)


def test_dj_stripe_keeps_its_own_error_when_nothing_can_be_stored(
    door: Door, event: str, simulator: StripeSimulator
) -> None:
    simulator.fault("error_500_before", "payment_intents.retrieve", times=None)

    with failing_inserts():
        answer = door.deliver(event)

    assert answer.status_code == 500
    exception = WebhookEventTrigger.objects.get().exception
    assert exception
    assert "no_such_table" not in exception
    assert not WebhookEvent.objects.exists()


# What proves nothing


def test_a_forged_event_is_not_stored(door: Door, event: str) -> None:
    before = rows()

    answer = door.deliver(event, secret="whsec_of_somebody_else")

    assert answer.status_code == 400
    assert WebhookEventTrigger.objects.get().valid is False
    assert rows() == before


@pytest.mark.usefixtures("idle_djstripe")
def test_a_forged_event_is_not_stored_when_dj_stripe_fails_too(door: Door, event: str) -> None:
    def break_down(**kwargs: Any) -> None:
        raise LookupError("the shop's own receiver is broken")

    before = rows()

    with listening(signals.webhook_post_validate, break_down):
        answer = door.deliver(event, secret="whsec_of_somebody_else")

    assert answer.status_code == 500
    assert rows() == before


@pytest.mark.filterwarnings("ignore:WEBHOOK VALIDATION is disabled")
def test_an_event_that_dj_stripe_was_told_not_to_check_is_not_stored(
    door: Door, event: str
) -> None:
    door.endpoint.djstripe_validation_method = "none"
    door.endpoint.save()
    before = rows()

    answer = door.deliver(event, secret="whsec_of_somebody_else")

    assert answer.status_code == 200
    assert rows() == before


def test_a_secret_that_comes_with_the_request_proves_nothing(
    door: Door, event: str, settings: Any
) -> None:
    settings.DEBUG = True
    before = rows()

    answer = door.deliver(
        event, secret="whsec_of_mine", headers={"X-DJStripe-Webhook-Secret": "whsec_of_mine"}
    )

    assert answer.status_code == 200
    assert rows() == before


def test_a_secret_that_comes_with_the_request_is_taken_if_it_is_ours(
    door: Door, event: str, session: PaymentSession, settings: Any, change_stripe: Any
) -> None:
    settings.DEBUG = True
    change_stripe(WEBHOOK_SECRETS=("whsec_of_the_cli",))

    door.deliver(
        event, secret="whsec_of_the_cli", headers={"X-DJStripe-Webhook-Secret": "whsec_of_the_cli"}
    )

    assert_applied(session)


# What is kept apart, and what is left out


@pytest.mark.usefixtures("idle_djstripe")
@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"livemode": True}, "livemode: "),
        ({"account": "acct_of_somebody_else"}, "account: "),
    ],
)
def test_an_event_of_the_wrong_mode_or_account_is_kept_apart(
    door: Door, event: str, change_stripe: Any, changes: dict[str, Any], note: str
) -> None:
    change_stripe(ACCOUNT_ID="acct_ours")

    assert door.deliver(event, **changes).status_code == 200
    stored = WebhookEvent.objects.get()
    assert (stored.state, stored.next_attempt_at) == ("quarantined", None)
    assert stored.note.startswith(note)
    assert not Payment.objects.exists()


def test_an_event_about_somebody_elses_payment_is_kept_apart(
    door: Door, simulator: StripeSimulator
) -> None:
    simulator.foreign_intent()
    (event,) = simulator.events(["payment_intent.succeeded"])

    assert door.deliver(event["id"]).status_code == 200
    assert WebhookEvent.objects.get().state == "quarantined"


def test_no_client_secret_is_stored(
    door: Door, event: str, session: PaymentSession, simulator: StripeSimulator
) -> None:
    secret = simulator.object(session.provider_reference)["client_secret"]

    door.deliver(event)

    assert secret in WebhookEventTrigger.objects.get().body
    assert secret not in json.dumps(WebhookEvent.objects.get().payload)


# Which account


@pytest.fixture
def two_accounts(change: Any, shop_settings: Any) -> None:
    """The sessions of these tests are of the second."""
    providers = shop_settings.MEDUSA_PAYMENTS["PROVIDERS"]
    ours = providers[PROVIDER]
    other = ours | {
        "OPTIONS": ours["OPTIONS"]
        | {"API_KEY": "sk_test_of_another", "WEBHOOK_SECRETS": ("whsec_of_another",)}
    }
    change(PROVIDERS={"pp_stripe_other": other} | providers)


@pytest.mark.usefixtures("two_accounts")
def test_of_two_accounts_it_is_that_of_dj_stripes_key(
    door: Door, event: str, session: PaymentSession
) -> None:
    door.deliver(event)

    assert_applied(session)


@pytest.mark.usefixtures("two_accounts")
def test_of_two_accounts_it_is_that_whose_secret_has_signed(
    door: Door, event: str, session: PaymentSession, settings: Any, change_stripe: Any
) -> None:
    settings.STRIPE_SECRET_KEY = "sk_test_" + "2" * 24
    change_stripe(WEBHOOK_SECRETS=(DJSTRIPE_SECRET,))

    door.deliver(event)

    assert_applied(session)


def test_a_provider_whose_options_are_wrong_does_not_lose_the_events_of_another(
    door: Door, event: str, change: Any, shop_settings: Any
) -> None:
    providers = shop_settings.MEDUSA_PAYMENTS["PROVIDERS"]
    broken = providers[PROVIDER] | {"OPTIONS": {}}
    change(PROVIDERS={"pp_stripe_broken": broken} | providers)

    assert door.deliver(event).status_code == 200
    assert WebhookEvent.objects.get().provider_id == PROVIDER


def test_a_shop_without_stripe_among_its_providers_stores_nothing(
    door: Door, event: str, change: Any, shop_settings: Any
) -> None:
    providers = shop_settings.MEDUSA_PAYMENTS["PROVIDERS"]
    change(PROVIDERS={"pp_system_default": providers["pp_system_default"]})

    assert door.deliver(event).status_code == 200
    assert not WebhookEvent.objects.exists()
