"""How what really happened is told by a provider when its answer is lost: lookups and webhooks.

Part of ``ProviderContract``, which a provider's test class inherits.
"""

from __future__ import annotations

import json

import pytest

from medusa_payments.errors import WebhookRejected
from medusa_payments.ids import new_id
from medusa_payments.providers.base import PaymentProvider
from medusa_payments.providers.types import (
    Found,
    Indeterminate,
    LookupRequest,
    NotFound,
    Succeeded,
)
from medusa_payments.statuses import WebhookAction
from medusa_payments.testing.provider_steps import ProviderSteps

_METHODS = ("initiate_payment", "capture_payment", "refund_payment", "cancel_payment")


class EvidenceContract(ProviderSteps):
    # No answer is no answer

    @pytest.mark.parametrize("method", _METHODS)
    def test_a_lost_answer_is_indeterminate(self, provider: PaymentProvider, method: str) -> None:
        ask = self.prepared(provider, method)
        self.lose_next_answer(provider, method)

        assert isinstance(ask(), Indeterminate)

    @pytest.mark.parametrize("method", _METHODS)
    def test_a_lost_request_is_indeterminate(self, provider: PaymentProvider, method: str) -> None:
        ask = self.prepared(provider, method)
        self.drop_next_request(provider, method)

        assert isinstance(ask(), Indeterminate)

    @pytest.mark.parametrize("method", _METHODS)
    def test_the_same_key_tells_what_the_lost_answer_said(
        self, provider: PaymentProvider, method: str
    ) -> None:
        self.needs(provider.capabilities.repeats_with_key, "repeats_with_key")
        ask = self.prepared(provider, method)
        self.lose_next_answer(provider, method)
        ask()

        assert isinstance(ask(), Succeeded)

    def test_an_initiate_whose_answer_was_lost_is_found_by_its_session(
        self, provider: PaymentProvider
    ) -> None:
        self.needs(provider.capabilities.can_look_up, "can_look_up")
        self.lose_next_answer(provider, "initiate_payment")
        request = self.initiate_request()
        provider.initiate_payment(request)

        found = provider.lookup(self.window(request.session_id))

        assert isinstance(found, Found)
        assert found.payment.session_id == request.session_id
        assert found.others == ()

    def test_a_refund_whose_answer_was_lost_is_found_by_its_id(
        self, provider: PaymentProvider
    ) -> None:
        self.needs(provider.capabilities.can_look_up, "can_look_up")
        payment = self.captured(provider)
        request = self.refund_request(payment, 400)
        self.lose_next_answer(provider, "refund_payment")
        provider.refund_payment(request)

        assert [each.refund_id for each in self.refunds(provider, payment)] == [request.refund_id]

    # Looking up

    def test_a_lookup_reads_what_its_reference_names(self, provider: PaymentProvider) -> None:
        self.needs(provider.capabilities.can_look_up, "can_look_up")
        payment = self.initiated(provider)
        self.initiated(provider)

        seen = self.seen(provider, payment)

        assert seen.reference == payment.reference
        assert seen.session_id == payment.session_id

    def test_an_unknown_session_is_not_in_the_listing(self, provider: PaymentProvider) -> None:
        self.needs(provider.capabilities.can_look_up, "can_look_up")
        self.initiated(provider)

        assert provider.lookup(self.window(new_id("payses"))) == NotFound(listed=True)

    def test_an_unknown_reference_is_known_to_be_unknown(self, provider: PaymentProvider) -> None:
        self.needs(provider.capabilities.can_look_up, "can_look_up")
        payment = self.initiated(provider)

        request = LookupRequest(session_id=payment.session_id, reference=f"{payment.reference}x")

        assert provider.lookup(request) == NotFound(listed=False)

    def test_a_lookup_tells_of_refunds_only_when_asked(self, provider: PaymentProvider) -> None:
        self.needs(provider.capabilities.can_look_up, "can_look_up")
        payment = self.captured(provider)

        found = provider.lookup(self.lookup_request(payment, with_refunds=True))

        assert isinstance(found, Found)
        assert found.payment.refunds == ()

    # Webhooks

    def test_a_signed_event_is_verified_and_read(self, provider: PaymentProvider) -> None:
        self.needs(provider.capabilities.signs_webhooks, "signs_webhooks")
        payment = self.held(provider)
        body, headers = self.delivery(provider, payment)

        webhook = provider.verify_webhook(body, headers)
        report = self.report_of_stored(provider, webhook.payload)

        assert webhook.event_id
        assert webhook.occurred_at.tzinfo is not None
        assert not webhook.quarantine
        assert report.session_id == payment.session_id
        assert report.reference == payment.reference
        assert report.action in WebhookAction

    def test_what_is_stored_of_an_event_holds_no_client_secret(
        self, provider: PaymentProvider
    ) -> None:
        self.needs(provider.capabilities.signs_webhooks, "signs_webhooks")
        payment = self.held(provider)
        webhook = provider.verify_webhook(*self.delivery(provider, payment))

        secret = payment.data.get("client_secret")

        assert not secret or secret not in json.dumps(dict(webhook.payload))

    def test_the_same_event_has_the_same_id(self, provider: PaymentProvider) -> None:
        self.needs(provider.capabilities.signs_webhooks, "signs_webhooks")
        body, headers = self.delivery(provider, self.held(provider))

        first = provider.verify_webhook(body, headers)
        second = provider.verify_webhook(body, headers)

        assert first.event_id == second.event_id

    def test_a_changed_event_is_rejected(self, provider: PaymentProvider) -> None:
        self.needs(provider.capabilities.signs_webhooks, "signs_webhooks")
        body, headers = self.delivery(provider, self.held(provider))

        with pytest.raises(WebhookRejected):
            provider.verify_webhook(body + b" ", headers)

    @pytest.mark.parametrize("body", [b"", b"{}", b"null", b"\xff\xfe", b'{"id": "evt_1"}'])
    def test_an_unsigned_event_is_rejected(self, provider: PaymentProvider, body: bytes) -> None:
        self.needs(provider.capabilities.signs_webhooks, "signs_webhooks")

        with pytest.raises(WebhookRejected):
            provider.verify_webhook(body, {})
