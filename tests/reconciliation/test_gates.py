"""The budget of reads and the breaker, shared by all workers."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from medusa_payments.errors import AccountHolderIndeterminate, PaymentIndeterminate
from medusa_payments.models import AccountHolderCall, Discrepancy, ProviderCall, ProviderGate
from medusa_payments.operations.account_holders import create_account_holder
from medusa_payments.providers.batches import BatchAnswer, LookupBatch
from medusa_payments.providers.registry import get_provider
from medusa_payments.providers.types import Indeterminate, NoAnswer
from medusa_payments.reconciliation.gates import Gate
from medusa_payments.reconciliation.sweep import reconcile_all, reconcile_due
from medusa_payments.signals import discrepancy_opened
from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.laws.fixtures import configure
from tests.laws.scenes import (
    FAKE,
    STRIPE,
    StagedProvider,
    breaks,
    collection_of,
    listening,
    only_session,
    session_at,
)

from .scenes import lost, nothing_is_kept, reads, resolutions

pytestmark = pytest.mark.django_db(transaction=True)


def _make_due() -> None:
    ProviderCall.objects.filter(next_attempt_at__isnull=False).update(
        next_attempt_at="2020-01-01T00:00Z"
    )


def _let_the_pause_end() -> None:
    ProviderGate.objects.filter(open_until__isnull=False).update(
        open_until=timezone.now() - timedelta(seconds=1)
    )


def _at_once(work: Callable[[], int], workers: int) -> list[int]:
    def run(_: int) -> int:
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(run, range(workers)))


@pytest.fixture
def gate(fake: StagedProvider) -> Gate:
    return Gate(get_provider(FAKE))


# The budget


def test_a_minute_has_so_many_reads(gate: Gate, settings: Any) -> None:
    configure(settings, READS_PER_MINUTE=25)

    assert [gate.grant(10) for _ in range(4)] == [10, 10, 5, 0]


def test_what_was_not_needed_is_given_back(gate: Gate, settings: Any) -> None:
    configure(settings, READS_PER_MINUTE=25)
    gate.grant(25)

    gate.give_back(20)

    assert gate.grant(100) == 20


def test_the_next_minute_has_its_own(gate: Gate, settings: Any) -> None:
    configure(settings, READS_PER_MINUTE=25)
    gate.grant(25)
    ProviderGate.objects.update(window_started_at=timezone.now() - timedelta(seconds=61))

    assert gate.grant(100) == 25


def test_parallel_workers_stay_within_the_budget(fake: StagedProvider, settings: Any) -> None:
    configure(settings, READS_PER_MINUTE=50)

    granted = _at_once(lambda: Gate(get_provider(FAKE)).grant(9), workers=8)

    assert sum(granted) == 50
    assert ProviderGate.objects.get().reads == 50


# The breaker


def test_it_opens_after_so_many_failures_in_a_row(gate: Gate) -> None:
    assert gate.lets_through() is None

    assert [gate.failed("no_answer") for _ in range(3)] == [False, False, True]
    assert gate.lets_through() == 0


def test_an_answer_in_between_starts_the_count_again(gate: Gate) -> None:
    gate.failed("no_answer")
    gate.failed("no_answer")
    gate.answered()

    assert gate.failed("no_answer") is False


def test_when_the_pause_is_over_one_worker_tries_one_lookup(
    gate: Gate, fake: StagedProvider
) -> None:
    for _ in range(3):
        gate.failed("no_answer")
    _let_the_pause_end()

    tries = _at_once(lambda: int(Gate(get_provider(FAKE)).lets_through() or 0), workers=8)

    assert sorted(tries) == [0] * 7 + [1]


def test_pauses_grow_and_an_answer_ends_them(gate: Gate) -> None:
    for _ in range(20):
        gate.failed("no_answer")
    until = ProviderGate.objects.get().open_until
    assert until is not None
    assert timedelta(seconds=290) < until - timezone.now() < timedelta(seconds=310)

    gate.answered()

    assert gate.lets_through() is None
    assert ProviderGate.objects.get().failures == 0


def test_two_providers_of_one_account_share_a_gate(stripe: StripeSimulator) -> None:
    provider = get_provider(STRIPE)

    Gate(provider).grant(1)

    assert ProviderGate.objects.get().credentials == provider.credentials
    assert "sk_test" not in ProviderGate.objects.get().credentials


# A provider that is down


@pytest.mark.parametrize(
    "kind", ["drop_before", pytest.param("rate_limit", marks=pytest.mark.slow)]
)
def test_an_outage_spends_no_looks_and_floods_nobody(stripe: StripeSimulator, kind: str) -> None:
    ids = lost(stripe, 6)
    stripe.fault(kind, "*", times=None)
    for _ in range(6):
        _make_due()
        _let_the_pause_end()
        reconcile_due()

    # The breaker was closed for two failures; each batch's look counted for all of it.
    assert max(ProviderCall.objects.values_list("looks", flat=True)) <= 2
    assert not Discrepancy.objects.exists()
    asked = reads(stripe)
    _make_due()
    assert reconcile_due().unresolved == 6
    assert reads(stripe) == asked  # it is left alone

    stripe.clear_faults()
    _let_the_pause_end()
    _make_due()
    reconcile_due()

    assert resolutions(ids) == {"closed": 6}
    assert nothing_is_kept(stripe)


def test_a_long_outage_is_told_once_and_closed_by_the_first_answer(
    stripe: StripeSimulator,
) -> None:
    lost(stripe, 3)
    stripe.fault("drop_before", "*", times=None)
    with listening(discrepancy_opened) as told:
        for _ in range(5):
            _make_due()
            _let_the_pause_end()
            reconcile_due()
        assert not told
        ProviderGate.objects.update(opened_at=timezone.now() - timedelta(hours=2))
        reconcile_due()
        reconcile_due()

    (discrepancy,) = Discrepancy.objects.all()
    assert [facts["discrepancy"].pk for facts in told] == [discrepancy.pk]
    assert discrepancy.kind == "unresolved"
    assert "has not answered since" in discrepancy.detail

    stripe.clear_faults()
    _let_the_pause_end()
    _make_due()
    reconcile_due()

    discrepancy.refresh_from_db()
    assert discrepancy.state == "closed"
    assert discrepancy.closing_reason == "The provider answers again."
    assert breaks(discrepancy.payment_collection) == []


def test_a_person_can_try_at_once_while_the_breaker_is_open(stripe: StripeSimulator) -> None:
    ids = lost(stripe, 3)
    for _ in range(3):
        Gate(get_provider(STRIPE)).failed("no_answer")
    _make_due()
    assert reconcile_due().unresolved == 3

    reconcile_all()

    assert resolutions(ids) == {"closed": 3}


def test_one_provider_that_is_down_does_not_hold_up_another(
    stripe: StripeSimulator, fake: StagedProvider
) -> None:
    lost(stripe, 2)
    for _ in range(3):
        Gate(get_provider(STRIPE)).failed("no_answer")
    session = _lost_at(fake)
    _make_due()

    reconcile_due()

    assert resolutions([session]) == {"closed": 1}


def test_a_provider_that_breaks_does_not_hold_up_another(
    stripe: StripeSimulator, fake: StagedProvider
) -> None:
    """Providers are worked on in the order of their ids."""
    lost(stripe, 2)
    broken = _lost_at(fake)

    def lookup_many(batch: LookupBatch) -> BatchAnswer:
        raise RuntimeError("a defect of the provider's")

    fake.lookup_many = lookup_many  # type: ignore[method-assign]
    _make_due()

    report = reconcile_due()

    assert report.unresolved == 1
    assert resolutions([broken]) == {"": 1}
    assert ProviderGate.objects.get(provider_id=FAKE).failures == 1


def test_calls_about_account_holders_wait_too(fake: StagedProvider) -> None:
    fake.script("create_account_holder", Indeterminate(code="lost"))
    fake.script("lookup_account_holder", NoAnswer())
    with pytest.raises(AccountHolderIndeterminate):
        create_account_holder(provider_id=FAKE, customer={"id": "c1", "email": "ann@example.com"})
    looks = AccountHolderCall.objects.get().looks
    AccountHolderCall.objects.update(next_attempt_at="2020-01-01T00:00Z")
    for _ in range(3):
        Gate(fake).failed("no_answer")

    reconcile_due()

    call = AccountHolderCall.objects.get()
    assert (call.state, call.looks) == ("indeterminate", looks)


def _lost_at(fake: StagedProvider) -> str:
    fake.script("initiate_payment", Indeterminate(code="lost"), executes=True)
    collection = collection_of()
    with pytest.raises(PaymentIndeterminate):
        session_at(FAKE, collection)
    return str(only_session(collection).pk)
