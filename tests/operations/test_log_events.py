"""What is logged of what happens, and what never is."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from medusa_payments.errors import MedusaPaymentsError
from medusa_payments.log_events import log_event
from medusa_payments.models import Payment
from medusa_payments.operations.actors import SYSTEM
from medusa_payments.operations.locking import under_lock
from medusa_payments.operations.tracing import ProviderRequest, unwatch, watch
from medusa_payments.reconciliation.sweep import reconcile_all
from medusa_payments.signals import payment_captured
from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.conftest import ADMIN_API_KEY, WEBHOOK_SECRET, LiveApi
from tests.laws.fixtures import configure_stripe
from tests.laws.scenes import (
    CONFIRMED,
    STRIPE,
    StagedProvider,
    captured_at,
    collection_of,
    deliver,
    listening,
    session_at,
)

CARD = "4242424242424242"


class Records(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    def named(self, event: str) -> list[Any]:
        return [each for each in self.records if getattr(each, "event", "") == event]

    def events(self) -> list[str]:
        return [each.event for each in self.records if hasattr(each, "event")]


@pytest.fixture
def records() -> Iterator[Records]:
    """All that is logged: of ours from DEBUG on."""
    handler, root = Records(), logging.getLogger()
    own, events = logging.getLogger("medusa_payments"), logging.getLogger("medusa_payments.events")
    levels = [(each, each.level) for each in (root, own, events)]
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    own.setLevel(logging.DEBUG)
    events.setLevel(logging.DEBUG)
    yield handler
    root.removeHandler(handler)
    for logger, level in levels:
        logger.setLevel(level)


# What is told


@pytest.mark.django_db
def test_a_payment_is_told_from_its_start_to_its_capture(
    fake: StagedProvider, records: Records
) -> None:
    payment = captured_at(fake)

    told = ["session.requested", "call.initiate", "provider.answered", "payment.created"]
    assert set(told) < set(records.events())
    (told,) = records.named("capture.succeeded")
    assert told.changed["status"] == "succeeded"
    (asked,) = records.named("capture.requested")
    assert asked.changed == {"amount_minor": payment.amount_minor, "status": "requested"}
    assert (told.collection_id, told.actor) == (payment.payment_collection_id, "system")


@pytest.mark.django_db
def test_each_attempt_tells_what_came_of_it(
    stripe: StripeSimulator, shop: Any, records: Records
) -> None:
    configure_stripe(shop, READ_TIMEOUT=1.0, TOTAL_BUDGET=20.0)
    stripe.fault("drop_before", "payment_intents.create", times=1)

    session = session_at(STRIPE)

    told = [
        (each.kind, each.attempt, each.outcome, each.session_id)
        for each in records.named("provider.answered")
    ]
    assert told == [
        ("initiate", 1, "indeterminate", session.pk),
        ("initiate", 2, "succeeded", session.pk),
    ]
    assert all(each.ms >= 0 for each in records.named("provider.answered"))


@pytest.mark.django_db
def test_a_lookup_tells_what_it_found(stripe: StripeSimulator, records: Records) -> None:
    _lose_the_start(stripe)

    reconcile_all()

    methods = {each.method for each in records.named("provider.answered")}
    assert methods & {"look_up", "look_up_many"}
    assert records.named("session.indeterminate")
    assert records.named("session.resolved_closed")
    (ended,) = records.named("job.ended")
    assert (ended.job, ended.figures["undone"]) == ("reconcile_payments", 1)


@pytest.mark.django_db
def test_a_discrepancy_is_told_as_a_warning(stripe: StripeSimulator, records: Records) -> None:
    log_event("discrepancy.opened", subject_id="discr_1")

    (told,) = records.named("discrepancy.opened")
    assert (told.levelname, told.name) == ("WARNING", "medusa_payments.events")


@pytest.mark.django_db
def test_what_was_rolled_back_is_not_told(records: Records, shop: Any) -> None:
    collection = collection_of()
    records.records.clear()

    def work(locked: Any) -> None:
        locked.change(locked.collection, "collection.repriced", amount_minor=1)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        under_lock(collection.pk, work, actor=SYSTEM)

    assert records.events() == []


@pytest.mark.django_db
def test_a_receiver_that_raises_is_told_with_its_signal(
    fake: StagedProvider, records: Records
) -> None:
    def fail(**facts: Any) -> None:
        raise RuntimeError("the warehouse is closed")

    with listening(payment_captured, fail):
        captured_at(fake)

    (told,) = records.named("receiver.raised")
    assert (told.levelname, told.signal) == ("ERROR", "payment_captured")


@pytest.mark.django_db
def test_events_are_told_from_the_store_to_their_end(
    stripe: StripeSimulator, records: Records
) -> None:
    session = session_at(STRIPE)
    stripe.pay(session.provider_reference)
    for event in stripe.events():
        deliver(stripe, event["id"])

    assert records.named("event.stored")
    assert records.named("event.applied")[-1].session_id == session.pk


def test_facts_that_are_empty_are_left_out_and_secrets_are_redacted(records: Records) -> None:
    log_event("odd", call_id="", api_key="sk_live_1", url="pi_1_secret_abc", amount_minor=0)

    (told,) = records.named("odd")
    assert not hasattr(told, "call_id")
    assert (told.api_key, told.url) == ("[redacted]", "pi_1_secret_[redacted]")
    assert told.getMessage() == "odd api_key=[redacted] url=pi_1_secret_[redacted] amount_minor=0"


# What never is


@pytest.mark.django_db(transaction=True)
def test_no_secret_is_in_any_record_of_a_bad_hour(
    live_api: LiveApi, simulator: StripeSimulator, records: Records
) -> None:
    """Declines, lost answers, 500s, forged and altered events, wrong keys: over real HTTP."""
    data = {
        **CONFIRMED,
        "payment_method_data": {"type": "card", "card": {"number": CARD, "cvc": "737"}},
    }
    del data["payment_method"]
    secrets = {WEBHOOK_SECRET, ADMIN_API_KEY, "sk_test_of_the_tests", CARD, "sk_wrong_1234567"}
    for kind in (None, "drop_after", "error_500_after", "truncated_json"):
        if kind:
            simulator.fault(kind, "*", times=2)
        for sent in ({}, dict(CONFIRMED), data):
            secrets |= _client_secrets(_start(live_api, sent))
        simulator.clear_faults()
    for payment in Payment.objects.all():
        simulator.fault("drop_after", "*", times=1)
        _ask(live_api, f"payments/{payment.pk}/capture", {})
        simulator.clear_faults()
        _ask(live_api, f"payments/{payment.pk}/refund", {"amount": 1})
    forged = live_api._send("POST", f"/api/hooks/payment/{STRIPE}", {"id": "evt_x", "secret": CARD})
    wrong = live_api._send("GET", "/api/admin/payments", None, auth=("sk_wrong_1234567", ""))
    reconcile_all()
    secrets |= {simulator.object(pk)["client_secret"] for pk in simulator.ledger()["intents"]}

    text = "\n".join(_everything(each) for each in records.records)
    assert (forged.status_code, wrong.status_code) == (400, 401)
    assert len([each for each in secrets if "_secret_" in each]) > 3
    assert len(records.named("provider.answered")) > 20
    assert [each for each in secrets if each in text] == []
    assert re.findall(r"_secret_[A-Za-z0-9]+", text) == []


def _ask(live_api: LiveApi, path: str, body: dict[str, Any]) -> Any:
    return live_api.admin("POST", path, body).json()


def _start(live_api: LiveApi, data: dict[str, Any]) -> Any:
    """A collection of its own, and a session of it."""
    asked = {"order_id": "order_1", "amount": 100.5, "currency_code": "eur"}
    made = _ask(live_api, "payment-collections", asked)["payment_collection"]
    body = {"provider_id": STRIPE, "data": data}
    return _ask(live_api, f"payment-collections/{made['id']}/payment-sessions", body)


def _client_secrets(answer: Any) -> set[str]:
    if isinstance(answer, dict):
        own = {answer["client_secret"]} if isinstance(answer.get("client_secret"), str) else set()
        return own.union(*(_client_secrets(each) for each in answer.values()))
    if isinstance(answer, list):
        return set().union(*(_client_secrets(each) for each in answer))
    return set()


def _everything(record: logging.LogRecord) -> str:
    """Text, arguments, extra attributes and trace-back."""
    formatted = logging.Formatter().format(record)
    return formatted + repr({name: str(value) for name, value in vars(record).items()})


# Watching


@pytest.mark.django_db
def test_a_watcher_that_fails_harms_nothing(fake: StagedProvider, records: Records) -> None:
    def broken(request: ProviderRequest) -> Any:
        raise RuntimeError

    watch("broken", broken)
    try:
        payment = captured_at(fake)
    finally:
        unwatch("broken")

    assert payment.captures.get().status == "succeeded"
    assert any("broken could not watch" in each.getMessage() for each in records.records)


def _lose_the_start(stripe: StripeSimulator) -> None:
    stripe.fault("drop_after", "payment_intents.create", times=None)
    with suppress(MedusaPaymentsError):
        session_at(STRIPE, **CONFIRMED)
    stripe.clear_faults()
