from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from medusa_payments.errors import (
    Conflict,
    InvalidData,
    NotAllowed,
    PaymentProviderUnavailable,
)
from medusa_payments.models import (
    AuditEntry,
    Discrepancy,
    LedgerFinding,
    LedgerScan,
    PaymentSession,
    ProviderCall,
    Refund,
)
from medusa_payments.providers.registry import get_provider
from medusa_payments.reconciliation import ledger_reading
from medusa_payments.reconciliation.ledger_scan import observe_ledger, scan_ledger
from medusa_payments.reconciliation.ledger_scans import held_scan
from medusa_payments.signals import discrepancy_opened
from medusa_payments.statuses import CallState, DiscrepancyState, LedgerScanState
from medusa_payments.testing.fake_ledger import FakePayment
from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.laws.fixtures import configure
from tests.laws.scenes import FAKE, STRIPE, SYSTEM, StagedProvider, listening, session_at
from tests.reconciliation.ledger_scenes import (
    END,
    START,
    Deal,
    deals,
    named,
    on_both_sides,
    only_here,
    only_there,
    plant,
    row_counts,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick")]


@pytest.fixture
def quick(shop: Any) -> None:
    """No test waits for a minute's budget of reads."""
    configure(shop, READS_PER_MINUTE=1_000_000)


def scan(**options: Any) -> Any:
    return scan_ledger(STRIPE, since=START, until=END, **options)


def open_discrepancies() -> list[tuple[str, str]]:
    rows = Discrepancy.objects.filter(state=DiscrepancyState.OPEN)
    return sorted(rows.values_list("kind", "provider_reference"))


def test_two_equal_sides_have_no_findings(stripe: StripeSimulator) -> None:
    on_both_sides(stripe, deals(40))

    report = scan()

    assert report.is_clean
    assert all(row["class"] == "matched" and row["there"] == row["here"] for row in report.totals)
    assert sum(row["objects"] for row in report.totals) == 40 + 32 + 4
    assert not Discrepancy.objects.exists()


def test_exactly_what_is_wrong_is_found(stripe: StripeSimulator) -> None:
    on_both_sides(stripe, deals(40))
    wrong = plant(stripe, first=200, each=1)

    report = scan()

    assert named(report) == wrong
    foreign = [row for row in report.totals if row["class"] == "foreign"]
    assert sum(row["objects"] for row in foreign) == 2  # an intent and its charge


def test_a_scan_that_observes_reports_the_same_and_writes_nothing(stripe: StripeSimulator) -> None:
    on_both_sides(stripe, deals(20))
    plant(stripe, first=200, each=1)
    before = row_counts()

    observed = observe_ledger(STRIPE, since=START, until=END)

    assert row_counts() == before
    assert observed == scan()


# Discrepancies


def test_each_wrong_thing_opens_one_discrepancy_that_a_second_scan_finds_open(
    stripe: StripeSimulator,
) -> None:
    held, canceled, second, lost, other, own = deals(6)
    (ghost,) = only_there(stripe, [held])
    only_there(stripe, [canceled], status="canceled")
    on_both_sides(stripe, [second])
    (doubled,) = only_there(stripe, [second])
    (gone,) = only_here([lost])
    (altered,) = on_both_sides(stripe, [other], captured=700)
    on_both_sides(stripe, [own])
    wrong = sorted(
        [
            ("ghost", ghost["id"]),
            ("duplicate", doubled["id"]),
            ("missing", gone["id"]),
            ("amount", altered["id"]),
        ]
    )

    with listening(discrepancy_opened) as told:
        scan()
        first = open_discrepancies()
        scan(restart=True)

    assert first == open_discrepancies() == wrong
    assert Discrepancy.objects.count() == len(told) == 4
    at_risk = dict(Discrepancy.objects.values_list("kind", "amount_minor"))
    assert at_risk == {
        "ghost": held.amount_minor,
        "duplicate": second.amount_minor,
        "missing": lost.amount_minor,
        "amount": other.amount_minor - 700,
    }
    entries = AuditEntry.objects.filter(action="discrepancy.opened")
    assert {(each.actor, each.door) for each in entries} == {("ledger_scan", "sweep")}
    assert len(entries) == 3  # a ghost belongs to nobody's trail


def test_what_a_later_scan_finds_right_is_closed_by_that(stripe: StripeSimulator) -> None:
    ghost_deal, second, held_there, missing = deals(4)
    (ghost,) = only_there(stripe, [ghost_deal])
    on_both_sides(stripe, [second])
    (doubled,) = only_there(stripe, [second])
    (captured_late,) = on_both_sides(stripe, [held_there], status="requires_capture")
    (gone,) = only_here([missing])
    scan()
    assert len(open_discrepancies()) == 4

    stripe.dashboard_refund(ghost["id"])
    stripe.dashboard_refund(doubled["id"])
    stripe.dashboard_capture(captured_late["id"])
    (found,) = only_there(stripe, [missing])
    PaymentSession.all_objects.filter(provider_reference=gone["id"]).update(
        provider_reference=found["id"]
    )
    scan()

    assert open_discrepancies() == []
    closed = Discrepancy.objects.filter(state=DiscrepancyState.CLOSED)
    assert {(row.closed_by, bool(row.closing_reason)) for row in closed} == {("ledger_scan", True)}
    assert len(closed) == 4


def test_a_ghost_that_a_webhook_has_shown_is_not_reported_twice(stripe: StripeSimulator) -> None:
    (deal,) = deals(1)
    (ghost,) = only_there(stripe, [deal])
    shown = Discrepancy.objects.create(
        kind="ghost",
        open_key=f"ghost:{deal.session_id}",
        provider_reference=ghost["id"],
        detail="A webhook showed it.",
    )

    scan()

    assert list(Discrepancy.objects.all()) == [shown]
    assert {each.discrepancy_id for each in LedgerFinding.objects.all()} == {shown.pk}


# What cannot be compared yet


def test_what_is_young_is_not_called_wrong(stripe: StripeSimulator) -> None:
    (deal,) = deals(1)
    a_moment_ago = timezone.now() - timedelta(minutes=2)
    young = _moved(deal, a_moment_ago)
    on_both_sides(stripe, [young], amount=9_000)

    report = scan_ledger(STRIPE, since=a_moment_ago - timedelta(hours=1))

    assert {row["class"] for row in report.findings} == {"not_comparable"}
    assert not Discrepancy.objects.exists()


def test_what_reconciliation_is_at_work_on_is_not_called_wrong(stripe: StripeSimulator) -> None:
    one, other = deals(2)
    on_both_sides(stripe, [one], captured=600)
    on_both_sides(stripe, [other])
    ProviderCall.objects.update(
        state=CallState.INDETERMINATE, evidence="", next_attempt_at=timezone.now()
    )

    report = scan()

    payments = [row["class"] for row in report.totals if row["object"] == "payment"]
    assert payments == ["not_comparable"] * len(payments)
    assert not Discrepancy.objects.exists()


def test_a_lost_initiate_is_told_though_no_list_shows_it(stripe: StripeSimulator) -> None:
    (deal,) = deals(1)
    only_here([deal])
    PaymentSession.all_objects.update(provider_reference="", provider_state="", evidence="")
    ProviderCall.objects.update(
        state=CallState.INDETERMINATE, evidence="", next_attempt_at=timezone.now()
    )

    (finding,) = scan().findings

    assert (finding["class"], finding["record"]) == ("not_comparable", deal.session_id)


def test_an_update_in_flight_is_no_difference_of_amount(stripe: StripeSimulator) -> None:
    stripe.advance(-7_200)
    session = session_at(STRIPE)
    stripe.advance(7_200)
    long_ago = timezone.now() - timedelta(hours=2)
    PaymentSession.all_objects.update(created_at=long_ago, amount_minor=20_000)
    initiate = ProviderCall.objects.get()
    ProviderCall.objects.create(
        kind="update",
        provider_id=STRIPE,
        state=CallState.OPEN,
        arguments={"amount_minor": 20_000},
        arguments_digest="",
        payment_collection=initiate.payment_collection,
        payment_session=session,
        next_attempt_at=timezone.now(),
    )

    (finding,) = scan_ledger(STRIPE, since=long_ago - timedelta(hours=1)).findings

    assert finding["class"] == "not_comparable"


# Both clocks, both orders


def test_a_record_made_by_a_clock_that_is_nine_minutes_off_is_matched_without_a_read(
    stripe: StripeSimulator,
) -> None:
    edges = [START + timedelta(days=days) for days in (1, 3, 7)]  # of windows that grow
    beside = [edge + timedelta(minutes=minutes) for edge in edges for minutes in (-3, 3)]
    made = [_moved(deal, moment) for deal, moment in zip(deals(6), beside, strict=True)]
    on_both_sides(stripe, made)
    for number, session in enumerate(PaymentSession.all_objects.order_by("created_at")):
        off = timedelta(minutes=-9 if number % 2 else 9)
        PaymentSession.all_objects.filter(pk=session.pk).update(created_at=session.created_at + off)
    for refund in Refund.objects.all():
        Refund.objects.filter(pk=refund.pk).update(
            created_at=refund.created_at + timedelta(minutes=9)
        )

    report = scan()

    assert report.is_clean
    assert stripe.requests("payment_intents.retrieve") == []


def test_an_object_made_long_after_its_record_is_looked_up_and_not_missing(
    stripe: StripeSimulator,
) -> None:
    (deal,) = deals(1)
    on_both_sides(stripe, [deal])
    PaymentSession.all_objects.update(created_at=START + timedelta(days=20))

    report = scan()

    assert report.is_clean
    assert len(stripe.requests("payment_intents.retrieve")) == 1


def test_objects_of_every_variant_of_an_account_are_matched(
    stripe: StripeSimulator, shop: Any
) -> None:
    providers = dict(shop.MEDUSA_PAYMENTS["PROVIDERS"])
    providers["pp_stripe-ideal_stripe"] = {
        "BACKEND": "medusa_payments.providers.stripe.variants.StripeIdealProvider",
        "OPTIONS": providers[STRIPE]["OPTIONS"],
    }
    configure(shop, PROVIDERS=providers)
    on_both_sides(stripe, deals(4))
    ours = PaymentSession.all_objects.order_by("pk")
    PaymentSession.all_objects.filter(pk=ours[0].pk).update(provider_id="pp_stripe-ideal_stripe")

    assert scan().is_clean
    assert scan_ledger("pp_stripe-ideal_stripe", since=START, until=END, restart=True).is_clean


def test_a_window_that_is_too_full_is_read_in_parts(fake: StagedProvider) -> None:
    crowd = [START + timedelta(seconds=number) for number in range(60)]
    for moment in crowd:
        one = FakePayment(session_id="", amount_minor=100, currency_code="eur", created_at=moment)
        fake.payments[one.reference] = one

    report = scan_ledger(FAKE, since=START, until=END)

    assert [row["objects"] for row in report.totals] == [60]
    lengths = [each.created_until - each.created_from for each in fake.asked_for("list_ledger")]
    assert min(lengths) < timedelta(minutes=1) < max(lengths)


# Interrupted


def test_a_scan_that_gets_no_answers_keeps_what_it_read_and_goes_on(
    stripe: StripeSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_reading, "_PAUSES", ())
    on_both_sides(stripe, deals(30))
    plant(stripe, first=100, each=1)
    expected = observe_ledger(STRIPE, since=START, until=END)
    stripe.fault("html_502_before", "payment_intents.list", times=None, after=4)

    with pytest.raises(PaymentProviderUnavailable, match="goes on where"):
        scan()
    cut_short = LedgerScan.objects.get()
    stripe.clear_faults()
    report = scan()

    assert cut_short.watermark is not None
    assert START < cut_short.watermark < END
    assert LedgerScan.objects.get().state == LedgerScanState.FINISHED
    assert report == expected


def test_a_record_just_before_the_watermark_is_judged_by_the_scan_that_goes_on(
    stripe: StripeSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_reading, "_PAUSES", ())
    edge = START + timedelta(days=1)
    lost, kept = deals(2)
    (gone,) = only_here([_moved(lost, edge - timedelta(minutes=4))])
    on_both_sides(stripe, [_moved(kept, edge - timedelta(minutes=3))])
    stripe.fault("html_502_before", "payment_intents.list", times=None, after=2)
    with pytest.raises(PaymentProviderUnavailable):
        scan()
    assert LedgerScan.objects.get().watermark == edge
    stripe.clear_faults()

    report = scan()

    assert named(report) == {("payment", "missing", gone["id"])}
    assert len(stripe.requests("payment_intents.retrieve")) == 1


def test_a_scan_can_be_begun_anew(stripe: StripeSimulator) -> None:
    on_both_sides(stripe, deals(3))
    with held_scan(get_provider(STRIPE), since=START, until=END, restart=False) as held:
        first = held.row

    scan(restart=True)

    states = list(LedgerScan.objects.order_by("pk").values_list("state", flat=True))
    assert states == [LedgerScanState.ABANDONED, LedgerScanState.FINISHED]
    assert LedgerScan.objects.order_by("pk").first() == first


def test_two_processes_do_not_scan_the_same_at_once(stripe: StripeSimulator, shop: Any) -> None:
    configure(shop, LEASE_SECONDS=0.5)
    provider = get_provider(STRIPE)
    held = held_scan(provider, since=START, until=END, restart=False)

    taken_over = held_scan(provider, since=START, until=END, restart=False)

    with pytest.raises(Conflict, match="taken this scan over"):
        held._write(leased_until=None)
    assert taken_over.row == held.row


def test_the_next_scan_begins_where_things_were_too_young(stripe: StripeSimulator) -> None:
    scan()

    scan_ledger(STRIPE, until=END + timedelta(days=1))

    latest = LedgerScan.objects.order_by("-pk")[0]
    assert latest.since == END - timedelta(hours=1) - timedelta(minutes=10)


# Refusals


def test_what_cannot_be_scanned_is_refused_and_nothing_is_written(stripe: StripeSimulator) -> None:
    tomorrow = timezone.now() + timedelta(days=1)

    with pytest.raises(NotAllowed, match="does not list"):
        scan_ledger(SYSTEM, since=START)
    with pytest.raises(InvalidData, match="Say since when"):
        scan_ledger(STRIPE)
    with pytest.raises(InvalidData, match="after its end"):
        scan_ledger(STRIPE, since=END, until=START)
    with pytest.raises(InvalidData, match="future"):
        scan_ledger(STRIPE, since=START, until=tomorrow)

    assert not LedgerScan.objects.exists()


def test_another_providers_ledger_can_be_scanned(fake: StagedProvider) -> None:
    session = session_at(FAKE)
    fake.pay(session.provider_reference)
    long_ago = timezone.now() - timedelta(days=3)
    fake.payments[session.provider_reference].created_at = long_ago
    PaymentSession.all_objects.update(created_at=long_ago)

    (finding,) = scan_ledger(FAKE, since=long_ago - timedelta(days=1)).findings

    assert (finding["class"], finding["reference"]) == ("status", session.provider_reference)


def test_a_foreign_object_that_cannot_be_read_stops_nothing(stripe: StripeSimulator) -> None:
    one, other = deals(2)
    only_there(stripe, [one], currency="isk", amount=1_234, metadata={}, refunds=[])
    on_both_sides(stripe, [other])

    report = scan()

    assert report.is_clean
    assert sum(row["objects"] for row in report.totals if row["class"] == "foreign") == 2


def _moved(deal: Deal, moment: datetime) -> Deal:
    return Deal(**{**vars(deal), "created": int(moment.astimezone(UTC).timestamp())})
