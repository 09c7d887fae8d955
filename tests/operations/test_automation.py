"""The kill switch: nothing is undone and nothing sent again by itself; reading goes on."""

from __future__ import annotations

from typing import Any

import pytest

from medusa_payments.errors import (
    InvalidData,
    NotAllowed,
    NotFound,
    PersonRequired,
    UnknownProvider,
)
from medusa_payments.models import AutomationStop, Discrepancy, ProviderCall, Refund
from medusa_payments.operations.actors import SWEEP, SYSTEM, WEBHOOK, Actor
from medusa_payments.operations.automation import (
    active_stops,
    is_stopped,
    resume_automation,
    stop_automation,
)
from medusa_payments.operations.captures import capture_payment
from medusa_payments.operations.performing import resend
from medusa_payments.operations.refunds import refund_payment
from medusa_payments.operations.sessions import delete_payment_session
from medusa_payments.providers.types import Indeterminate, NoAnswer
from medusa_payments.reconciliation.sweep import reconcile_all, reconcile_due
from medusa_payments.statuses import Door
from tests.laws.scenes import (
    FAKE,
    StagedProvider,
    authorized_at,
    breaks,
    captured_at,
    let_time_pass,
    only_call,
    reloaded,
    session_at,
)
from tests.operations.ghosts import ANN, BOB, ghost_at, pay, set_aside_at

pytestmark = pytest.mark.django_db(transaction=True)


def _stop(provider_id: str = "") -> AutomationStop:
    return stop_automation(reason="The provider answers oddly.", actor=ANN, provider_id=provider_id)


@pytest.mark.parametrize("provider_id", ["", FAKE])
def test_nothing_is_undone_while_stopped_and_at_once_when_resumed(
    provider_id: str, fake: StagedProvider
) -> None:
    _stop(provider_id)
    session = ghost_at(fake, "captured")
    for _ in range(12):
        let_time_pass(hours=30)
        reconcile_due()
    while_stopped, written = reloaded(session), Refund.objects.count()

    resume_automation(actor=BOB, provider_id=provider_id)
    reconcile_due()

    assert (while_stopped.provider_state, while_stopped.resolution) == ("captured", "")
    assert written == 0
    assert not Discrepancy.objects.exists()
    assert reloaded(session).resolution == "refunded"
    assert len(fake.asked_for("refund_payment")) == 1
    assert breaks(session.payment_collection) == []


def test_a_provider_is_stopped_by_its_id_without_the_prefix_too(fake: StagedProvider) -> None:
    _stop(FAKE.removeprefix("pp_"))

    assert is_stopped(FAKE)
    assert reloaded(ghost_at(fake, "captured")).resolution == ""

    resume_automation(actor=ANN, provider_id=FAKE.removeprefix("pp_"))

    assert not is_stopped(FAKE)


def test_what_was_decided_before_the_stop_is_not_sent_again_after_it(fake: StagedProvider) -> None:
    call = _lost_capture(fake)
    _claim(call)
    _stop()

    resend(call, actor=SWEEP)

    assert len(fake.asked_for("capture_payment")) == 1
    assert reloaded(call).state == "indeterminate"


def test_what_another_sweep_has_taken_over_meanwhile_is_not_sent_again(
    fake: StagedProvider,
) -> None:
    call = _lost_capture(fake)
    _claim(call)
    ProviderCall.objects.filter(pk=call.pk).update(lease_token=call.lease_token + 1)

    resend(call, actor=SWEEP)

    assert len(fake.asked_for("capture_payment")) == 1


def _lost_capture(fake: StagedProvider) -> ProviderCall:
    """It did not happen; nobody knows."""
    payment = authorized_at(fake)
    fake.script("capture_payment", Indeterminate(code="lost"))
    fake.script("lookup", NoAnswer())
    capture_payment(payment)
    return only_call("capture")


def _claim(call: ProviderCall) -> None:
    """As a sweep that has looked it up, and gave the lease back with its record."""
    call.lease_token += 1
    ProviderCall.objects.filter(pk=call.pk).update(lease_token=call.lease_token, leased_until=None)


def test_a_stop_of_another_provider_holds_nothing_back(fake: StagedProvider) -> None:
    _stop("pp_fake_single")

    assert reloaded(ghost_at(fake, "captured")).resolution == "refunded"


def test_a_webhook_records_and_undoes_nothing_while_stopped(fake: StagedProvider) -> None:
    _stop()
    session = set_aside_at(fake)
    pay(fake, session, "captured")

    fake.tell(fake.payment_of(session.pk).reference)

    assert reloaded(session).captured_minor
    assert not fake.asked_for("refund_payment")


def test_an_undone_call_is_not_sent_again_and_no_try_is_spent(fake: StagedProvider) -> None:
    payment = captured_at(fake)
    fake.script("refund_payment", Indeterminate())
    refund = refund_payment(payment)
    _stop()
    looks = only_call("refund").looks
    for _ in range(12):
        let_time_pass(hours=1.5)
        reconcile_due()
    call = only_call("refund")
    sent = len(fake.asked_for("refund_payment"))

    resume_automation(actor=BOB)
    reconcile_due()

    assert (call.state, call.looks, call.generation) == ("indeterminate", looks, 1)
    assert sent == 1
    assert not Discrepancy.objects.exists()
    assert len(fake.asked_for("lookup")) >= 12
    assert reloaded(refund).status == "succeeded"
    assert len(set(fake.keys("refund_payment"))) == 1


def test_what_a_crash_left_unsent_is_not_sent_while_stopped(fake: StagedProvider) -> None:
    session = session_at(FAKE)
    fake.script("cancel_payment", Indeterminate())
    fake.after["cancel_payment"] = lambda request: fake.script("lookup", NoAnswer())
    delete_payment_session(session)
    unsent = {"state": "open", "first_sent_at": None, "last_sent_at": None, "leased_until": None}
    ProviderCall.objects.filter(kind="cancel").update(**unsent)
    _stop()

    let_time_pass(hours=1)
    reconcile_due()
    reconcile_all()
    while_stopped = only_call("cancel")
    resume_automation(actor=BOB)
    reconcile_due()

    assert (while_stopped.state, while_stopped.last_sent_at) == ("open", None)
    assert len(fake.asked_for("cancel_payment")) == 2
    assert reloaded(session).resolution == "closed"


def test_what_a_person_asks_for_is_done_while_stopped(fake: StagedProvider) -> None:
    payment, session = captured_at(fake), session_at(FAKE)
    _stop()

    refund = refund_payment(payment, actor=BOB)
    delete_payment_session(session, actor=BOB)

    assert refund.status == "succeeded"
    assert reloaded(session).resolution == "closed"


def test_a_persons_second_click_sends_again_while_stopped(fake: StagedProvider) -> None:
    payment = captured_at(fake)
    fake.script("refund_payment", Indeterminate())
    refund_payment(payment, actor=BOB)
    _stop()

    refund_payment(payment, actor=BOB)

    assert Refund.objects.get().status == "succeeded"


def test_an_answer_that_never_came_opens_no_flood_while_stopped(fake: StagedProvider) -> None:
    payment = captured_at(fake)
    fake.script("refund_payment", Indeterminate())
    fake.script("lookup", *[NoAnswer()] * 40)
    refund_payment(payment)
    _stop()

    for _ in range(12):
        let_time_pass(hours=30)
        reconcile_due()

    assert not Discrepancy.objects.filter(kind="unresolved").exists()


def test_a_stop_names_who_stopped_and_who_resumed(fake: StagedProvider) -> None:
    stop = _stop()
    assert [each.pk for each in active_stops()] == [stop.pk]
    assert is_stopped(FAKE)

    lifted = resume_automation(actor=BOB)

    assert (lifted.stopped_by, lifted.lifted_by, lifted.active_key) == ("ann", "bob", None)
    assert lifted.lifted_at is not None
    assert not is_stopped(FAKE)
    assert _stop().pk != stop.pk


def test_only_a_person_stops_and_resumes(shop: Any) -> None:
    for actor in (SYSTEM, SWEEP, WEBHOOK, Actor("", Door.ADMIN), Actor("b", Door.STORE_API)):
        with pytest.raises(PersonRequired):
            stop_automation(reason="r", actor=actor)
        with pytest.raises(PersonRequired):
            resume_automation(actor=actor)

    assert not AutomationStop.objects.exists()


def test_a_stop_has_a_reason_a_known_provider_and_no_twin(shop: Any) -> None:
    with pytest.raises(InvalidData, match="reason"):
        stop_automation(reason=" ", actor=ANN)
    with pytest.raises(UnknownProvider):
        _stop("pp_nobody")
    with pytest.raises(NotFound, match="not stopped everywhere"):
        resume_automation(actor=ANN)
    _stop()
    with pytest.raises(NotAllowed, match="already"):
        _stop()
    _stop(FAKE)

    resume_automation(actor=ANN)

    assert AutomationStop.objects.count() == 2
    assert is_stopped(FAKE)
    assert not is_stopped("pp_fake_single")
