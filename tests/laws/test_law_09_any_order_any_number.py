"""Law 9: webhooks are verified, stored, committed, then applied; order and number do not count."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from medusa_payments.errors import PaymentIndeterminate, UnknownProvider, WebhookRejected
from medusa_payments.models import (
    Capture,
    Discrepancy,
    Dispute,
    Payment,
    PaymentCollection,
    PaymentSession,
    ProviderCall,
    Refund,
    WebhookEvent,
)
from medusa_payments.operations.actors import WEBHOOK
from medusa_payments.operations.captures import capture_payment
from medusa_payments.operations.refunds import refund_payment
from medusa_payments.operations.webhooks import receive_webhook, record_event
from medusa_payments.providers.types import Indeterminate
from medusa_payments.reconciliation.sweep import reconcile_all, reconcile_due
from medusa_payments.signals import webhook_event_stored
from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.conftest import WEBHOOK_SECRET

from .fixtures import configure, configure_stripe
from .scenes import (
    AMOUNT_MINOR,
    FAKE,
    STRIPE,
    TAKEN,
    StagedProvider,
    authorized_at_stripe,
    breaks,
    captured_at,
    captured_at_stripe,
    collection_of,
    deliver,
    deliver_changed,
    let_time_pass,
    listening,
    only_call,
    only_session,
    reloaded,
    session_at,
    succeeded_minor,
)

pytestmark = pytest.mark.django_db(transaction=True)


# Verified, stored, committed, then applied


@pytest.mark.parametrize("change", ["forged", "stale", "unsigned", "malformed"])
def test_a_delivery_that_is_not_the_providers_is_not_stored(
    change: str, stripe: StripeSimulator
) -> None:
    session_at(STRIPE)
    event_id = stripe.events()[0]["id"]
    body, headers = stripe.signed(event_id, secret=WEBHOOK_SECRET)
    if change == "forged":
        body = body.replace(b"requires_payment_method", b"requires_capture")
    elif change == "stale":
        body, headers = stripe.signed(event_id, secret=WEBHOOK_SECRET, timestamp=1_000_000)
    elif change == "unsigned":
        headers = {}
    else:
        body = body[: len(body) // 2]

    with pytest.raises(WebhookRejected):
        receive_webhook(STRIPE, body, headers)

    assert not WebhookEvent.objects.exists()


def test_an_unknown_provider_is_refused(stripe: StripeSimulator) -> None:
    with pytest.raises(UnknownProvider):
        receive_webhook("pp_nobody", b"{}", {})


def test_intake_makes_no_provider_call(shop: Any, stripe: StripeSimulator) -> None:
    configure(shop, WEBHOOK_APPLY="deferred")
    payment = captured_at_stripe(stripe)
    stripe.dashboard_refund(payment.payment_session.provider_reference, 1000)
    asked = len(stripe.requests())

    for event in stripe.events():
        deliver(stripe, event["id"])

    assert len(stripe.requests()) == asked
    assert set(WebhookEvent.objects.values_list("state", flat=True)) == {"received"}
    reconcile_due()
    assert set(WebhookEvent.objects.values_list("state", flat=True)) <= {"applied", "quarantined"}
    assert succeeded_minor(Refund, payment) == 1000


def test_an_event_is_committed_before_it_is_announced(stripe: StripeSimulator) -> None:
    session_at(STRIPE)
    seen: list[tuple[bool, bool]] = []

    def note(event: WebhookEvent) -> None:
        is_stored = WebhookEvent.objects.filter(pk=event.pk).exists()
        seen.append((connection.in_atomic_block, is_stored))

    with listening(webhook_event_stored, note):
        deliver(stripe, stripe.events()[0]["id"])

    assert seen == [(False, True)]


def test_an_event_that_cannot_be_applied_stays_stored_and_is_tried_again(
    fake: StagedProvider,
) -> None:
    session = session_at(FAKE)
    fake.pay(session.provider_reference)
    read, fake.read_webhook = fake.read_webhook, _unreadable  # type: ignore[method-assign]
    fake.tell(session.provider_reference)
    event = WebhookEvent.objects.get()
    assert (event.state, event.tries) == ("parked", 1)
    assert event.next_attempt_at is not None

    fake.read_webhook = read  # type: ignore[method-assign]
    reconcile_all()

    assert reloaded(event).state == "applied"
    assert reloaded(session).status == "authorized"


def _unreadable(payload: Any) -> Any:
    raise KeyError("state")


def test_a_receiver_that_raises_does_not_undo_the_intake(stripe: StripeSimulator) -> None:
    session_at(STRIPE)

    def fail(event: WebhookEvent) -> None:
        raise RuntimeError

    with listening(webhook_event_stored, fail):
        deliver(stripe, stripe.events()[0]["id"])

    assert WebhookEvent.objects.get().state == "applied"


def test_a_secret_in_an_event_is_not_stored(stripe: StripeSimulator) -> None:
    session_at(STRIPE)
    event_id = stripe.events()[0]["id"]
    assert "client_secret" in stripe.signed(event_id, secret=WEBHOOK_SECRET)[0].decode()

    deliver(stripe, event_id)

    stored = WebhookEvent.objects.get().payload["data"]["object"]
    assert stored["client_secret"] == "[redacted]"


def test_a_delivery_that_comes_again_is_one_event(stripe: StripeSimulator) -> None:
    session = session_at(STRIPE, **TAKEN)
    for event in stripe.events():
        for _ in range(3):
            deliver(stripe, event["id"])

    assert WebhookEvent.objects.count() == len(stripe.events())
    assert Capture.objects.count() == 1
    assert reloaded(session.payment_collection).status == "completed"


# Any order, any number


def _pays_and_gives_back(stripe: StripeSimulator, intent: str) -> None:
    stripe.pay(intent)
    stripe.dashboard_capture(intent)
    stripe.dashboard_refund(intent, 4000)


def _refund_fails_later(stripe: StripeSimulator, intent: str) -> None:
    stripe.pay(intent)
    stripe.dashboard_capture(intent)
    refund = stripe.dashboard_refund(intent, 4000)
    stripe.fail_refund(refund["id"])


def _authenticates_and_cancels(stripe: StripeSimulator, intent: str) -> None:
    stripe.pay(intent, "pm_card_threeDSecure2Required")
    stripe.complete_action(intent)
    stripe.dashboard_cancel(intent)


def _is_disputed(stripe: StripeSimulator, intent: str) -> None:
    stripe.pay(intent)
    stripe.dashboard_capture(intent, 9000)
    dispute = stripe.dispute(intent, 2000)
    stripe.close_dispute(dispute["id"], won=False)


def _expires(stripe: StripeSimulator, intent: str) -> None:
    stripe.pay(intent)
    stripe.expire_authorization(intent)


def _fails_and_succeeds(stripe: StripeSimulator, intent: str) -> None:
    stripe.pay(intent, "pm_card_chargeDeclined")
    stripe.pay(intent, "pm_card_threeDSecure2Required")
    stripe.complete_action(intent)


def _dispute_is_won_at_last(stripe: StripeSimulator, intent: str) -> None:
    """An inquiry that escalates, is lost, and is decided otherwise."""
    stripe.pay(intent)
    stripe.dashboard_capture(intent)
    dispute = stripe.dispute(intent, 2000, is_inquiry=True)
    stripe.escalate_dispute(dispute["id"])
    stripe.close_dispute(dispute["id"], won=False)
    stripe.close_dispute(dispute["id"], won=True)


def _refunded_and_disputed(stripe: StripeSimulator, intent: str) -> None:
    stripe.pay(intent)
    stripe.dashboard_capture(intent)
    stripe.dashboard_refund(intent, 3000)
    stripe.dispute(intent, 2000)


def _comes_in_parts(stripe: StripeSimulator, intent: str) -> None:
    stripe.partially_fund(intent, 4000)
    stripe.partially_fund(intent, 6000)
    stripe.pay(intent)


Life = Callable[[StripeSimulator, str], None]
LIVES: dict[str, tuple[Life, tuple[str, ...]]] = {
    # name: what happens, and the events whose every order is tried
    "captured, partly refunded": (
        _pays_and_gives_back,
        (
            "payment_intent.created",
            "payment_intent.amount_capturable_updated",
            "payment_intent.succeeded",
            "refund.created",
        ),
    ),
    "refund fails": (
        _refund_fails_later,
        ("payment_intent.succeeded", "refund.created", "refund.failed", "charge.captured"),
    ),
    "authenticated, canceled": (
        _authenticates_and_cancels,
        (
            "payment_intent.created",
            "payment_intent.requires_action",
            "payment_intent.amount_capturable_updated",
            "payment_intent.canceled",
        ),
    ),
    "partly captured, dispute lost": (
        _is_disputed,
        (
            "payment_intent.amount_capturable_updated",
            "payment_intent.succeeded",
            "charge.dispute.created",
            "charge.dispute.closed",
        ),
    ),
    "expires": (
        _expires,
        (
            "payment_intent.created",
            "payment_intent.amount_capturable_updated",
            "charge.expired",
            "payment_intent.canceled",
        ),
    ),
    "dispute won at last": (
        _dispute_is_won_at_last,
        (
            "payment_intent.succeeded",
            "charge.dispute.created",
            "charge.dispute.updated",
            "charge.dispute.closed",
        ),
    ),
    "refunded and disputed": (
        _refunded_and_disputed,
        (
            "payment_intent.succeeded",
            "refund.created",
            "charge.dispute.created",
            "charge.refunded",
        ),
    ),
    "comes in parts": (
        _comes_in_parts,
        (
            "payment_intent.created",
            "payment_intent.partially_funded",
            "payment_intent.amount_capturable_updated",
        ),
    ),
    "declined, then paid": (
        _fails_and_succeeds,
        (
            "payment_intent.payment_failed",
            "payment_intent.requires_action",
            "payment_intent.amount_capturable_updated",
        ),
    ),
}


def _end_of(session: PaymentSession) -> tuple[Any, ...]:
    """All that the rows say of where the money is."""
    session = reloaded(session)
    collection = reloaded(session.payment_collection)
    payments = Payment.objects.filter(payment_session=session)
    own = {"payment__payment_session": session}
    return (
        (session.status, session.provider_state, session.held_minor, session.captured_minor),
        session.funded_minor,
        (session.deleted is None, session.resolution),
        (collection.status, collection.captured_minor, collection.refunded_minor),
        [(each.is_captured, each.is_canceled) for each in payments],
        sorted(Capture.objects.filter(**own).values_list("amount_minor", "status", "is_external")),
        sorted(Refund.objects.filter(**own).values_list("amount_minor", "status", "is_external")),
        sorted(Dispute.objects.filter(**own).values_list("amount_minor", "status")),
        # Not those that are closed: of what is over nobody needs to be told any more.
        sorted(
            Discrepancy.objects.filter(payment_session=session, state="open").values_list("kind")
        ),
    )


def _run(
    stripe: StripeSimulator, life: Life, order: Callable[[list[Any]], Iterable[Any]]
) -> tuple[Any, ...]:
    """One session, its life at Stripe, its events in an order; what the rows say in the end."""
    session = session_at(STRIPE)
    life(stripe, session.provider_reference)
    for event in order(_events_of(stripe, session.provider_reference)):
        deliver(stripe, event["id"])
    assert breaks(session.payment_collection) == []
    return _end_of(session)


def _events_of(stripe: StripeSimulator, intent: str) -> list[Any]:
    return [
        event
        for event in stripe.events()
        if intent in (event["data"]["object"]["id"], event["data"]["object"].get("payment_intent"))
    ]


def _as_it_happened(events: list[Any]) -> list[Any]:
    return events


def _only(types: tuple[str, ...]) -> Callable[[list[Any]], list[Any]]:
    """Just these, in this order; the first event of each type."""

    def order(events: list[Any]) -> list[Any]:
        first = {event["type"]: event for event in reversed(events)}
        return [first[each] for each in types]

    return order


_IN_EVERY_RUN = ("captured, partly refunded", "refund fails")


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[] if name in _IN_EVERY_RUN else pytest.mark.slow) for name in LIVES],
)
def test_every_order_of_a_lifes_events_ends_in_the_same_state(
    name: str, stripe: StripeSimulator
) -> None:
    life, types = LIVES[name]
    expected = _run(stripe, life, _only(types))

    ends = {order: _run(stripe, life, _only(order)) for order in permutations(types)}

    assert {order: end for order, end in ends.items() if end != expected} == {}


@pytest.mark.slow
@pytest.mark.parametrize("name", LIVES)
def test_every_order_of_five_events_ends_in_the_same_state(
    name: str, stripe: StripeSimulator
) -> None:
    life, types = LIVES[name]
    more = {"authenticated, canceled": "charge.refunded"}
    types = (*types, more.get(name, "payment_intent.created"))
    types = tuple(dict.fromkeys(types))
    expected = _run(stripe, life, _only(types))

    ends = {order: _run(stripe, life, _only(order)) for order in permutations(types)}

    assert {order: end for order, end in ends.items() if end != expected} == {}


def _in_any_order_and_number(stripe: StripeSimulator, name: str, seed: int, times: int) -> None:
    life, _ = LIVES[name]
    expected = _run(stripe, life, _as_it_happened)

    def shuffled(events: list[Any]) -> list[Any]:
        many = events * times
        random.Random(seed).shuffle(many)
        return many

    assert _run(stripe, life, shuffled) == expected


_ANY = given(
    name=st.sampled_from(sorted(LIVES)), seed=st.integers(0, 2**32), times=st.integers(1, 3)
)
_UNSHRUNK = hypothesis_settings(
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@hypothesis_settings(_UNSHRUNK, max_examples=6)
@_ANY
def test_all_events_of_a_life_in_any_order_and_number_end_in_the_same_state(
    stripe: StripeSimulator, name: str, seed: int, times: int
) -> None:
    _in_any_order_and_number(stripe, name, seed, times)


@pytest.mark.slow
@pytest.mark.timeout(900)
@hypothesis_settings(_UNSHRUNK, max_examples=200)
@_ANY
def test_many_orders_and_numbers_end_in_the_same_state(
    stripe: StripeSimulator, name: str, seed: int, times: int
) -> None:
    _in_any_order_and_number(stripe, name, seed, times)


@pytest.mark.parametrize("name", LIVES)
def test_the_end_is_what_the_provider_has(name: str, stripe: StripeSimulator) -> None:
    life, _ = LIVES[name]
    session = session_at(STRIPE)
    life(stripe, session.provider_reference)

    for event in reversed(_events_of(stripe, session.provider_reference)):
        deliver(stripe, event["id"])

    line, row = stripe.ledger()["intents"][session.provider_reference], reloaded(session)
    assert (row.captured_minor, row.held_minor) == (line["amount_received"], line["held"])
    refunded = Refund.objects.filter(status="succeeded")
    assert sum(each.amount_minor for each in refunded) == line["amount_refunded"]
    withdrawn = Dispute.objects.filter(status__in=("open", "lost"))
    assert sum(each.amount_minor for each in withdrawn) == line["disputed"]


def test_events_of_our_own_acts_change_nothing_in_any_order(stripe: StripeSimulator) -> None:
    payment = captured_at_stripe(stripe)
    refund_payment(payment, amount=Decimal("40"))
    before = _end_of(payment.payment_session)

    for event in reversed(stripe.events()):
        deliver(stripe, event["id"])

    assert _end_of(payment.payment_session) == before
    assert not Discrepancy.objects.exists()


@pytest.mark.parametrize("is_reversed", [False, True])
def test_events_that_arrive_months_late_still_count(
    is_reversed: bool, stripe: StripeSimulator
) -> None:
    session = session_at(STRIPE)
    _refund_fails_later(stripe, session.provider_reference)
    let_time_pass(days=90)

    events = stripe.events()
    for event in reversed(events) if is_reversed else events:
        deliver(stripe, event["id"])

    assert reloaded(session).captured_minor == AMOUNT_MINOR
    assert Refund.objects.get().status == "failed"


# Ties


@pytest.mark.parametrize("is_reversed", [False, True])
def test_what_ties_in_one_second_is_looked_up(is_reversed: bool, stripe: StripeSimulator) -> None:
    session = session_at(STRIPE)
    intent = session.provider_reference
    stripe.pay(intent, "pm_card_threeDSecure2Required")
    stripe.complete_action(intent, succeed=False)
    events = stripe.events(["payment_intent.requires_action", "payment_intent.payment_failed"])
    PaymentSession.objects.filter(pk=session.pk).update(
        provider_state="", evidence="", observed_at=None
    )
    second, looks = int(time.time()), len(stripe.requests("payment_intents.retrieve"))

    for event in reversed(events) if is_reversed else events:
        deliver_changed(event, created=second)

    assert stripe.object(intent)["status"] == "requires_payment_method"
    assert (reloaded(session).provider_state, reloaded(session).evidence) == ("payable", "lookup")
    assert len(stripe.requests("payment_intents.retrieve")) == looks + 1


@pytest.mark.parametrize("is_reversed", [False, True])
def test_among_what_is_open_the_later_event_counts(
    is_reversed: bool, stripe: StripeSimulator
) -> None:
    session = session_at(STRIPE)
    intent = session.provider_reference
    stripe.pay(intent, "pm_card_threeDSecure2Required")
    stripe.complete_action(intent, succeed=False)
    events = stripe.events(["payment_intent.requires_action", "payment_intent.payment_failed"])
    second = int(time.time())
    told = [(events[0], second + 10), (events[1], second + 5)]

    for event, created in reversed(told) if is_reversed else told:
        deliver_changed(event, created=created)

    assert reloaded(session).provider_state == "action_required"
    assert stripe.requests("payment_intents.retrieve") == []


def test_a_lookup_that_fails_is_made_again(stripe: StripeSimulator) -> None:
    payment = captured_at_stripe(stripe)
    stripe.dashboard_refund(payment.payment_session.provider_reference, 1000)
    (told,) = stripe.events(["charge.refunded"])
    stripe.fault("truncated_json_clean", operation="payment_intents.retrieve", times=None)
    deliver(stripe, told["id"])
    stripe.clear_faults()

    let_time_pass(days=2)
    reconcile_due()

    assert succeeded_minor(Refund, payment) == 1000


def test_a_look_that_a_crash_prevented_is_made_by_the_sweep(
    shop: Any, stripe: StripeSimulator
) -> None:
    """The refund is told before the payment; the process dies before it has asked about it."""
    configure(shop, WEBHOOK_APPLY="deferred")
    session = session_at(STRIPE)
    _pays_and_gives_back(stripe, session.provider_reference)

    def record_and_die(event: WebhookEvent) -> None:
        record_event(event, actor=WEBHOOK)

    with listening(webhook_event_stored, record_and_die):
        for each in ("refund.created", "payment_intent.succeeded"):
            deliver(stripe, stripe.events([each])[0]["id"])
    assert set(WebhookEvent.objects.values_list("state", flat=True)) == {"applied"}
    let_time_pass(hours=1)
    reconcile_due()

    assert Refund.objects.get().status == "succeeded"


# Strength of evidence


def test_what_was_not_found_yields_to_any_proof(stripe: StripeSimulator) -> None:
    payment = captured_at_stripe(stripe)
    stripe.fault("error_500_before", operation="refunds.create")
    refund = refund_payment(payment, amount=Decimal("10"))
    reconcile_all()
    let_time_pass(hours=2)
    reconcile_all()
    assert (reloaded(refund).status, reloaded(refund).is_provisional) == ("failed", True)

    made = stripe.dashboard_refund(payment.payment_session.provider_reference, 1000)
    (event,) = stripe.events(["refund.created"])
    assert made["id"] == event["data"]["object"]["id"]
    Refund.objects.filter(pk=refund.pk).update(provider_reference=made["id"])
    deliver(stripe, event["id"])

    after = reloaded(refund)
    assert (after.status, after.is_provisional) == ("succeeded", False)
    assert only_call("refund").state == "succeeded"


def test_a_failure_that_the_provider_reported_beats_a_success(stripe: StripeSimulator) -> None:
    payment = captured_at_stripe(stripe)
    refund = refund_payment(payment, amount=Decimal("10"))
    stripe.fail_refund(refund.provider_reference)
    for kind in ("refund.failed", "refund.created", "refund.updated"):
        for event in stripe.events([kind]):
            deliver(stripe, event["id"])

    assert reloaded(refund).status == "failed"
    assert reloaded(payment.payment_collection).refunded_minor == 0


def test_an_older_event_does_not_take_back_what_is_known(stripe: StripeSimulator) -> None:
    payment = authorized_at_stripe(stripe)
    capture_payment(payment)
    for event in stripe.events(
        ["payment_intent.created", "payment_intent.amount_capturable_updated"]
    ):
        deliver(stripe, event["id"])

    session = reloaded(payment.payment_session)
    assert (session.provider_state, session.held_minor) == ("captured", 0)


def test_events_of_a_lost_initiate_and_its_response_meet(fake: StagedProvider) -> None:
    collection = collection_of()
    fake.script("initiate_payment", Indeterminate(), executes=True)
    with pytest.raises(PaymentIndeterminate):
        session_at(FAKE, collection)
    reference = fake.payment_of(only_session(collection).pk).reference
    fake.pay(reference, capture=True)

    fake.tell(reference)
    fake.tell(reference)

    assert only_session(collection).resolution == "refunded"
    assert fake.payments[reference].refunded_minor == AMOUNT_MINOR


# What we do not know


def _rows() -> list[Any]:
    models = (PaymentCollection, PaymentSession, Payment, Capture, Refund, ProviderCall)
    return [list(model._base_manager.order_by("pk").values()) for model in models]


@pytest.mark.parametrize("metadata", [{}, {"session_id": "payses_of_nobody"}])
def test_an_event_of_an_unknown_record_touches_nothing(
    metadata: dict[str, str], stripe: StripeSimulator
) -> None:
    for _ in range(5):
        session_at(STRIPE)
    captured_at_stripe(stripe)
    stripe.foreign_intent(AMOUNT_MINOR, metadata=metadata)
    foreign = stripe.events(["payment_intent.succeeded"])[-1]
    rows, asked = _rows(), len(stripe.requests())

    with CaptureQueriesContext(connection) as queries:
        deliver(stripe, foreign["id"])

    event = WebhookEvent.objects.get()
    assert event.state == "quarantined"
    assert "session" in event.note
    assert _rows() == rows
    assert len(stripe.requests()) == asked
    collection_table = PaymentCollection._meta.db_table
    assert [each for each in queries.captured_queries if collection_table in each["sql"]] == []
    assert Discrepancy.objects.filter(kind="ghost").count() == bool(metadata)


@pytest.mark.parametrize("change", [{"account": "acct_of_another_shop"}, {"livemode": True}])
def test_an_event_of_another_account_or_mode_touches_nothing(
    change: dict[str, Any], shop: Any, stripe: StripeSimulator
) -> None:
    configure_stripe(shop, ACCOUNT_ID="acct_of_this_shop")
    session = session_at(STRIPE)
    stripe.pay(session.provider_reference)
    rows = _rows()

    deliver_changed(stripe.events(["payment_intent.amount_capturable_updated"])[0], **change)

    assert WebhookEvent.objects.get().state == "quarantined"
    assert _rows() == rows


def test_an_event_of_a_second_object_with_our_marker_is_shown_and_not_merged(
    stripe: StripeSimulator,
) -> None:
    session = session_at(STRIPE)
    stripe.foreign_intent(AMOUNT_MINOR, metadata={"session_id": session.pk})
    for event in stripe.events(["payment_intent.succeeded"]):
        deliver(stripe, event["id"])

    assert reloaded(session).captured_minor == 0
    assert not Payment.objects.exists()
    assert Discrepancy.objects.get().kind == "duplicate"


def test_captured_money_of_the_fake_is_told_once(fake: StagedProvider) -> None:
    payment = captured_at(fake)
    for _ in range(3):
        fake.tell(payment.payment_session.provider_reference)

    assert Capture.objects.count() == 1
    assert WebhookEvent.objects.filter(state="applied").count() == 3
