"""The provider of docs/providers.md holds to the contract of every provider, over real HTTP."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator

import pytest

from medusa_payments.errors import ConfigurationError, WebhookRejected
from medusa_payments.providers.base import PaymentProvider
from medusa_payments.providers.types import (
    Failed,
    FailureKind,
    Found,
    Indeterminate,
    NoAnswer,
    ProviderPayment,
)
from medusa_payments.testing.provider_contract import ProviderContract, succeeded
from tests.docs.acme_gateway import API_KEY, WEBHOOK_SECRET, AcmeGateway, Fault
from tests.docs.acme_provider import AcmeProvider

OPERATIONS = {
    "initiate_payment": "create",
    "capture_payment": "capture",
    "refund_payment": "refund",
    "cancel_payment": "void",
}


PAGE_OF_A_PROXY = b"<html>Bad gateway</html>"


def refused(code: str) -> bytes:
    return json.dumps({"error": code}).encode()


class TestAcmeProvider(ProviderContract):
    @pytest.fixture(autouse=True)
    def gateway(self) -> Iterator[AcmeGateway]:
        with AcmeGateway() as self.acme:
            yield self.acme

    @pytest.fixture
    def provider(self, gateway: AcmeGateway) -> AcmeProvider:
        return provider_at(gateway.url)

    def hold(self, payment: ProviderPayment) -> None:
        self.acme.pay(payment.reference)

    def lose_next_answer(self, provider: PaymentProvider, method: str) -> None:
        self.acme.fail_next(OPERATIONS[method], Fault(executes=True))

    def drop_next_request(self, provider: PaymentProvider, method: str) -> None:
        self.acme.fail_next(OPERATIONS[method], Fault(executes=False))

    def make_unreachable(self, provider: PaymentProvider) -> None:
        self.acme.stop()

    def delivery(
        self, provider: PaymentProvider, payment: ProviderPayment
    ) -> tuple[bytes, dict[str, str]]:
        return self.acme.delivery(payment.reference)

    # What Acme's answers mean

    @pytest.mark.parametrize(
        ("status", "code", "kind"),
        [
            (400, "invalid_request", FailureKind.REFUSED),
            (401, "unauthorized", FailureKind.MISCONFIGURED),
            (402, "declined", FailureKind.DECLINED),
            (429, "rate_limited", FailureKind.RATE_LIMITED),
        ],
    )
    def test_a_refusal_that_acme_promises_is_a_failure(
        self, provider: AcmeProvider, status: int, code: str, kind: FailureKind
    ) -> None:
        self.acme.fail_next("create", Fault(executes=False, answer=(status, refused(code))))

        answer = provider.initiate_payment(self.initiate_request())

        assert answer == Failed(kind=kind, code=code)

    @pytest.mark.parametrize(
        ("status", "body"),
        [
            (200, b""),
            (200, b'{"payment": {"id": "acme'),
            (302, b"{}"),
            (400, PAGE_OF_A_PROXY),
            (403, refused("of_a_firewall")),
            (408, refused("too_slow")),
            (409, refused("key_in_use")),
            (429, PAGE_OF_A_PROXY),
            (500, refused("oops")),
            (502, PAGE_OF_A_PROXY),
        ],
    )
    def test_any_other_answer_proves_nothing(
        self, provider: AcmeProvider, status: int, body: bytes
    ) -> None:
        self.acme.fail_next("create", Fault(executes=True, answer=(status, body)))

        answer = provider.initiate_payment(self.initiate_request())

        assert isinstance(answer, Indeterminate)
        assert answer.ask_again

    def test_an_answer_that_never_comes_proves_nothing(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            host, port = silent.getsockname()
            provider = provider_at(f"http://{host}:{port}", timeout=0.2)

            answer = provider.initiate_payment(self.initiate_request())

        assert answer == Indeterminate(code="no_answer", detail="TimeoutError")

    def test_a_status_that_it_does_not_know_is_not_guessed(self, provider: AcmeProvider) -> None:
        payment = self.initiated(provider)
        self.acme.ledger[payment.reference].status = "on_hold"

        assert provider.lookup(self.lookup_request(payment)) == NoAnswer(
            code="no_answer", detail="KeyError"
        )

    def test_amounts_travel_as_text_in_major_units(self, provider: AcmeProvider) -> None:
        amounts = {"eur": "10.5", "jpy": "1050", "kwd": "1.05"}

        for currency_code, text in amounts.items():
            payment = succeeded(
                provider.initiate_payment(
                    self.initiate_request(amount_minor=1050, currency_code=currency_code)
                )
            ).payment
            assert payment is not None
            assert payment.amount_minor == 1050
            assert str(self.acme.ledger[payment.reference].amount) == text

    # Its lists

    def test_a_payment_is_found_on_the_last_page(self, provider: AcmeProvider) -> None:
        payments = [self.initiated(provider) for _ in range(5)]

        found = provider.lookup(self.window(payments[-1].session_id))

        assert isinstance(found, Found)
        assert found.payment.reference == payments[-1].reference

    def test_a_list_whose_second_page_is_missing_is_no_answer(self, provider: AcmeProvider) -> None:
        payments = [self.initiated(provider) for _ in range(5)]
        self.acme.fail_next("list", Fault(executes=True, answer=(500, b"{}")), after=1)

        found = provider.lookup(self.window(payments[-1].session_id))

        assert isinstance(found, NoAnswer)

    def test_a_second_payment_of_a_session_is_told(self, provider: AcmeProvider) -> None:
        first, second = self.initiated(provider), self.initiated(provider)
        self.acme.ledger[second.reference].merchant_reference = first.session_id

        found = provider.lookup(self.window(first.session_id))

        assert isinstance(found, Found)
        assert [other.reference for other in found.others] == [second.reference]

    # Its events

    def test_a_refund_that_was_made_is_told_by_its_event(self, provider: AcmeProvider) -> None:
        payment = self.captured(provider)
        request = self.refund_request(payment, 400)
        succeeded(provider.refund_payment(request))
        webhook = provider.verify_webhook(*self.acme.delivery(payment.reference))

        report = self.report_of_stored(provider, webhook.payload)

        assert report.refund is not None
        assert (report.refund.refund_id, report.refund.amount_minor) == (request.refund_id, 400)

    def test_an_old_event_is_rejected(self, provider: AcmeProvider) -> None:
        payment = self.initiated(provider)

        with pytest.raises(WebhookRejected, match="too old"):
            provider.verify_webhook(
                *self.acme.delivery(payment.reference, sent_at=time.time() - 301)
            )

    def test_an_event_of_a_stranger_is_rejected(self, provider: AcmeProvider) -> None:
        payment = self.initiated(provider)

        with pytest.raises(WebhookRejected, match="not Acme"):
            provider.verify_webhook(*self.acme.delivery(payment.reference, secret="guessed"))

    # Its options

    def test_a_missing_option_is_named(self) -> None:
        with pytest.raises(ConfigurationError, match="WEBHOOK_SECRET"):
            AcmeProvider("pp_acme_default", {"API_KEY": API_KEY})


def provider_at(url: str, *, timeout: float = 5) -> AcmeProvider:
    options = {"API_KEY": API_KEY, "WEBHOOK_SECRET": WEBHOOK_SECRET, "API_BASE": url}
    return AcmeProvider("pp_acme_default", {**options, "TIMEOUT": timeout})
