"""What was done in the provider's dashboard while its events were lost."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from benchmarks.reconciliation.truth import differences, money_differences
from medusa_payments.models import (
    Capture,
    Discrepancy,
    LedgerScan,
    PaymentSession,
    Proposal,
    Refund,
)
from medusa_payments.operations.actors import Actor
from medusa_payments.operations.captures import capture_payment
from medusa_payments.operations.proposals import approve_proposal
from medusa_payments.providers.registry import get_provider
from medusa_payments.providers.types import LookupRequest, LookupResult
from medusa_payments.reconciliation.ledger_scan import scan_ledger
from medusa_payments.reconciliation.ledger_scans import HeldScan
from medusa_payments.reconciliation.sweep import reconcile_due
from medusa_payments.signals import payment_captured, payment_refunded
from medusa_payments.statuses import Door
from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.laws.fixtures import configure
from tests.laws.scenes import (
    STRIPE,
    Crash,
    authorized_at_stripe,
    breaks,
    collection_of,
    listening,
    reloaded,
)

from .scenes import nothing_is_kept

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def _old_enough(shop: Any, stripe: StripeSimulator) -> None:
    """Nothing is too young to tell."""
    configure(shop, NOT_FOUND_HORIZON=0)
    stripe.advance(-120)


def _scan(**options: Any) -> Any:
    return scan_ledger(STRIPE, since=timezone.now() - timedelta(hours=1), **options)


@pytest.mark.usefixtures("_old_enough")
def test_what_was_captured_and_refunded_there_is_recorded_as_it_is(
    stripe: StripeSimulator,
) -> None:
    held, taken = authorized_at_stripe(stripe), authorized_at_stripe(stripe)
    capture_payment(taken)
    stripe.dashboard_capture(held.payment_session.provider_reference)
    stripe.dashboard_refund(taken.payment_session.provider_reference, 1000)
    reconcile_due()
    assert money_differences(stripe)  # no event came, and nothing was due

    with listening(payment_captured) as captured, listening(payment_refunded) as refunded:
        report = _scan(imports=True)

    assert money_differences(stripe) == []
    assert Capture.objects.get(payment=held).is_external
    assert Refund.objects.get(payment=taken).is_external
    assert [facts["payment"].pk for facts in captured] == [held.pk]
    assert [facts["payment"].pk for facts in refunded] == [taken.pk]
    assert not report.is_clean  # what was found stays told
    told = Discrepancy.objects.filter(state="open")
    assert all("not here; it is recorded" in each.detail for each in told)
    assert breaks(held.payment_collection) == breaks(taken.payment_collection) == []
    assert _scan(restart=True, imports=True).is_clean


@pytest.mark.usefixtures("_old_enough")
def test_without_it_a_scan_only_tells(stripe: StripeSimulator) -> None:
    held = authorized_at_stripe(stripe)
    stripe.dashboard_capture(held.payment_session.provider_reference)

    _scan()

    assert not Capture.objects.exists()
    assert Discrepancy.objects.filter(state="open").exists()


GHOST = "payses_01M88XV0DS0000000000000001"
ACT = {"MODE": "act", "KIND": "ghost"}


def _ghost(stripe: StripeSimulator, session_id: str = GHOST, **options: Any) -> str:
    intent = stripe.foreign_intent(metadata={"session_id": session_id}, **options)
    return str(intent["id"])


def _restored() -> list[PaymentSession]:
    return list(PaymentSession.all_objects.all())


@pytest.mark.usefixtures("_old_enough")
@pytest.mark.parametrize(
    ("options", "resolution"),
    [
        ({}, "refunded"),
        ({"capture_method": "manual"}, "closed"),
        ({"payment_method": None}, "closed"),
    ],
    ids=["taken", "held", "payable"],
)
def test_a_ghost_is_undone_where_a_policy_says_so(
    stripe: StripeSimulator, settings: Any, options: dict[str, Any], resolution: str
) -> None:
    configure(settings, POLICIES=(ACT,))
    _ghost(stripe, **options)

    _scan(imports=True)

    (session,) = _restored()
    assert (session.pk, session.resolution) == (GHOST, resolution)
    assert session.deleted_reason == "indeterminate"
    assert nothing_is_kept(stripe)
    assert differences(stripe) == []
    assert _scan(restart=True, imports=True).is_clean
    assert len(_restored()) == 1


@pytest.mark.usefixtures("_old_enough")
@pytest.mark.parametrize(
    "policies", [(), ({"MODE": "act"},), ({"MODE": "observe", "KIND": "ghost"},)], ids=str
)
def test_without_such_a_policy_a_ghost_is_only_told(
    stripe: StripeSimulator, settings: Any, policies: tuple[Any, ...]
) -> None:
    """After an old backup was restored every paid order is one."""
    configure(settings, POLICIES=policies)
    _ghost(stripe)

    _scan(imports=True)

    assert _restored() == []
    assert Discrepancy.objects.get(state="open").kind == "ghost"
    assert not nothing_is_kept(stripe)


@pytest.mark.usefixtures("_old_enough")
def test_a_ghost_may_be_proposed_and_a_person_decides(
    stripe: StripeSimulator, settings: Any
) -> None:
    configure(settings, POLICIES=({"MODE": "propose", "KIND": "ghost"},))
    _ghost(stripe)
    _scan(imports=True)
    assert not nothing_is_kept(stripe)

    proposal = Proposal.objects.get()
    approve_proposal(proposal, actor=Actor("ann", Door.ADMIN), reason="Nobody ordered it.")

    assert nothing_is_kept(stripe)
    assert _restored()[0].resolution == "refunded"


@pytest.mark.usefixtures("_old_enough")
def test_a_mark_that_was_never_ours_is_left_alone(stripe: StripeSimulator, settings: Any) -> None:
    configure(settings, POLICIES=(ACT,))
    _ghost(stripe, session_id="somebody-elses")

    _scan(imports=True)

    assert _restored() == []
    assert not nothing_is_kept(stripe)


@pytest.mark.usefixtures("_old_enough")
def test_a_scan_that_dies_between_import_and_save_leaves_nothing_undone(
    stripe: StripeSimulator, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(settings, POLICIES=(ACT,))
    held = authorized_at_stripe(stripe)
    stripe.dashboard_capture(held.payment_session.provider_reference)
    _ghost(stripe)
    with monkeypatch.context() as dying:
        dying.setattr(HeldScan, "save", _die)
        with pytest.raises(Crash):
            _scan(imports=True)
    LedgerScan.objects.update(leased_until=None)

    _scan(imports=True)

    assert money_differences(stripe) == []
    assert not [each for each in stripe.ledger()["intents"].values() if each["held"]]
    assert Refund.objects.filter(status="succeeded").count() == 1
    assert len(stripe.requests("refunds.create")) == 1


@pytest.mark.usefixtures("_old_enough")
def test_what_cannot_be_imported_holds_up_nothing(
    stripe: StripeSimulator, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(settings, POLICIES=(ACT,))
    broken = _ghost(stripe, session_id=f"{GHOST[:-1]}2")
    _ghost(stripe)
    provider = get_provider(STRIPE)
    lookup, asked = provider.lookup, Counter[str]()

    def breaks_at_the_second_look(request: LookupRequest) -> LookupResult:
        asked[request.reference] += 1
        if request.reference == broken and asked[broken] > 1:
            raise RuntimeError("a defect of the provider's")
        return lookup(request)

    monkeypatch.setattr(provider, "lookup", breaks_at_the_second_look)

    _scan(imports=True)

    assert [session.pk for session in _restored()] == [GHOST]
    assert _restored()[0].resolution == "refunded"


@pytest.mark.usefixtures("_old_enough")
def test_a_collection_that_is_not_a_ghosts_is_left_alone(
    stripe: StripeSimulator, settings: Any
) -> None:
    configure(settings, POLICIES=(ACT,))
    beside = GHOST.replace("payses_", "pay_col_")
    collection = collection_of(collection_id=beside)
    _ghost(stripe)

    _scan(imports=True)

    assert _restored() == []
    assert reloaded(collection).canceled_at is None


@pytest.mark.usefixtures("_old_enough")
def test_a_scan_is_a_run_of_its_own_for_the_caps(stripe: StripeSimulator, settings: Any) -> None:
    configure(settings, POLICIES=(ACT,), CAPS={"RUN": {"ACTS": 1}})
    for number in range(3):
        _ghost(stripe, session_id=f"{GHOST[:-1]}{number}")

    _scan(imports=True)

    assert len(stripe.requests("refunds.create")) == 1


def _die(*args: Any, **kwargs: Any) -> None:
    raise Crash
