"""The whole provider through the real SDK, over TCP, against the simulator."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from medusa_payments.providers.base import PaymentProvider
from medusa_payments.providers.stripe import StripeProvider
from medusa_payments.providers.types import (
    Failed,
    FailureKind,
    Found,
    Indeterminate,
    LookupRequest,
    NoAnswer,
    NotFound,
    ProviderPayment,
    Succeeded,
    UpdateRequest,
)
from medusa_payments.statuses import DisputeStatus, MovementStatus, ProviderState
from medusa_payments.testing.provider_contract import (
    ProviderContract,
    ProviderSteps,
    succeeded,
)
from medusa_payments.testing.stripe_simulator import FaultKind, StripeSimulator

from .conftest import WEBHOOK_SECRET, MakeProvider

OPERATIONS = {
    "initiate_payment": "payment_intents.create",
    "capture_payment": "payment_intents.capture",
    "refund_payment": "refunds.create",
    "cancel_payment": "payment_intents.cancel",
}
ANSWERS = ("rate_limit", "slow", "slow_execution", "altered")
NO_ANSWER = [kind for kind in FaultKind if kind not in ANSWERS]


class StripeSteps(ProviderSteps):
    @pytest.fixture(autouse=True)
    def _simulated(self, simulator: StripeSimulator) -> None:
        self.stripe = simulator

    @pytest.fixture
    def provider(self, make_provider: MakeProvider) -> StripeProvider:
        return make_provider()

    def hold(self, payment: ProviderPayment) -> None:
        self.stripe.pay(payment.reference)


class TestTheContract(StripeSteps, ProviderContract):
    def lose_next_answer(self, provider: PaymentProvider, method: str) -> None:
        self.stripe.fault("drop_after", OPERATIONS[method])

    def drop_next_request(self, provider: PaymentProvider, method: str) -> None:
        self.stripe.fault("drop_before", OPERATIONS[method])

    def make_unreachable(self, provider: PaymentProvider) -> None:
        self.stripe.stop()

    def delivery(
        self, provider: PaymentProvider, payment: ProviderPayment
    ) -> tuple[bytes, dict[str, str]]:
        kind = "payment_intent.amount_capturable_updated"
        (event,) = [
            each
            for each in self.stripe.events([kind])
            if each["data"]["object"]["id"] == payment.reference
        ]
        return self.stripe.signed(event["id"], secret=WEBHOOK_SECRET)


class TestInitiate(StripeSteps):
    def test_the_front_end_gets_what_it_pays_with(self, provider: StripeProvider) -> None:
        data = succeeded(provider.initiate_payment(self.initiate_request())).data

        assert data["id"].startswith("pi_")
        assert data["client_secret"].startswith(data["id"])

    def test_a_server_can_confirm_at_once(self, provider: StripeProvider) -> None:
        data = {"confirm": True, "off_session": True, "payment_method": "pm_card_visa"}

        answer = succeeded(provider.initiate_payment(self.initiate_request(data=data)))

        assert provider.takes_money_at_once(data)
        assert answer.payment is not None
        assert answer.payment.state is ProviderState.HELD

    def test_automatic_capture_takes_at_once(self, make_provider: MakeProvider) -> None:
        data = {"confirm": True, "payment_method": "pm_card_visa"}
        provider = make_provider(CAPTURE="automatic")

        answer = succeeded(provider.initiate_payment(self.initiate_request(data=data)))

        assert answer.payment is not None
        assert answer.payment.state is ProviderState.CAPTURED
        assert answer.payment.captured_minor == self.amount_minor

    def test_a_decline_leaves_an_intent_that_is_named(self, provider: StripeProvider) -> None:
        data = {"confirm": True, "payment_method": "pm_card_chargeDeclined"}

        answer = provider.initiate_payment(self.initiate_request(data=data))

        assert isinstance(answer, Failed)
        assert answer.kind is FailureKind.DECLINED
        assert answer.decline_code == "generic_decline"
        assert answer.payment is not None
        assert answer.payment.declined
        assert self.seen(provider, answer.payment).declined

    def test_data_of_the_wrong_kind_is_refused_unsent(self, provider: StripeProvider) -> None:
        answer = provider.initiate_payment(self.initiate_request(data={"metadata": "x"}))

        assert isinstance(answer, Failed)
        assert answer.kind is FailureKind.REFUSED
        assert self.stripe.requests() == []

    def test_a_wrong_key_is_the_shops_fault(self, provider: StripeProvider) -> None:
        self.stripe.refuse_key("sk_test_of_the_tests")

        answer = provider.initiate_payment(self.initiate_request())

        assert isinstance(answer, Failed)
        assert answer.kind is FailureKind.MISCONFIGURED

    def test_isk_is_sent_in_stripes_unit(self, provider: StripeProvider) -> None:
        request = self.initiate_request(amount_minor=1050, currency_code="isk")

        payment = succeeded(provider.initiate_payment(request)).payment

        assert payment is not None
        assert self.stripe.object(payment.reference)["amount"] == 105_000
        assert payment.amount_minor == 1050

    def test_a_rate_limit_did_not_run(self, provider: StripeProvider) -> None:
        self.stripe.fault("rate_limit")
        request = self.initiate_request()

        answer = provider.initiate_payment(request)

        assert isinstance(answer, Failed)
        assert answer.kind is FailureKind.RATE_LIMITED
        assert provider.lookup(self.window(request.session_id)) == NotFound(listed=True)


class TestNoAnswer(StripeSteps):
    @pytest.mark.parametrize("kind", NO_ANSWER)
    @pytest.mark.parametrize("method", OPERATIONS)
    def test_a_fault_is_never_a_guess(
        self, provider: StripeProvider, method: str, kind: FaultKind
    ) -> None:
        ask = self.prepared(provider, method)
        self.stripe.fault(kind, OPERATIONS[method], delay=0.3)

        answer = ask()

        assert isinstance(answer, Indeterminate)
        assert answer.ask_again
        sent = [each for each in self.stripe.requests(OPERATIONS[method]) if each["fault"] == kind]
        assert len(sent) == 1

    def test_silence_ends_after_the_read_timeout(self, make_provider: MakeProvider) -> None:
        provider = make_provider(READ_TIMEOUT=0.3)
        self.stripe.fault("hang", "payment_intents.create")

        answer = provider.initiate_payment(self.initiate_request())

        assert isinstance(answer, Indeterminate)
        assert answer.code == "no_answer"

    @pytest.mark.parametrize("kind", ["error_500_before", "error_500_after"])
    def test_a_stored_500_comes_back_for_ever(self, provider: StripeProvider, kind: str) -> None:
        ask = self.prepared(provider, "refund_payment")
        self.stripe.fault(kind)
        first = ask()

        second = ask()

        assert isinstance(first, Indeterminate)
        assert not first.key_is_spent
        assert isinstance(second, Indeterminate)
        assert second.replayed
        assert second.key_is_spent
        assert not second.ask_again

    def test_a_repeated_answer_is_marked(self, provider: StripeProvider) -> None:
        request = self.initiate_request()
        first = succeeded(provider.initiate_payment(request))

        again = succeeded(provider.initiate_payment(request))

        assert (first.replayed, again.replayed) == (False, True)

    def test_a_replay_does_not_pass_for_news(self, provider: StripeProvider) -> None:
        request = self.initiate_request()
        payment = succeeded(provider.initiate_payment(request)).payment
        assert payment is not None
        created = self.stripe.object(payment.reference)["created"]

        again = succeeded(provider.initiate_payment(request)).payment

        assert again is not None
        assert again.observed_at == datetime.fromtimestamp(created, UTC)


class TestMovements(StripeSteps):
    def test_a_partial_capture_releases_the_rest(self, provider: StripeProvider) -> None:
        payment = self.held(provider)

        answer = succeeded(provider.capture_payment(self.capture_request(payment, 400)))

        assert answer.payment is not None
        assert (answer.payment.captured_minor, answer.payment.held_minor) == (400, 0)
        assert self.refunds(provider, payment) == ()

    def test_an_update_changes_what_is_asked_for(self, provider: StripeProvider) -> None:
        payment = self.initiated(provider)

        answer = succeeded(provider.update_payment(self.update_request(payment)))

        assert answer.payment is not None
        assert answer.payment.amount_minor == 2000

    def test_an_update_of_what_is_paid_is_refused(self, provider: StripeProvider) -> None:
        payment = self.captured(provider)

        answer = provider.update_payment(self.update_request(payment))

        assert isinstance(answer, Failed)
        assert answer.kind is FailureKind.WRONG_STATE

    def test_every_refund_carries_our_ids(self, provider: StripeProvider) -> None:
        payment = self.captured(provider)
        request = self.refund_request(payment, 400)

        answer = succeeded(provider.refund_payment(request))

        assert answer.refund is not None
        assert self.stripe.object(answer.refund.reference)["metadata"] == {
            "session_id": payment.session_id,
            "refund_id": request.refund_id,
        }

    @pytest.mark.parametrize(
        ("born", "status"),
        [
            ("pending", MovementStatus.PENDING),
            ("requires_action", MovementStatus.PENDING),
            ("failed", MovementStatus.FAILED),
            ("canceled", MovementStatus.FAILED),
        ],
    )
    def test_a_refund_that_was_taken_up_tells_how_it_stands(
        self, provider: StripeProvider, born: str, status: MovementStatus
    ) -> None:
        payment = self.captured(provider)
        self.stripe.next_refund_status(born)

        answer = succeeded(provider.refund_payment(self.refund_request(payment, 400)))

        assert answer.refund is not None
        assert answer.refund.status is status

    @pytest.mark.parametrize(
        ("reason", "sent"), [("duplicate", "duplicate"), ("sent the wrong size", None)]
    )
    def test_only_a_reason_that_stripe_knows_is_sent(
        self, provider: StripeProvider, reason: str, sent: str | None
    ) -> None:
        payment = self.captured(provider)
        request = self.refund_request(payment, reason=reason)

        provider.refund_payment(request)

        (entry,) = self.stripe.requests("refunds.create")
        assert entry["params"].get("reason") == sent

    def test_a_disputed_payment_is_not_refunded(self, provider: StripeProvider) -> None:
        payment = self.captured(provider)
        self.stripe.dispute(payment.reference)

        answer = provider.refund_payment(self.refund_request(payment))

        assert isinstance(answer, Failed)
        assert answer.kind is FailureKind.WRONG_STATE
        assert answer.code == "charge_disputed"

    @pytest.mark.parametrize("method", ["capture_payment", "refund_payment", "cancel_payment"])
    def test_what_has_no_reference_is_refused_unsent(
        self, provider: StripeProvider, method: str
    ) -> None:
        payment = ProviderPayment(
            reference="",
            state=ProviderState.UNKNOWN,
            amount_minor=100,
            currency_code="eur",
            observed_at=datetime.now(UTC),
        )
        request: Any = {
            "capture_payment": self.capture_request,
            "refund_payment": self.refund_request,
            "cancel_payment": self.cancel_request,
        }[method](payment)

        answer = getattr(provider, method)(request)

        assert isinstance(answer, Failed)
        assert self.stripe.requests() == []

    def update_request(self, payment: ProviderPayment) -> UpdateRequest:
        return UpdateRequest(
            idempotency_key="call_update",
            session_id=payment.session_id,
            reference=payment.reference,
            amount_minor=2000,
            currency_code="eur",
        )


class TestLookup(StripeSteps):
    def test_a_dashboard_refund_is_seen_without_our_id(self, provider: StripeProvider) -> None:
        payment = self.captured(provider)
        self.stripe.dashboard_refund(payment.reference, 100)

        (refund,) = self.refunds(provider, payment)

        assert (refund.refund_id, refund.amount_minor) == ("", 100)

    def test_a_dispute_is_seen(self, provider: StripeProvider) -> None:
        payment = self.captured(provider)
        self.stripe.dispute(payment.reference, 600)

        (dispute,) = self.seen(provider, payment).disputes or ()

        assert (dispute.amount_minor, dispute.status) == (600, DisputeStatus.OPEN)

    def test_a_canceled_hold_shows_no_refund(self, provider: StripeProvider) -> None:
        payment = self.held(provider)
        provider.cancel_payment(self.cancel_request(payment))

        assert self.seen(provider, payment).refunds == ()

    def test_more_than_a_page_of_intents_is_listed(self, provider: StripeProvider) -> None:
        payment = self.initiated(provider)
        for _ in range(120):
            self.stripe.foreign_intent(payment_method=None)

        found = provider.lookup(self.window(payment.session_id))

        assert isinstance(found, Found)
        assert found.payment.reference == payment.reference
        assert len(self.stripe.requests("payment_intents.list")) == 2

    def test_more_than_a_page_of_refunds_is_complete(self, provider: StripeProvider) -> None:
        payment = self.captured(provider)
        for _ in range(105):
            self.stripe.dashboard_refund(payment.reference, 1)

        assert len(self.refunds(provider, payment)) == 105

    def test_a_listing_that_takes_too_long_is_no_answer(self, make_provider: MakeProvider) -> None:
        provider = make_provider(TOTAL_BUDGET=0.0001)
        payment = self.initiated(provider)
        for _ in range(120):
            self.stripe.foreign_intent(payment_method=None)

        answer = provider.lookup(self.window(payment.session_id))

        assert isinstance(answer, NoAnswer)
        assert answer.code == "took_too_long"

    def test_only_what_was_created_in_the_window_is_listed(self, provider: StripeProvider) -> None:
        payment = self.initiated(provider)
        now = datetime.now(UTC)

        answer = provider.lookup(
            LookupRequest(
                session_id=payment.session_id,
                created_from=now - timedelta(hours=2),
                created_to=now - timedelta(hours=1),
            )
        )

        assert answer == NotFound(listed=True)

    def test_a_window_may_be_open(self, provider: StripeProvider) -> None:
        payment = self.initiated(provider)
        start = datetime.now(UTC) - timedelta(minutes=1)

        found = provider.lookup(LookupRequest(session_id=payment.session_id, created_from=start))

        assert isinstance(found, Found)

    def test_of_two_objects_the_one_with_money_comes_first(self, provider: StripeProvider) -> None:
        request = self.initiate_request()
        first = succeeded(provider.initiate_payment(request)).payment
        other = succeeded(
            provider.initiate_payment(self.initiate_request(session_id=request.session_id))
        ).payment
        assert first is not None
        assert other is not None
        self.hold(first)

        found = provider.lookup(self.window(request.session_id))

        assert isinstance(found, Found)
        assert found.payment.reference == first.reference
        assert [each.reference for each in found.others] == [other.reference]

    def test_without_a_trace_nothing_is_asked(self, provider: StripeProvider) -> None:
        answer = provider.lookup(LookupRequest(session_id="payses_1"))

        assert isinstance(answer, NoAnswer)
        assert self.stripe.requests() == []

    @pytest.mark.parametrize(
        "kind",
        ["drop_before", "html_502_before", "rate_limit", "truncated_json_clean", "hang_before"],
    )
    def test_a_lookup_is_tried_twice(self, provider: StripeProvider, kind: str) -> None:
        payment = self.initiated(provider)
        self.stripe.fault(kind, "payment_intents.retrieve", times=None, delay=0.3)

        answer = provider.lookup(self.lookup_request(payment))

        assert isinstance(answer, NoAnswer)
        assert len(self.stripe.requests("payment_intents.retrieve")) <= 2

    def test_a_failing_part_makes_no_half_answer(self, provider: StripeProvider) -> None:
        payment = self.captured(provider)
        for _ in range(11):  # one more than come with the charge
            self.stripe.dashboard_refund(payment.reference, 10)
        self.stripe.fault("drop_before", "refunds.list", times=None)

        answer = provider.lookup(self.lookup_request(payment, with_refunds=True))

        assert isinstance(answer, NoAnswer)

    def test_a_wrong_key_finds_nothing_out(self, provider: StripeProvider) -> None:
        payment = self.initiated(provider)
        self.stripe.refuse_key("sk_test_of_the_tests")

        assert isinstance(provider.lookup(self.lookup_request(payment)), NoAnswer)

    def test_unreachable_is_no_answer(self, provider: StripeProvider) -> None:
        payment = self.initiated(provider)
        self.stripe.stop()

        assert isinstance(provider.lookup(self.lookup_request(payment)), NoAnswer)


def test_what_it_says_of_itself(make_provider: MakeProvider) -> None:
    provider = make_provider(READ_TIMEOUT=20.0, TOTAL_BUDGET=50.0)

    able = provider.capabilities

    assert able.captures_per_authorization == 1
    assert (able.attempt_seconds, able.total_budget_seconds) == (23.05, 50)
    assert able.key_retention_seconds == 86_400
    assert provider.store_data_keys == (
        "payment_method",
        "payment_method_types",
        "setup_future_usage",
        "return_url",
        "metadata",
    )
    assert "capture_method" in provider.trusted_data_keys
    assert provider.supports("create_account_holder")
    assert provider.supports("save_payment_method")
    assert provider.supports("update_payment")


def test_a_succeeded_answer_carries_its_request_id(provider: StripeProvider) -> None:
    answer = provider.initiate_payment(ProviderSteps().initiate_request())

    assert isinstance(answer, Succeeded)
    assert answer.request_id.startswith("req_")
