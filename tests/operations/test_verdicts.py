"""What a person says of a call of unknown outcome counts, with their name, until there is proof."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from medusa_payments.errors import (
    AlreadyDecided,
    CaptureRefused,
    Conflict,
    InvalidData,
    NotAllowed,
    PaymentCanceled,
    PersonRequired,
    SecondWord,
)
from medusa_payments.models import (
    AuditEntry,
    Capture,
    Discrepancy,
    Payment,
    Proposal,
    ProviderCall,
    Refund,
)
from medusa_payments.operations.actors import SWEEP, SYSTEM, Actor
from medusa_payments.operations.cancellations import cancel_payment
from medusa_payments.operations.captures import capture_payment
from medusa_payments.operations.proposals import approve_proposal, reject_proposal
from medusa_payments.operations.refunds import refund_payment
from medusa_payments.operations.verdicts import give_verdict
from medusa_payments.providers.types import (
    Failed,
    FailureKind,
    Indeterminate,
    NoAnswer,
    ProviderRefund,
)
from medusa_payments.reconciliation.sweep import reconcile_all, reconcile_due
from medusa_payments.signals import payment_captured, payment_refunded
from medusa_payments.statuses import Door, MovementStatus, Verdict
from tests.laws.scenes import (
    AMOUNT_MINOR,
    FAKE_SINGLE,
    StagedProvider,
    authorized_at,
    breaks,
    captured_at,
    let_leases_end,
    let_time_pass,
    listening,
    only_call,
    reloaded,
)
from tests.operations.ghosts import ANN, BOB, amend, set_aside_at

pytestmark = pytest.mark.django_db(transaction=True)

_ACTS: dict[str, Any] = {
    "capture": (authorized_at, capture_payment),
    "refund": (captured_at, refund_payment),
    "cancel": (authorized_at, cancel_payment),
}


def _uncertain(fake: StagedProvider, kind: str, *, executes: bool = False) -> ProviderCall:
    """The answer was lost, and the look after it told nothing."""
    prepare, act = _ACTS[kind]
    payment = prepare(fake, fake.id)
    fake.script(f"{kind}_payment", Indeterminate(), executes=executes)
    fake.script("lookup", NoAnswer())
    act(payment)
    call = only_call(kind)
    assert call.state == "indeterminate"
    return call


def _say(call: ProviderCall, verdict: Verdict, actor: Actor = ANN) -> Proposal:
    return give_verdict(
        call, verdict=verdict, actor=actor, reason="Support says so.", proof="Case 4711"
    )


def _overturned() -> list[str]:
    rows = Discrepancy.objects.filter(kind="status", open_key__endswith=":overturned")
    return list(rows.values_list("severity", flat=True))


@pytest.mark.parametrize("kind", _ACTS)
@pytest.mark.parametrize("verdict", Verdict)
def test_a_verdict_is_recorded_with_its_evidence_and_persons(
    kind: str, verdict: Verdict, fake: StagedProvider
) -> None:
    call = _uncertain(fake, kind)
    asked = len(fake.asked)

    proposal = _say(call, verdict)

    call = reloaded(call)
    assert (proposal.kind, proposal.state, proposal.verdict) == ("verdict", "done", verdict)
    assert (proposal.reason, proposal.proof) == ("Support says so.", "Case 4711")
    assert call.state == ("succeeded" if verdict == Verdict.HAPPENED else "failed")
    assert (call.evidence, call.evidence_reference, call.is_provisional) == (
        "operator",
        "ann",
        True,
    )
    assert AuditEntry.objects.filter(action=f"call.{call.state}", actor="ann").exists()
    assert len(fake.asked) == asked
    assert breaks(call.payment_collection) == []


@pytest.mark.parametrize(
    ("kind", "verdict", "totals"),
    [
        ("capture", Verdict.HAPPENED, ("completed", AMOUNT_MINOR, AMOUNT_MINOR, 0)),
        ("capture", Verdict.NOT_HAPPENED, ("authorized", AMOUNT_MINOR, 0, 0)),
        ("refund", Verdict.HAPPENED, ("completed", AMOUNT_MINOR, AMOUNT_MINOR, AMOUNT_MINOR)),
        ("refund", Verdict.NOT_HAPPENED, ("completed", AMOUNT_MINOR, AMOUNT_MINOR, 0)),
        ("cancel", Verdict.HAPPENED, ("awaiting", 0, 0, 0)),
        ("cancel", Verdict.NOT_HAPPENED, ("authorized", AMOUNT_MINOR, 0, 0)),
    ],
)
def test_totals_follow_the_verdict(
    kind: str, verdict: Verdict, totals: tuple[Any, ...], fake: StagedProvider
) -> None:
    call = _uncertain(fake, kind)

    _say(call, verdict)

    row = reloaded(call.payment_collection)
    assert totals == (row.status, row.authorized_minor, row.captured_minor, row.refunded_minor)
    assert bool(Payment.objects.get().is_canceled) == (
        (kind, verdict) == ("cancel", Verdict.HAPPENED)
    )


@pytest.mark.parametrize("provider", [pytest.param("fake", marks=pytest.mark.slow), "fake_single"])
@pytest.mark.parametrize("kind", _ACTS)
@pytest.mark.parametrize("executes", [True, False])
def test_what_the_provider_shows_later_overrides_a_false_verdict_loudly(
    provider: str, kind: str, executes: bool, request: pytest.FixtureRequest
) -> None:
    fake: StagedProvider = request.getfixturevalue(provider)
    call = _uncertain(fake, kind, executes=executes)
    _say(call, Verdict.NOT_HAPPENED if executes else Verdict.HAPPENED)

    let_time_pass(hours=2)  # a listing without it is believed after the horizon
    initiate = ProviderCall.objects.filter(kind="initiate")
    initiate.update(next_attempt_at=only_call("initiate").created_at)
    reconcile_due()

    call = reloaded(call)
    ledger = fake.payment_of(call.payment_session_id)
    payment = Payment.objects.get()
    assert call.state == ("succeeded" if executes else "failed")
    assert call.evidence == "lookup"
    assert _overturned() == ["critical"]
    row = reloaded(call.payment_collection)
    assert (row.captured_minor, row.refunded_minor) == (
        ledger.captured_minor,
        ledger.refunded_minor,
    )
    assert payment.is_canceled == (ledger.state == "canceled")
    assert payment.is_captured == (ledger.captured_minor == AMOUNT_MINOR)
    assert breaks(call.payment_collection) == []


@pytest.mark.parametrize("kind", _ACTS)
@pytest.mark.parametrize("executes", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_a_true_verdict_is_confirmed_in_silence(
    kind: str, executes: bool, fake_single: StagedProvider
) -> None:
    call = _uncertain(fake_single, kind, executes=executes)
    with listening(payment_captured) as captured, listening(payment_refunded) as refunded:
        _say(call, Verdict.HAPPENED if executes else Verdict.NOT_HAPPENED)
        let_time_pass(hours=2)
        initiate = ProviderCall.objects.filter(kind="initiate")
        initiate.update(next_attempt_at=only_call("initiate").created_at)
        reconcile_due()

    call = reloaded(call)
    assert call.state == ("succeeded" if executes else "failed")
    assert len(captured) == (executes and kind == "capture")
    assert len(refunded) == (executes and kind == "refund")
    assert not Discrepancy.objects.exists()
    assert breaks(call.payment_collection) == []


def test_a_refund_that_the_provider_reports_as_failed_overrides_the_verdict(
    fake: StagedProvider,
) -> None:
    call = _uncertain(fake, "refund")
    _say(call, Verdict.HAPPENED)
    fake.payment_of(call.payment_session_id).refunds.append(
        ProviderRefund(
            reference="re_1",
            refund_id=str(call.refund_id),
            amount_minor=AMOUNT_MINOR,
            status=MovementStatus.FAILED,
        )
    )

    ProviderCall.objects.filter(kind="initiate").update(next_attempt_at=call.created_at)
    reconcile_due()

    assert Refund.objects.get().status == "failed"
    assert _overturned() == ["critical"]
    assert reloaded(call.payment_collection).refunded_minor == 0


def test_what_was_said_not_to_have_happened_may_be_asked_again(fake: StagedProvider) -> None:
    call = _uncertain(fake, "refund")
    _say(call, Verdict.NOT_HAPPENED)

    refund = refund_payment(call.payment)

    assert refund.status == "succeeded"
    assert fake.payment_of(call.payment_session_id).refunded_minor == AMOUNT_MINOR


def test_above_the_limit_a_verdict_waits_for_another_person(
    fake: StagedProvider, shop: Any
) -> None:
    amend(shop, TWO_PERSONS_ABOVE={"eur": Decimal("100")})
    call = _uncertain(fake, "capture")

    proposal = _say(call, Verdict.HAPPENED)
    waiting = reloaded(call)
    with pytest.raises(SecondWord):
        approve_proposal(proposal, actor=ANN, reason="Again.")
    with pytest.raises(NotAllowed, match=proposal.pk):
        _say(call, Verdict.NOT_HAPPENED, BOB)
    done = approve_proposal(proposal, actor=BOB, reason="I saw it too.")

    assert (proposal.state, proposal.approvals_needed) == ("open", 2)
    assert waiting.state == "indeterminate"
    assert (done.state, done.open_key) == ("done", None)
    assert reloaded(call).evidence_reference == "ann, bob"
    assert Capture.objects.get().status == "succeeded"
    assert breaks(call.payment_collection) == []


def test_a_rejected_verdict_changes_nothing(fake: StagedProvider, shop: Any) -> None:
    amend(shop, TWO_PERSONS_ABOVE={"eur": Decimal("100")})
    call = _uncertain(fake, "capture", executes=True)
    proposal = _say(call, Verdict.NOT_HAPPENED)

    reject_proposal(proposal, actor=BOB, reason="The dashboard shows it.")
    before = reloaded(call).state
    reconcile_all()

    assert before == "indeterminate"
    assert reloaded(call).state == "succeeded"
    assert breaks(call.payment_collection) == []


def test_evidence_that_comes_first_closes_a_waiting_verdict(
    fake: StagedProvider, shop: Any
) -> None:
    amend(shop, TWO_PERSONS_ABOVE={"eur": Decimal("100")})
    call = _uncertain(fake, "capture", executes=True)
    proposal = _say(call, Verdict.NOT_HAPPENED)

    reconcile_all()

    assert reloaded(proposal).state == "done"
    assert (reloaded(call).state, reloaded(call).evidence) == ("succeeded", "lookup")
    with pytest.raises(AlreadyDecided):
        approve_proposal(proposal, actor=BOB, reason="r")
    assert breaks(call.payment_collection) == []


def test_a_verdict_is_a_persons_with_reason_and_proof(fake: StagedProvider) -> None:
    call = _uncertain(fake, "capture")

    for actor in (SYSTEM, SWEEP, Actor("", Door.ADMIN)):
        with pytest.raises(PersonRequired):
            _say(call, Verdict.HAPPENED, actor)
    for words in ({"reason": "", "proof": "p"}, {"reason": "r", "proof": " "}):
        with pytest.raises(InvalidData, match="Say the"):
            give_verdict(call, verdict=Verdict.HAPPENED, actor=ANN, **words)

    assert not Proposal.objects.exists()
    assert reloaded(call).state == "indeterminate"


def test_what_is_known_or_being_asked_needs_no_verdict(fake: StagedProvider) -> None:
    call = _uncertain(fake, "capture")
    known = only_call("initiate")

    with pytest.raises(AlreadyDecided, match="succeeded"):
        _say(known, Verdict.NOT_HAPPENED)
    ProviderCall.objects.filter(pk=call.pk).update(leased_until=call.created_at.replace(year=2999))
    with pytest.raises(Conflict, match="now"):
        _say(call, Verdict.HAPPENED)

    assert not Proposal.objects.exists()


def test_a_start_that_a_person_says_made_nothing_is_not_created_until_proof_comes(
    fake: StagedProvider,
) -> None:
    session = set_aside_at(fake)

    _say(only_call("initiate"), Verdict.NOT_HAPPENED)
    said = reloaded(session).resolution
    fake.pay(fake.payment_of(session.pk).reference, capture=True)
    fake.tell(fake.payment_of(session.pk).reference)

    assert said == "not_created"
    assert reloaded(session).resolution == "refunded"
    assert _overturned() == ["critical"]
    assert fake.payment_of(session.pk).refunded_minor == AMOUNT_MINOR
    assert breaks(session.payment_collection) == []


def test_a_start_that_a_person_says_happened_is_looked_for_loudly(fake: StagedProvider) -> None:
    session = set_aside_at(fake)
    found = fake.payments.pop(fake.payment_of(session.pk).reference)

    _say(only_call("initiate"), Verdict.HAPPENED)
    (told,) = Discrepancy.objects.all()
    let_time_pass(hours=25)
    reconcile_due()
    still = reloaded(session).resolution
    fake.payments[found.reference] = found
    fake.pay(found.reference)
    let_time_pass(hours=25)
    reconcile_due()

    assert (told.kind, told.severity) == ("undo_blocked", "critical")
    assert still == ""
    assert reloaded(session).resolution == "closed"
    assert reloaded(told).state == "closed"
    assert breaks(session.payment_collection) == []


def test_a_start_that_a_crash_left_open_is_set_aside_by_its_verdict(fake: StagedProvider) -> None:
    session = set_aside_at(fake)
    ProviderCall.objects.filter(kind="initiate").update(state="open")
    let_leases_end()

    _say(only_call("initiate"), Verdict.NOT_HAPPENED)

    assert reloaded(session).resolution == "not_created"


def test_a_payment_that_was_not_canceled_after_all_can_be_captured(
    fake_single: StagedProvider,
) -> None:
    call = _uncertain(fake_single, "cancel")
    payment = call.payment
    _say(call, Verdict.HAPPENED)
    with pytest.raises(PaymentCanceled):
        capture_payment(payment)

    ProviderCall.objects.filter(kind="initiate").update(next_attempt_at=call.created_at)
    reconcile_due()

    assert not reloaded(payment).is_canceled
    capture_payment(reloaded(payment))
    assert fake_single.payment_of(call.payment_session_id).captured_minor == AMOUNT_MINOR


def test_a_call_that_a_dead_process_left_open_is_uncertain_once_a_person_speaks_of_it(
    fake: StagedProvider, shop: Any
) -> None:
    """So that evidence that comes before the second person closes the verdict."""
    amend(shop, TWO_PERSONS_ABOVE={"eur": Decimal("100")})
    call = _uncertain(fake, "capture", executes=True)
    ProviderCall.objects.filter(pk=call.pk).update(state="open")
    Capture.objects.update(status="requested")

    proposal = _say(call, Verdict.NOT_HAPPENED)
    between = reloaded(call).state, Capture.objects.get().status
    reconcile_all()

    assert between == ("indeterminate", "indeterminate")
    assert (reloaded(call).state, reloaded(proposal).state) == ("succeeded", "done")
    assert breaks(call.payment_collection) == []


def test_an_answer_that_comes_after_a_persons_word_is_looked_into(
    fake_single: StagedProvider,
) -> None:
    """The process that asked was slow, not dead."""
    payment = authorized_at(fake_single, FAKE_SINGLE)

    def meanwhile(request: Any) -> None:
        let_leases_end()
        _say(only_call("capture"), Verdict.HAPPENED)

    fake_single.script("capture_payment", Failed(kind=FailureKind.REFUSED))
    fake_single.before["capture_payment"] = meanwhile
    with pytest.raises(CaptureRefused):
        capture_payment(payment)

    assert (only_call("capture").state, Capture.objects.get().status) == ("failed", "failed")
    assert _overturned() == ["critical"]
    assert not reloaded(payment).is_captured
    assert breaks(payment.payment_collection) == []
