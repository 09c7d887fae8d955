"""One page of the provider's list answers up to a hundred lookups."""

from __future__ import annotations

from typing import Any

import pytest

from medusa_payments.errors import PaymentIndeterminate
from medusa_payments.models import Discrepancy, ProviderCall, Refund
from medusa_payments.operations.captures import capture_payment
from medusa_payments.providers.types import Indeterminate
from medusa_payments.reconciliation.sweep import reconcile_due
from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.laws.fixtures import configure, configure_stripe
from tests.laws.scenes import (
    STRIPE,
    StagedProvider,
    authorized_at_stripe,
    let_time_pass,
    only_call,
    session_at,
)

from .scenes import (
    a_bad_hour,
    earlier,
    lost,
    nothing_is_kept,
    reads,
    resolutions,
)

pytestmark = pytest.mark.django_db(transaction=True)


def _due_again() -> None:
    let_time_pass(hours=0)
    ProviderCall.objects.filter(next_attempt_at__isnull=False).update(
        next_attempt_at="2020-01-01T00:00Z"
    )


def test_forty_lost_answers_take_a_handful_of_reads(stripe: StripeSimulator) -> None:
    with earlier(stripe, hours=2):
        ids = a_bad_hour(stripe)
    before = reads(stripe)

    report = reconcile_due()

    assert resolutions(ids) == {"closed": 20, "refunded": 10, "not_created": 10}
    assert nothing_is_kept(stripe)
    assert report.unresolved == 0
    # Near, far, and after the undoing: one page each.
    assert reads(stripe) - before <= 4
    assert not Discrepancy.objects.exists()


def test_each_thing_is_undone_by_one_request(stripe: StripeSimulator) -> None:
    with earlier(stripe, hours=2):
        a_bad_hour(stripe, each=4)

    reconcile_due()
    reconcile_due()

    assert len(stripe.requests("payment_intents.cancel")) == 8
    assert len(stripe.requests("refunds.create")) == 4
    assert Refund.objects.filter(status="succeeded").count() == 4


def test_before_the_horizon_only_what_exists_is_concluded(stripe: StripeSimulator) -> None:
    made, never = lost(stripe, 5), lost(stripe, 5, kind="drop_before")
    _due_again()

    report = reconcile_due()

    assert resolutions(made) == {"closed": 5}
    assert resolutions(never) == {"": 5}
    assert report.unresolved == 5


def test_a_clock_that_is_ten_minutes_off_hides_nothing(stripe: StripeSimulator) -> None:
    stripe.advance(600)
    ids = lost(stripe, 5)
    _due_again()

    reconcile_due()

    assert resolutions(ids) == {"closed": 5}
    assert reads(stripe) <= 4


def test_what_has_a_reference_is_read_in_the_list_too(stripe: StripeSimulator) -> None:
    payments = [authorized_at_stripe(stripe) for _ in range(6)]
    stripe.fault("drop_after", "payment_intents.capture", times=None)
    stripe.fault("drop_before", "payment_intents.retrieve", times=None)  # the look within the act
    for payment in payments:
        capture_payment(payment)
    stripe.clear_faults()
    _due_again()
    before = reads(stripe)

    reconcile_due()

    assert {call.state for call in ProviderCall.objects.filter(kind="capture")} == {"succeeded"}
    assert reads(stripe) - before == 1


def test_one_alone_is_read_by_its_reference(stripe: StripeSimulator) -> None:
    payment = authorized_at_stripe(stripe)
    stripe.fault("drop_after", "payment_intents.capture", times=None)
    stripe.fault("drop_before", "payment_intents.retrieve", times=None)
    capture_payment(payment)
    stripe.clear_faults()
    _due_again()
    listed = len(stripe.requests("payment_intents.list"))

    reconcile_due()

    assert only_call("capture").state == "succeeded"
    assert len(stripe.requests("payment_intents.list")) == listed


def test_a_busy_shop_between_them_is_paged_through(stripe: StripeSimulator) -> None:
    with earlier(stripe, hours=2):
        first = lost(stripe, 3)
        for _ in range(250):
            stripe.foreign_intent(payment_method=None)
        last = lost(stripe, 3)

    report = reconcile_due()

    assert resolutions([*first, *last]) == {"closed": 6}
    assert report.unresolved == 0


def test_without_reads_left_nothing_is_spent(stripe: StripeSimulator, settings: Any) -> None:
    ids = lost(stripe, 3)
    _due_again()
    configure(settings, READS_PER_MINUTE=0)
    before = reads(stripe)

    report = reconcile_due()

    assert reads(stripe) == before
    assert report.unresolved == 3
    assert set(ProviderCall.objects.values_list("looks", flat=True)) == {0}
    assert not ProviderCall.objects.filter(leased_until__isnull=False).exists()

    configure(settings, READS_PER_MINUTE=600)
    reconcile_due()

    assert resolutions(ids) == {"closed": 3}


def test_a_provider_without_lists_is_asked_session_by_session(fake: StagedProvider) -> None:
    fake.script("initiate_payment", *[Indeterminate(code="lost")] * 3)
    for _ in range(3):
        with pytest.raises(PaymentIndeterminate):
            session_at(fake.id)
    _due_again()

    reconcile_due()

    assert len(fake.asked_for("lookup")) == 3


def test_another_object_of_the_session_is_not_taken_for_its_own(
    stripe: StripeSimulator, settings: Any
) -> None:
    sessions = [session_at(STRIPE) for _ in range(4)]
    stripe.foreign_intent(metadata={"session_id": sessions[0].pk})
    configure_stripe(settings, READ_TIMEOUT=5.0)
    for session in sessions:
        initiate = only_call("initiate", payment_session=session)
        ProviderCall.objects.filter(pk=initiate.pk).update(next_attempt_at="2020-01-01T00:00Z")

    reconcile_due()

    sessions[0].refresh_from_db()
    assert sessions[0].provider_reference == only_reference(stripe, sessions[0].pk)
    assert sessions[0].captured_minor == 0
    assert Discrepancy.objects.get().kind == "duplicate"


def only_reference(stripe: StripeSimulator, session_id: str) -> str:
    """Of the session's intents the one that the shop made: nobody has paid it."""
    lines = stripe.ledger()["intents"].values()
    (own,) = [each["id"] for each in lines if each["session_id"] == session_id and each["payable"]]
    return str(own)
