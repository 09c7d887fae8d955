"""What was done in the provider's dashboard while its events were lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from benchmarks.reconciliation.truth import money_differences
from medusa_payments.models import Capture, Discrepancy, Refund
from medusa_payments.operations.captures import capture_payment
from medusa_payments.reconciliation.ledger_scan import scan_ledger
from medusa_payments.reconciliation.sweep import reconcile_due
from medusa_payments.signals import payment_captured, payment_refunded
from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.laws.fixtures import configure
from tests.laws.scenes import STRIPE, authorized_at_stripe, breaks, listening

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
