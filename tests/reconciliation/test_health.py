"""What the health check counts, sums and finds wrong, and what it costs."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from medusa_payments.errors import MedusaPaymentsError
from medusa_payments.models import (
    AutomationStop,
    Discrepancy,
    Payment,
    PaymentSession,
    Proposal,
    ProviderCall,
    ProviderGate,
    RecurringJob,
    WebhookEvent,
)
from medusa_payments.operations.captures import capture_payment
from medusa_payments.operations.refunds import refund_payment
from medusa_payments.providers.registry import get_provider
from medusa_payments.reconciliation.health import Health, HealthStatus, current_health
from medusa_payments.reconciliation.sweep import reconcile_all
from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.laws.fixtures import configure
from tests.laws.scenes import (
    CONFIRMED,
    FAKE,
    STRIPE,
    StagedProvider,
    captured_at,
    session_at,
)

pytestmark = pytest.mark.django_db


def swept(name: str = "reconcile_payments", **figures: Any) -> None:
    now = timezone.now()
    RecurringJob.objects.update_or_create(
        name=name, defaults={"started_at": now, "finished_at": now, "figures": figures}
    )


def codes(health: Health) -> list[str]:
    return [each.code for each in health.problems]


def a_discrepancy(**values: Any) -> Discrepancy:
    values = {
        "kind": "ghost",
        "open_key": f"ghost:{Discrepancy.objects.count()}",
        "amount_minor": 1050,
        "currency_code": "eur",
        "detail": "Odd",
    } | values
    return Discrepancy.objects.create(**values)


# Well


def test_a_shop_that_swept_and_has_nothing_open_is_well(fake: StagedProvider) -> None:
    captured_at(fake)
    swept()

    health = current_health()

    assert (health.status, codes(health)) == (HealthStatus.OK, [])
    assert (health.unresolved.count, health.unresolved.oldest_seconds) == (0, None)
    assert health.money_at_risk == {}
    assert health.resolution.is_met


def test_what_is_asked_right_now_is_in_flight_and_not_at_risk(fake: StagedProvider) -> None:
    seen: list[Health] = []
    fake.before["initiate_payment"] = lambda request: seen.append(current_health())

    session_at(FAKE)

    assert (seen[0].unresolved.in_flight, seen[0].unresolved.count) == (1, 0)
    assert seen[0].money_at_risk == {}


# Money at risk


def test_a_lost_start_puts_what_the_session_asks_for_at_risk(stripe: StripeSimulator) -> None:
    _lost_start(stripe)

    health = current_health()

    risk = health.money_at_risk["eur"]
    assert (health.unresolved.uncertain, health.unresolved.undoing) == (1, 0)
    assert (risk.total, risk.uncertain, risk.undoing) == (Decimal("100.5"), Decimal("100.5"), 0)
    assert health.unresolved.oldest_uncertain_seconds is not None


def test_a_lost_refund_puts_its_own_amount_at_risk(stripe: StripeSimulator) -> None:
    session = session_at(STRIPE, **CONFIRMED)
    payment = Payment.objects.get(payment_session=session)
    capture_payment(payment)
    stripe.fault("drop_after", "refunds.create", times=None)
    stripe.fault("drop_before", "refunds.list", times=None)
    stripe.fault("drop_before", "payment_intents.retrieve", times=None)

    refund_payment(payment, amount=Decimal("10.25"))

    assert current_health().money_at_risk["eur"].total == Decimal("10.25")


def test_a_deleted_session_counts_once_with_what_it_holds(fake: StagedProvider) -> None:
    session = session_at(FAKE)
    fake.pay(session.provider_reference)
    call = ProviderCall.objects.get(payment_session=session)
    PaymentSession.all_objects.filter(pk=session.pk).update(
        deleted=timezone.now() - timedelta(hours=3),
        live_collection_id=None,
        deleted_reason="deleted",
        held_minor=4000,
        provider_state="held",
        evidence="lookup",
    )
    ProviderCall.objects.filter(pk=call.pk).update(next_attempt_at=timezone.now())
    cancel = ProviderCall.objects.get(pk=call.pk)
    cancel.pk, cancel.kind, cancel.state, cancel.evidence = "pcall_c", "cancel", "open", ""
    cancel.is_undoing, cancel.leased_until = True, None
    cancel.save(force_insert=True)

    health = current_health()

    assert (health.unresolved.undoing, health.unresolved.uncertain) == (1, 0)
    assert health.money_at_risk["eur"].total == health.money_at_risk["eur"].undoing == 40
    assert health.unresolved.oldest_seconds == pytest.approx(3 * 3600, abs=60)


def test_an_undone_session_puts_nothing_at_risk(stripe: StripeSimulator) -> None:
    _lost_start(stripe)

    reconcile_all()

    health = current_health()
    assert (health.unresolved.count, health.money_at_risk) == (0, {})
    assert (health.resolution.uncertain, health.resolution.resolved) == (1, 1)
    assert health.resolution.share_within_objective == 1


def test_open_discrepancies_are_summed_by_currency_once(db: None) -> None:
    a_discrepancy()
    a_discrepancy(amount_minor=50)
    a_discrepancy(amount_minor=700, currency_code="jpy")
    a_discrepancy(amount_minor=None)
    a_discrepancy(currency_code="")
    a_discrepancy(kind="unresolved")  # of a call that is summed already
    a_discrepancy(kind="undo_blocked")

    health = current_health()

    assert {code: risk.total for code, risk in health.money_at_risk.items()} == {
        "eur": 11,
        "jpy": 700,
    }
    assert (health.discrepancies.count, health.discrepancies.without_amount) == (7, 2)


# What is wrong


def test_no_sweep_and_an_old_sweep_are_told(db: None, settings: Any) -> None:
    never = current_health()
    swept()
    recent = current_health()
    RecurringJob.objects.update(finished_at=timezone.now() - timedelta(seconds=700))
    old = current_health()

    assert [codes(each) for each in (never, recent, old)] == [
        ["sweep_missing"],
        [],
        ["sweep_missing"],
    ]
    assert never.status == old.status == HealthStatus.DEGRADED


def test_an_outcome_that_is_open_longer_than_the_objective_is_told(
    stripe: StripeSimulator, shop: Any
) -> None:
    swept()
    _lost_start(stripe)
    in_time = current_health()

    ProviderCall.objects.update(uncertain_since=timezone.now() - timedelta(seconds=7300))

    late = current_health()
    assert (codes(in_time), in_time.resolution.is_met) == ([], True)
    assert (codes(late), late.resolution.is_met) == (["outcome_overdue"], False)


@pytest.mark.parametrize(
    ("severity", "status"), [("info", "ok"), ("warning", "degraded"), ("critical", "failing")]
)
def test_a_discrepancy_weighs_what_its_severity_says(severity: str, status: str, db: None) -> None:
    swept()
    a_discrepancy(severity=severity)

    assert current_health().status == status


def test_a_broken_audit_trail_is_failing(db: None) -> None:
    swept()
    swept("verify_audit_trail", breaks=1)

    assert (current_health().status, codes(current_health())) == ("failing", ["audit_trail_broken"])


def test_a_provider_that_does_not_answer_is_told_and_after_an_hour_it_is_failing(
    shop: Any, db: None
) -> None:
    swept()
    now = timezone.now()
    ProviderGate.objects.create(
        credentials=get_provider(STRIPE).credentials,
        provider_id=STRIPE,
        failures=4,
        opened_at=now - timedelta(minutes=5),
        open_until=now + timedelta(minutes=1),
        window_started_at=now - timedelta(seconds=5),
        reads=7,
    )
    paused = current_health()
    ProviderGate.objects.update(opened_at=now - timedelta(hours=2))

    stripe = next(each for each in paused.providers if each.provider_id == STRIPE)
    assert (stripe.breaker, stripe.failures, stripe.reads_this_minute) == ("open", 4, 7)
    assert (paused.status, codes(paused)) == ("degraded", ["provider_paused"])
    assert current_health().status == "failing"


def test_what_waits_too_long_is_told(db: None) -> None:
    swept()
    long_ago = timezone.now() - timedelta(days=1)
    event = WebhookEvent.objects.create(
        provider_id=STRIPE,
        credentials="one",
        event_id="evt_1",
        event_type="charge.refunded",
        occurred_at=long_ago,
        payload={},
        next_attempt_at=timezone.now(),
        follow_up_at=long_ago,
    )
    WebhookEvent.objects.filter(pk=event.pk).update(created_at=long_ago)
    proposal = Proposal.objects.create(
        kind="refund", open_key="one", provider_id=STRIPE, detail="d", reason="r", proposed_by="s"
    )
    Proposal.objects.filter(pk=proposal.pk).update(created_at=long_ago)
    AutomationStop.objects.create(active_key="*", reason="An outage", stopped_by="ana")

    health = current_health()

    assert codes(health) == [
        "automation_stopped",
        "webhook_overdue",
        "signal_overdue",
        "proposal_overdue",
    ]
    assert (health.webhooks_unapplied.count, health.proposals.count) == (1, 1)


# Time to resolution


def test_the_objective_is_judged_by_the_outcomes_of_the_last_week(shop: Any) -> None:
    configure(shop, RESOLUTION_OBJECTIVE=60)
    session_at(FAKE)
    (call,) = ProviderCall.objects.all()
    now = timezone.now()
    for number, seconds in enumerate([*[10] * 18, 30, 120, 10]):
        days = 8 if number == 20 else 1
        call.pk = f"pcall_{number}"
        call.uncertain_since = now - timedelta(days=days)
        call.resolved_at = call.uncertain_since + timedelta(seconds=seconds)
        call.save(force_insert=True)

    found = current_health().resolution

    assert (found.uncertain, found.resolved, found.within_objective) == (20, 20, 19)
    assert (found.share_within_objective, found.p95_seconds, found.is_met) == (0.95, 30, True)


# What it costs


def test_it_takes_the_same_statements_however_much_is_open(stripe: StripeSimulator) -> None:
    current_health()
    with CaptureQueriesContext(connection) as with_none:
        current_health()
    _lost_start(stripe)
    _lost_start(stripe)
    for _ in range(3):
        a_discrepancy()
    reconcile_all()
    _lost_start(stripe)

    with CaptureQueriesContext(connection) as with_some:
        current_health()

    assert len(with_some) == len(with_none) + 1  # the 95th percentile, where there is one


def _lost_start(stripe: StripeSimulator) -> None:
    stripe.fault("drop_after", "payment_intents.create", times=None)
    with suppress(MedusaPaymentsError):
        session_at(STRIPE, **CONFIRMED)
    stripe.clear_faults()
