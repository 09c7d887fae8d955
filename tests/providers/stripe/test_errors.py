"""What Stripe's answers mean, through the real SDK and over real sockets."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from medusa_payments.providers.stripe import StripeProvider
from medusa_payments.providers.types import (
    Failed,
    FailureKind,
    Indeterminate,
    InitiateRequest,
    LookupRequest,
    NoAnswer,
    Outcome,
    RefundRequest,
    Succeeded,
)
from medusa_payments.statuses import ProviderState

from .conftest import CannedServer, payload, response

INTENT = payload("payment_intent.created")["data"]["object"]
QUICK = {"READ_TIMEOUT": 0.3}
DECLINED_INTENT = payload("payment_intent.payment_failed")["data"]["object"]


def error(**body: Any) -> dict[str, Any]:
    return {"error": {"message": "Mr. Jo Doe, 4242 4242 4242 4242", **body}}


def ask(url: str, **options: Any) -> Outcome:
    provider = StripeProvider(
        "pp_stripe_stripe",
        {"API_KEY": "sk_test_1", "API_BASE": url, "READ_TIMEOUT": 10.0, **options},
    )
    return provider.initiate_payment(
        InitiateRequest(
            idempotency_key="call_1",
            session_id="payses_1",
            amount_minor=1050,
            currency_code="eur",
        )
    )


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, error(type="invalid_request_error", code="parameter_missing"), "refused"),
        (404, error(type="invalid_request_error", code="resource_missing"), "refused"),
        (405, error(type="invalid_request_error"), "refused"),
        (401, error(type="invalid_request_error"), "misconfigured"),
        (403, error(type="invalid_request_error"), "misconfigured"),
        (429, error(type="invalid_request_error", code="rate_limit"), "rate_limited"),
        (429, error(type="invalid_request_error", code="lock_timeout"), "rate_limited"),
        (400, error(type="invalid_request_error", code="rate_limit"), "rate_limited"),
        (402, error(type="card_error", code="card_declined"), "declined"),
        (400, error(code="payment_intent_unexpected_state"), "wrong_state"),
        (400, error(code="charge_already_refunded"), "wrong_state"),
        (400, error(code="charge_disputed"), "wrong_state"),
    ],
)
def test_a_refusal_in_stripes_own_form_is_a_failure(
    canned: CannedServer, status: int, body: Any, kind: str
) -> None:
    canned.answer = response(status, body)

    outcome = ask(canned.url)

    assert isinstance(outcome, Failed)
    assert outcome.kind is FailureKind(kind)
    assert outcome.request_id == "req_canned"
    assert outcome.code == (body["error"].get("code") or body["error"].get("type"))


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (response(500, error(type="api_error")), "api_error"),
        (response(503, error(type="api_error")), "api_error"),
        (response(409, error(code="idempotency_key_in_use")), "idempotency_key_in_use"),
        (response(409, error(type="invalid_request_error")), "invalid_request_error"),
        (response(424, error(type="api_error")), "api_error"),
        (response(408, error(type="api_error")), "api_error"),
        (response(502, b"<html>", content_type="text/html"), "http_502"),
        (response(404, b"<html>", content_type="text/html"), "http_404"),
        (response(400, {}), "http_400"),
        (response(400, {"error": {}}), "http_400"),
        (response(429, b"slow down", content_type="text/plain"), "http_429"),
        (response(402, b"pay the proxy", content_type="text/plain"), "http_402"),
        (response(400, {"error": "access_denied"}), None),
        (response(200, b'{"id": "pi_1", "obj'), "http_200"),
        (response(200, b"<html>", content_type="text/html"), "http_200"),
        (response(200, b""), "http_200"),
        (response(200, []), "unreadable_answer"),
        (response(200, "yes"), "unreadable_answer"),
        (response(200, {}), "unreadable_answer"),
        (response(200, {"id": "ch_1", "object": "charge"}), "unreadable_answer"),
        (response(200, {"id": "pi_1", "object": "payment_intent"}), "unreadable_answer"),
        (response(200, INTENT | {"amount": "1050"}), "unreadable_answer"),
        (response(200, INTENT | {"status": "succeeded", "amount_received": None}), None),
        (response(204, b""), "http_204"),
        (response(302, b"", Location="http://127.0.0.1:1/"), "no_answer"),
        (response(307, b"", Location="http://127.0.0.1:1/"), "no_answer"),
        (response(200, INTENT)[:-40], "no_answer"),
        (response(200, b"abcd", Content_Encoding="gzip"), "no_answer"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", "no_answer"),
        (b"SSH-2.0-OpenSSH\r\n", "no_answer"),
        (b"", "no_answer"),
        (None, "no_answer"),
    ],
)
def test_what_is_no_clear_answer_is_indeterminate(
    canned: CannedServer, answer: bytes | None, code: str | None
) -> None:
    canned.answer = answer

    outcome = ask(canned.url, **(QUICK if answer is None else {}))

    assert isinstance(outcome, Indeterminate)
    assert outcome.ask_again
    assert not outcome.key_is_spent
    assert code in (None, outcome.code)


def test_every_call_is_one_attempt(canned: CannedServer) -> None:
    canned.answer = response(500, error(type="api_error"), Stripe_Should_Retry="true")

    ask(canned.url)

    assert len(canned.requests) == 1


def test_an_unreadable_answer_still_names_its_request(canned: CannedServer) -> None:
    canned.answer = response(200, b'{"id": ')

    assert ask(canned.url).request_id == "req_canned"


def test_a_stored_server_error_spends_the_key(canned: CannedServer) -> None:
    canned.answer = response(500, error(type="api_error"), Idempotent_Replayed="true")

    outcome = ask(canned.url)

    assert isinstance(outcome, Indeterminate)
    assert outcome.replayed
    assert outcome.key_is_spent
    assert not outcome.ask_again


def test_a_key_used_with_other_arguments_is_not_asked_again(canned: CannedServer) -> None:
    canned.answer = response(400, error(type="idempotency_error"))

    outcome = ask(canned.url)

    assert isinstance(outcome, Indeterminate)
    assert outcome.code == "idempotency_error"
    assert not outcome.ask_again


def test_a_decline_shows_the_intent_that_exists(canned: CannedServer) -> None:
    body = error(
        type="card_error",
        code="card_declined",
        decline_code="insufficient_funds",
        payment_intent=DECLINED_INTENT,
    )
    canned.answer = response(402, body)

    outcome = ask(canned.url)

    assert isinstance(outcome, Failed)
    assert outcome.decline_code == "insufficient_funds"
    assert outcome.payment is not None
    assert outcome.payment.reference == DECLINED_INTENT["id"]
    assert outcome.payment.state is ProviderState.PAYABLE
    assert outcome.payment.declined


def test_a_refused_state_shows_the_state(canned: CannedServer) -> None:
    intent = INTENT | {"status": "canceled"}
    canned.answer = response(
        400, error(code="payment_intent_unexpected_state", payment_intent=intent)
    )

    outcome = ask(canned.url)

    assert outcome.payment is not None
    assert outcome.payment.state is ProviderState.CANCELED


def test_an_unreadable_intent_in_a_refusal_is_left_out(canned: CannedServer) -> None:
    canned.answer = response(402, error(type="card_error", payment_intent={"id": "pi_1"}))

    outcome = ask(canned.url)

    assert isinstance(outcome, Failed)
    assert outcome.payment is None


@pytest.mark.parametrize("status", [400, 402, 500])
def test_no_message_of_stripe_gets_through(canned: CannedServer, status: int) -> None:
    canned.answer = response(status, error(type="api_error"))

    outcome = ask(canned.url)

    assert outcome.detail
    assert "4242" not in repr(outcome)
    assert "Doe" not in repr(outcome)


# Nothing was written


def test_a_refused_connection_is_a_failure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    outcome = ask(f"http://127.0.0.1:{port}")

    assert isinstance(outcome, Failed)
    assert outcome.kind is FailureKind.UNAVAILABLE


def test_a_name_without_address_is_a_failure() -> None:
    outcome = ask("http://stripe.invalid")

    assert isinstance(outcome, Failed)
    assert outcome.kind is FailureKind.UNAVAILABLE


@pytest.fixture
def full_port() -> Iterator[int]:
    """A port whose queue is full, so that a connection is never made."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        port = server.getsockname()[1]
        waiting = []
        for _ in range(4):
            each = socket.socket()
            each.setblocking(False)
            each.connect_ex(("127.0.0.1", port))
            waiting.append(each)
        yield port
        for each in waiting:
            each.close()


def test_a_connection_that_is_never_made_is_a_failure(full_port: int) -> None:
    outcome = ask(f"http://127.0.0.1:{full_port}", **QUICK)

    assert isinstance(outcome, Failed)
    assert outcome.kind is FailureKind.UNAVAILABLE


def test_a_handshake_that_ends_early_is_indeterminate(canned: CannedServer) -> None:
    canned.answer = b""

    outcome = ask(canned.url.replace("http://", "https://"))

    assert isinstance(outcome, Indeterminate)


def test_what_the_caller_was_handling_proves_nothing(canned: CannedServer) -> None:
    """The caller's own refused connection becomes the context of our exception."""
    canned.answer = None
    try:
        _fail_at_another_server()
    except ssl.SSLCertVerificationError:
        outcome = ask(canned.url, **QUICK)

    assert isinstance(outcome, Indeterminate)


def _fail_at_another_server() -> None:
    raise ssl.SSLCertVerificationError


# What Stripe cannot take is not sent


def test_an_amount_that_stripe_cannot_take_is_refused_unsent(canned: CannedServer) -> None:
    provider = StripeProvider("pp_stripe_stripe", {"API_KEY": "sk_test_1", "API_BASE": canned.url})

    outcome = provider.refund_payment(
        RefundRequest(
            idempotency_key="call_1",
            session_id="payses_1",
            reference="pi_1",
            amount_minor=12_345,
            currency_code="kwd",
            refund_id="ref_1",
        )
    )

    assert isinstance(outcome, Failed)
    assert outcome.kind is FailureKind.REFUSED
    assert outcome.code == "invalid_amount"
    assert canned.requests == []


def test_a_good_answer_is_a_success(canned: CannedServer) -> None:
    canned.answer = response(200, INTENT)

    outcome = ask(canned.url)

    assert isinstance(outcome, Succeeded)
    assert outcome.request_id == "req_canned"
    assert not outcome.replayed


@pytest.mark.parametrize("body", [{}, [], {"data": [], "has_more": False}, {"object": "list"}])
def test_a_listing_that_is_none_proves_no_absence(canned: CannedServer, body: Any) -> None:
    canned.answer = response(200, body)
    provider = StripeProvider("pp_stripe_stripe", {"API_KEY": "sk_test_1", "API_BASE": canned.url})

    answer = provider.lookup(LookupRequest(session_id="payses_1", created_from=datetime.now(UTC)))

    assert isinstance(answer, NoAnswer)
