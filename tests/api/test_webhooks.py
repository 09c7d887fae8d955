"""Events: verified, stored, answered (CONTRACT 3.6, INTERFACE's row "hook")."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from medusa_payments.models import Payment, PaymentSession, WebhookEvent
from medusa_payments.testing.stripe_simulator import StripeSimulator
from medusa_payments.testing.stripe_simulator.webhooks import signature_header
from tests.api.shop import PROVIDER, Api, rows
from tests.conftest import WEBHOOK_SECRET

HOOK = "/api/hooks/payment/pp_stripe_stripe"


def deliver(api: Api, body: bytes, headers: dict[str, str], path: str = HOOK) -> Any:
    return api.ask("POST", path, body, headers=headers)


@pytest.fixture
def session(api: Api) -> PaymentSession:
    api.session(api.collection())
    found: PaymentSession = PaymentSession.objects.get()
    return found


@pytest.fixture
def event(session: PaymentSession, simulator: StripeSimulator) -> str:
    """The id of the event that tells that the buyer has paid."""
    simulator.pay(session.provider_reference)
    (found,) = simulator.events(["payment_intent.amount_capturable_updated"])
    return str(found["id"])


@pytest.mark.parametrize("path", [HOOK, "/api/hooks/payment/stripe_stripe", HOOK + "/"])
def test_a_signed_event_is_stored_applied_and_answered_ok(
    api: Api, simulator: StripeSimulator, event: str, session: PaymentSession, path: str
) -> None:
    answer = deliver(api, *simulator.signed(event), path=path)

    assert (answer.status_code, answer.content) == (200, b"OK")
    assert answer["Content-Type"] == "text/plain"
    assert WebhookEvent.objects.get().state == "applied"
    assert Payment.objects.get().payment_session_id == session.pk


def test_it_needs_no_key_no_cookie_and_no_token(simulator: StripeSimulator, event: str) -> None:
    api = Api()
    api._client.handler.enforce_csrf_checks = True

    assert deliver(api, *simulator.signed(event)).status_code == 200


def test_a_replayed_event_is_answered_ok_and_changes_nothing(
    api: Api, simulator: StripeSimulator, event: str
) -> None:
    deliver(api, *simulator.signed(event))
    before = rows()

    answer = deliver(api, *simulator.signed(event))

    assert (answer.status_code, answer.content) == (200, b"OK")
    assert rows() == before


def _forged(simulator: StripeSimulator, event: str) -> tuple[bytes, dict[str, str]]:
    return simulator.signed(event, secret="whsec_of_somebody_else")


def _stale(simulator: StripeSimulator, event: str) -> tuple[bytes, dict[str, str]]:
    return simulator.signed(event, timestamp=int(time.time()) - 3600)


def _unsigned(simulator: StripeSimulator, event: str) -> tuple[bytes, dict[str, str]]:
    return simulator.signed(event)[0], {}


def _altered(simulator: StripeSimulator, event: str) -> tuple[bytes, dict[str, str]]:
    body, headers = simulator.signed(event)
    return body.replace(b"10050", b"10051"), headers


def _signed(body: bytes) -> tuple[bytes, dict[str, str]]:
    return body, {"Stripe-Signature": signature_header(body, WEBHOOK_SECRET, int(time.time()))}


def _malformed(simulator: StripeSimulator, event: str) -> tuple[bytes, dict[str, str]]:
    return _signed(b'{"id": "evt_1", ')


def _no_event(simulator: StripeSimulator, event: str) -> tuple[bytes, dict[str, str]]:
    return _signed(b"[1, 2]")


@pytest.mark.parametrize("wrong", [_forged, _stale, _unsigned, _altered, _malformed, _no_event])
def test_what_is_not_the_providers_is_refused_and_not_stored(
    api: Api, simulator: StripeSimulator, event: str, wrong: Any
) -> None:
    before = rows()

    answer = deliver(api, *wrong(simulator, event))

    assert (answer.status_code, answer.json()["type"]) == (400, "invalid_data")
    assert rows() == before


def test_an_event_of_the_wrong_livemode_is_kept_apart(
    api: Api, simulator: StripeSimulator, event: str
) -> None:
    body = json.loads(simulator.signed(event)[0]) | {"livemode": True}

    answer = deliver(api, *_signed(json.dumps(body).encode()))

    assert (answer.status_code, answer.content) == (200, b"OK")
    assert WebhookEvent.objects.get().state == "quarantined"
    assert not Payment.objects.exists()


def test_an_event_about_somebody_elses_payment_is_kept_apart(
    api: Api, simulator: StripeSimulator
) -> None:
    simulator.foreign_intent(metadata={"session_id": "payses_unknown"})
    (event,) = simulator.events(["payment_intent.succeeded"])

    answer = deliver(api, *simulator.signed(event["id"]))

    assert (answer.status_code, answer.content) == (200, b"OK")
    assert WebhookEvent.objects.get().state == "quarantined"


def test_an_unhandled_event_is_answered_ok(
    api: Api, simulator: StripeSimulator, event: str
) -> None:
    body = json.loads(simulator.signed(event)[0]) | {"type": "product.created"}

    answer = deliver(api, *_signed(json.dumps(body).encode()))

    assert (answer.status_code, answer.content) == (200, b"OK")


def test_a_hook_of_no_provider_is_not_found(
    api: Api, simulator: StripeSimulator, event: str
) -> None:
    answer = deliver(api, *simulator.signed(event), path="/api/hooks/payment/pp_none_none")

    assert (answer.status_code, answer.json()["type"]) == (404, "not_found")
    assert not WebhookEvent.objects.exists()


def test_a_provider_that_signs_nothing_takes_no_event(api: Api) -> None:
    answer = deliver(api, b"{}", {}, path="/api/hooks/payment/system_default")

    assert (answer.status_code, answer.content) == (200, b"OK")
    assert not WebhookEvent.objects.exists()


def test_what_could_not_be_stored_is_asked_for_again(
    api: Api, simulator: StripeSimulator, event: str
) -> None:
    def break_down(execute: Any, sql: str, *rest: Any) -> Any:
        if "webhookevent" in sql:
            raise OperationalError("the disk is full")
        return execute(sql, *rest)

    with connection.execute_wrapper(break_down):
        answer = deliver(api, *simulator.signed(event))
    again = deliver(api, *simulator.signed(event))

    assert answer.status_code == 503
    assert int(answer["Retry-After"]) > 0
    assert "disk" not in answer.content.decode()
    assert again.status_code == 200
    assert WebhookEvent.objects.get().state == "applied"


def test_an_event_that_cannot_be_applied_is_still_answered_ok(
    api: Api, simulator: StripeSimulator, event: str
) -> None:
    def break_down(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith("INSERT") and "medusa_payments_payment" in sql:
            raise OperationalError("the disk is full")
        return execute(sql, *rest)

    with connection.execute_wrapper(break_down):
        answer = deliver(api, *simulator.signed(event))

    assert (answer.status_code, answer.content) == (200, b"OK")
    assert WebhookEvent.objects.get().state == "parked"


# The budget of statements: BEGIN and COMMIT count, so these run without a test's transaction.


@pytest.fixture
def real(transactional_db: None, change: Any) -> Api:
    change(WEBHOOK_APPLY="deferred")
    return Api()


@pytest.mark.database
def test_an_intake_takes_few_statements_and_asks_the_provider_nothing(
    real: Api, simulator: StripeSimulator
) -> None:
    real.session(real.collection())
    simulator.pay(PaymentSession.objects.get().provider_reference)
    (event,) = simulator.events(["payment_intent.amount_capturable_updated"])
    delivery, asked = simulator.signed(event["id"]), len(simulator.requests())

    with CaptureQueriesContext(connection) as intake:
        first = deliver(real, *delivery)
    with CaptureQueriesContext(connection) as duplicate:
        second = deliver(real, *delivery)

    assert (first.status_code, second.status_code) == (200, 200)
    assert len(intake) <= 4, intake.captured_queries
    assert len(duplicate) <= 3, duplicate.captured_queries
    assert len(simulator.requests()) == asked
    assert WebhookEvent.objects.get().state == "received"
    assert PaymentSession.objects.get(provider_id=PROVIDER).status == "pending"
