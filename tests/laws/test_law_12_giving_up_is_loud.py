"""Law 12: giving up is loud, and the shop is told at least once."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from medusa_payments import settings, signals
from medusa_payments.errors import PaymentIndeterminate
from medusa_payments.models import Discrepancy, PaymentSession, ProviderCall, WebhookEvent
from medusa_payments.operations import unapplied_events, webhooks
from medusa_payments.operations.captures import capture_payment
from medusa_payments.operations.refunds import refund_payment
from medusa_payments.providers.types import Indeterminate, NoAnswer
from medusa_payments.reconciliation.sweep import reconcile_all, reconcile_due
from medusa_payments.statuses import MovementStatus
from medusa_payments.testing.stripe_simulator import StripeSimulator

from .fixtures import configure
from .scenes import (
    AMOUNT_MINOR,
    FAKE,
    STRIPE,
    Crash,
    StagedProvider,
    authorized_at,
    authorized_at_stripe,
    breaks,
    captured_at,
    collection_of,
    deliver,
    let_leases_end,
    let_time_pass,
    listening,
    only_call,
    reloaded,
    session_at,
)

TEN = Decimal("10")


def _fail_first(times: int = 1, error: type[BaseException] = RuntimeError) -> Any:
    calls: list[Any] = []

    def receiver(**facts: Any) -> None:
        calls.append(facts)
        if len(calls) <= times:
            raise error

    return receiver


# The shop is told


@pytest.mark.django_db(transaction=True)
def test_a_receiver_that_raises_is_called_again_until_it_returns(fake: StagedProvider) -> None:
    with listening(signals.payment_captured, _fail_first(2)) as told:
        payment = captured_at(fake)
        assert len(told) == 1
        for _ in range(4):
            reconcile_due()

    assert len(told) == 3
    assert {facts["payment"].pk for facts in told} == {payment.pk}
    call = only_call("capture")
    assert call.follow_up_at is None
    assert call.followed_up_at is not None


@pytest.mark.django_db(transaction=True)
def test_a_receiver_that_raises_changes_no_result(fake: StagedProvider) -> None:
    with listening(signals.payment_captured, _fail_first(100)):
        payment = captured_at(fake)

    assert payment.is_captured
    assert only_call("capture").state == "succeeded"
    assert only_call("capture").follow_up_at is not None


@pytest.mark.django_db(transaction=True)
def test_a_crash_before_the_receivers_return_makes_the_sweep_tell(fake: StagedProvider) -> None:
    payment = authorized_at(fake)

    with listening(signals.payment_captured, _fail_first(1, Crash)) as told:
        with pytest.raises(Crash):
            capture_payment(payment)
        reconcile_due()

    assert len(told) == 2
    assert told[1]["capture"].amount_minor == AMOUNT_MINOR


@pytest.mark.django_db(transaction=True)
def test_what_a_webhook_told_is_told_again_too(stripe: StripeSimulator) -> None:
    session = session_at(STRIPE)
    stripe.pay(session.provider_reference)
    (event,) = stripe.events(["payment_intent.amount_capturable_updated"])

    with listening(signals.payment_authorized, _fail_first()) as told:
        deliver(stripe, event["id"])
        assert WebhookEvent.objects.get().follow_up_at is not None
        reconcile_due()

    assert len(told) == 2
    assert WebhookEvent.objects.get().follow_up_at is None


@pytest.mark.django_db(transaction=True)
def test_a_ghost_is_told_again_too(stripe: StripeSimulator) -> None:
    stripe.foreign_intent(metadata={"session_id": "payses_of_nobody"})

    with listening(signals.discrepancy_opened, _fail_first()) as told:
        for event in stripe.events():
            deliver(stripe, event["id"])
        reconcile_due()

    assert [facts["discrepancy"].kind for facts in told] == ["ghost", "ghost"]


@pytest.mark.django_db(transaction=True)
def test_signals_are_sent_after_the_commit(fake: StagedProvider) -> None:
    is_open: list[bool] = []

    with listening(
        signals.payment_captured, lambda **facts: is_open.append(connection.in_atomic_block)
    ):
        captured_at(fake)

    assert is_open == [False]


@pytest.mark.django_db
def test_signals_are_sent_inside_djangos_testcase_too(fake: StagedProvider) -> None:
    """There ``on_commit`` never fires."""
    with listening(signals.payment_captured) as told:
        captured_at(fake)

    assert len(told) == 1


@pytest.mark.django_db(transaction=True)
def test_every_signal_carries_its_rows(fake: StagedProvider) -> None:
    heard: dict[str, set[str]] = {}
    with (
        listening(signals.session_created) as heard_created,
        listening(signals.payment_authorized) as heard_authorized,
        listening(signals.payment_captured) as heard_captured,
        listening(signals.payment_refunded) as heard_refunded,
    ):
        refund_payment(captured_at(fake), amount=TEN)
    for name, told in (
        ("session_created", heard_created),
        ("payment_authorized", heard_authorized),
        ("payment_captured", heard_captured),
        ("payment_refunded", heard_refunded),
    ):
        heard[name] = set().union(*told)

    assert heard == {
        "session_created": {"session"},
        "payment_authorized": {"payment"},
        "payment_captured": {"payment", "capture"},
        "payment_refunded": {"payment", "refund"},
    }
    assert len(heard_captured) == len(heard_refunded) == 1


@pytest.mark.django_db(transaction=True)
def test_a_call_is_finished_only_with_the_calls_that_follow(fake: StagedProvider) -> None:
    """The cancel of a lost initiate's object is there with the record that demanded it."""
    collection = collection_of()
    fake.script("initiate_payment", Indeterminate(), executes=True)
    with pytest.raises(PaymentIndeterminate):
        session_at(FAKE, collection)

    def crash(request: Any) -> None:
        raise Crash

    fake.before["cancel_payment"] = crash
    with pytest.raises(Crash):
        reconcile_all()
    assert only_call("initiate").state == "succeeded"
    assert only_call("cancel").next_attempt_at is not None
    let_leases_end()
    reconcile_due()

    assert only_call("cancel").state == "succeeded"


# Giving up


def _lost_capture(stripe: StripeSimulator) -> ProviderCall:
    payment = authorized_at_stripe(stripe)
    stripe.fault("drop_after", operation="payment_intents.capture")
    stripe.fault("truncated_json_clean", operation="payment_intents.retrieve", times=None)
    capture_payment(payment)
    return only_call("capture")


@pytest.mark.django_db(transaction=True)
def test_a_discrepancy_opens_when_the_schedule_ends(shop: Any, stripe: StripeSimulator) -> None:
    configure(shop, RECONCILE_SCHEDULE=(10, 60, 300))
    call = _lost_capture(stripe)

    with listening(signals.discrepancy_opened) as told:
        reconcile_due()  # not due yet
        early = Discrepancy.objects.count()
        for _ in range(3):
            let_time_pass(hours=1)
            report = reconcile_due()

    (discrepancy,) = Discrepancy.objects.all()
    assert early == 0
    assert (discrepancy.kind, discrepancy.state) == ("unresolved", "open")
    assert discrepancy.provider_call_id == call.pk
    assert discrepancy.amount_minor == AMOUNT_MINOR
    assert [facts["discrepancy"].pk for facts in told] == [discrepancy.pk]
    assert (report.unresolved, report.discrepancies) == (1, 1)
    assert reloaded(call).next_attempt_at is not None  # looking goes on


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("door", ["webhook", "sweep"])
def test_late_evidence_closes_it(door: str, shop: Any, stripe: StripeSimulator) -> None:
    configure(shop, RECONCILE_SCHEDULE=(10, 60))
    call = _lost_capture(stripe)
    for _ in range(4):
        let_time_pass(hours=1)
        reconcile_due()
    assert Discrepancy.objects.get().state == "open"

    if door == "webhook":
        (event,) = stripe.events(["payment_intent.succeeded"])
        deliver(stripe, event["id"])
    else:
        stripe.clear_faults()
        let_time_pass(hours=1)
        reconcile_due()

    discrepancy = Discrepancy.objects.get()
    assert (discrepancy.state, discrepancy.closed_by) == ("closed", door)
    assert discrepancy.closing_reason
    assert reloaded(call).state == "succeeded"


@pytest.mark.django_db(transaction=True)
def test_the_schedule_is_the_settings(shop: Any, stripe: StripeSimulator) -> None:
    configure(shop, RECONCILE_SCHEDULE=(100, 1000, 10000))
    call = _lost_capture(stripe)
    waits = []
    for _ in range(3):
        let_time_pass(hours=3)
        reconcile_due()
        now = reloaded(call)
        waits.append(round((now.next_attempt_at - now.updated_at).total_seconds(), -2))

    assert waits == [1000, 10000, 10000]


@pytest.mark.django_db(transaction=True)
def test_a_refund_known_to_be_pending_is_no_discrepancy(shop: Any, fake: StagedProvider) -> None:
    payment = captured_at(fake)
    fake.refund_status = MovementStatus.PENDING
    refund_payment(payment, amount=TEN)

    for _ in range(10):
        let_time_pass(days=2)
        reconcile_due()

    assert not Discrepancy.objects.exists()
    assert len(fake.asked_for("lookup")) >= 5  # it is looked at all the same


@pytest.mark.django_db(transaction=True)
def test_an_event_that_cannot_be_applied_is_tried_for_ever(fake: StagedProvider) -> None:
    event = _event_that_cannot_be_applied(fake)
    for _ in range(10):
        reconcile_all()

    event.refresh_from_db()
    assert event.state == "parked"
    assert event.tries >= 10
    assert event.next_attempt_at is not None


@pytest.mark.django_db(transaction=True)
def test_an_event_that_cannot_be_applied_opens_one_discrepancy_until_it_is(
    fake: StagedProvider,
) -> None:
    schedule = settings.RECONCILE_SCHEDULE
    read = fake.read_webhook
    event = _event_that_cannot_be_applied(fake)
    opened: list[Discrepancy] = []

    def note(discrepancy: Discrepancy) -> None:
        opened.append(discrepancy)

    with listening(signals.discrepancy_opened, note):
        while reloaded(event).tries < len(schedule) - 1:
            reconcile_all()
        assert not Discrepancy.objects.exists()
        for _ in range(5):
            reconcile_all()
    discrepancy = Discrepancy.objects.get()
    assert (discrepancy.kind, discrepancy.state) == ("unresolved", "open")
    assert discrepancy.webhook_event_id == event.pk
    assert event.event_id in discrepancy.detail
    assert opened == [discrepancy]

    fake.read_webhook = read  # type: ignore[method-assign]
    reconcile_all()

    assert reloaded(discrepancy).state == "closed"
    assert breaks(PaymentSession.objects.get().payment_collection) == []


@pytest.mark.django_db(transaction=True)
def test_a_stuck_event_that_turns_out_to_be_nobodys_is_no_discrepancy(
    fake: StagedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = fake.read_webhook
    _event_that_cannot_be_applied(fake)
    for _ in range(10):
        reconcile_all()
    assert Discrepancy.objects.get().state == "open"
    fake.read_webhook = read  # type: ignore[method-assign]
    monkeypatch.setattr(webhooks, "find_session", lambda event, report: None)

    reconcile_all()

    assert WebhookEvent.objects.get().state == "quarantined"
    assert not Discrepancy.objects.filter(kind="unresolved", state="open").exists()


@pytest.mark.django_db(transaction=True)
def test_whoever_could_not_apply_an_event_keeps_what_another_owes_the_shop(
    fake: StagedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    def applied_meanwhile(tries: int) -> bool:
        WebhookEvent.objects.update(
            state="applied", next_attempt_at=None, signals=[["x", "y"]], follow_up_at=timezone.now()
        )
        return False

    monkeypatch.setattr(unapplied_events, "is_exhausted", applied_meanwhile)

    event = reloaded(_event_that_cannot_be_applied(fake))

    assert (event.state, event.signals) == ("applied", [["x", "y"]])
    assert event.follow_up_at is not None


def _event_that_cannot_be_applied(fake: StagedProvider) -> WebhookEvent:
    def unreadable(payload: Any) -> Any:
        raise KeyError

    session = session_at(FAKE)
    fake.read_webhook = unreadable  # type: ignore[method-assign]
    fake.tell(session.provider_reference)
    return WebhookEvent.objects.get()


@pytest.mark.django_db(transaction=True)
def test_an_unresolved_call_is_never_dropped_from_the_schedule(fake: StagedProvider) -> None:
    payment = captured_at(fake)
    fake.script("refund_payment", Indeterminate(), executes=True)
    fake.script("lookup", *[NoAnswer()] * 30)
    refund = refund_payment(payment, amount=TEN)
    for _ in range(29):
        let_time_pass(days=2)
        reconcile_due()
    assert reloaded(refund).status == "indeterminate"

    let_time_pass(days=2)
    reconcile_due()

    assert reloaded(refund).status == "succeeded"
    assert Discrepancy.objects.get().state == "closed"
