"""Sessions that were set aside and turn out to hold money, and the persons who decide on them."""

from __future__ import annotations

from typing import Any

import pytest

from medusa_payments.errors import PaymentIndeterminate
from medusa_payments.models import PaymentCollection, PaymentSession
from medusa_payments.operations.actors import Actor
from medusa_payments.providers.types import Indeterminate, ProviderRefund
from medusa_payments.reconciliation.sweep import reconcile_due
from medusa_payments.statuses import Door, MovementStatus
from tests.laws.scenes import (
    FAKE,
    StagedProvider,
    collection_of,
    let_time_pass,
    reloaded,
    session_at,
)

ANN = Actor("ann", Door.ADMIN)
BOB = Actor("bob", Door.COMMAND)


def amend(shop: Any, **changes: Any) -> None:
    """Change settings without building the providers anew: the fake keeps its ledger."""
    shop.MEDUSA_PAYMENTS.update(changes)


def set_aside_at(
    fake: StagedProvider, collection: PaymentCollection | None = None
) -> PaymentSession:
    """The answer to its start was lost; the provider has made it."""
    collection = collection or collection_of()
    fake.script("initiate_payment", Indeterminate(), executes=True)
    with pytest.raises(PaymentIndeterminate):
        session_at(FAKE, collection)
    session: PaymentSession = PaymentSession.deleted_objects.filter(
        payment_collection=collection
    ).latest("created_at")
    return session


def pay(fake: StagedProvider, session: PaymentSession, state: str) -> None:
    if state != "payable":
        fake.pay(fake.payment_of(session.pk).reference, capture=state == "captured")


def refunded_elsewhere(fake: StagedProvider, session: PaymentSession, amount_minor: int) -> None:
    """Somebody gives back a part in the provider's dashboard."""
    fake.payment_of(session.pk).refunds.append(
        ProviderRefund(
            reference="re_of_the_dashboard",
            amount_minor=amount_minor,
            status=MovementStatus.SUCCEEDED,
        )
    )


def ghost_at(
    fake: StagedProvider, state: str = "captured", collection: PaymentCollection | None = None
) -> PaymentSession:
    """One that was set aside, paid all the same, and seen by a sweep."""
    session = set_aside_at(fake, collection)
    pay(fake, session, state)
    sweep_when_due()
    found: PaymentSession = reloaded(session)
    return found


def sweep_when_due() -> None:
    """One run of the sweep, after the first interval of the schedule."""
    let_time_pass(seconds=11)
    reconcile_due()
