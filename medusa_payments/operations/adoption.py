"""Late success: a session that was set aside, and turns out to be paid, may pay after all.

Only where the shop's settings say so, and its collection is still unpaid and asks for just what
was paid. It is decided once, under the lock, before anything was asked to undo it (law 7).
"""

from __future__ import annotations

from enum import Enum

from medusa_payments import settings
from medusa_payments.models import Discrepancy, Payment, PaymentSession, Proposal
from medusa_payments.operations.automation import is_stopped
from medusa_payments.operations.calls import in_flight
from medusa_payments.operations.database import database_alias
from medusa_payments.operations.locking import LockedCollection
from medusa_payments.operations.schedule import next_look
from medusa_payments.operations.totals import counted, payment_totals
from medusa_payments.providers.registry import get_provider
from medusa_payments.statuses import (
    DeletedReason,
    DiscrepancyKind,
    ProposalState,
    ProviderState,
    Resolution,
)

_PAID = (ProviderState.HELD, ProviderState.CAPTURED)
_UNDECIDED = ("", Resolution.NOT_CREATED)
# The buyer is in the middle of paying, or has paid.
_BEING_PAID = (ProviderState.ACTION_REQUIRED, ProviderState.PROCESSING, *_PAID)


class LateSuccess(Enum):
    GIVE_BACK = "give back"  # as law 7 has it
    WAIT = "wait"  # for a look that was asked for
    ADOPT = "adopt"


def decide(
    locked: LockedCollection, session: PaymentSession, payment: Payment | None, *, looked: bool
) -> LateSuccess:
    """What is to become of a soft-deleted session.

    Decided from a lookup only, of it and of the collection's live session: nobody is to pay twice
    because an event was late.
    """
    if payment is None or not may_be_adopted(session) or _is_being_undone(locked, session):
        return LateSuccess.GIVE_BACK
    locked.flush()
    if not _is_owed(locked, session, payment):
        return LateSuccess.GIVE_BACK
    if is_stopped(session.provider_id):
        return _wait(locked, session)
    if not looked:
        locked.look_at(session)
        return LateSuccess.WAIT
    return _beside_live(locked, session)


def may_be_adopted(session: PaymentSession) -> bool:
    """Whether it is one of those for which the question arises, by its own row alone."""
    return (
        settings.LATE_SUCCESS == "adopt"
        and session.deleted_reason == DeletedReason.INDETERMINATE
        and session.provider_state in _PAID
        and session.resolution in _UNDECIDED
    )


def _is_being_undone(locked: LockedCollection, session: PaymentSession) -> bool:
    """It was decided otherwise: something was asked, or a person has agreed to it."""
    if any(call.is_undoing for call in locked.calls_of(session)):
        return True
    approved = Proposal.objects.using(database_alias()).filter(
        payment_session=session, state=ProposalState.APPROVED
    )
    return approved.exists()


def _is_owed(locked: LockedCollection, session: PaymentSession, payment: Payment) -> bool:
    """The collection is open and unpaid, and what came in is just what it asks for."""
    collection = locked.collection
    if collection.deleted or collection.canceled_at or collection.completed_at:
        return False
    sums = counted(collection)
    if sums.authorized_minor or sums.captured_minor:
        return False
    return _is_all_of_it(session, payment, collection.amount_minor, collection.currency_code)


def _is_all_of_it(
    session: PaymentSession, payment: Payment, amount_minor: int, currency_code: str
) -> bool:
    amounts = {session.amount_minor, session.provider_amount_minor, payment.amount_minor}
    is_held = session.provider_state == ProviderState.HELD and not session.captured_minor
    here = session.held_minor if is_held else session.captured_minor
    sums = payment_totals(payment)
    gone = sums.refunds_reserved_minor or sums.disputed_minor
    differs = Discrepancy.objects.using(database_alias()).filter(
        payment_session=session, kind__in=(DiscrepancyKind.CURRENCY, DiscrepancyKind.AMOUNT)
    )
    return (
        amounts == {amount_minor}
        and here == amount_minor
        and session.money_currency_code == currency_code
        and not gone
        and not differs.exists()
    )


def _beside_live(locked: LockedCollection, session: PaymentSession) -> LateSuccess:
    live = locked.live_session()
    if live is None:
        return LateSuccess.ADOPT
    if live.provider_state in _BEING_PAID or live.has_money or _is_busy(locked, live):
        return LateSuccess.GIVE_BACK
    if locked.live_was_seen or not is_readable(live):
        return LateSuccess.ADOPT
    if locked.live_was_seen is None:
        locked.look_at(session)
        return LateSuccess.WAIT
    return _wait(locked, session)  # the provider did not show it


def is_readable(live: PaymentSession) -> bool:
    """Whether the provider can show how the live session stands."""
    can_look_up = get_provider(live.provider_id).capabilities.can_look_up
    is_over = live.provider_state == ProviderState.CANCELED
    return bool(live.provider_reference) and can_look_up and not is_over


def _is_busy(locked: LockedCollection, live: PaymentSession) -> bool:
    """Something was asked about it, and the outcome is not known."""
    calls = locked.calls_of(live)
    return any(call.is_unresolved or in_flight(call, now=locked.now) for call in calls)


def _wait(locked: LockedCollection, session: PaymentSession) -> LateSuccess:
    initiate = locked.initiate_of(session)
    when = next_look(initiate.looks, now=locked.now)
    locked.change(initiate, "call.scheduled", next_attempt_at=when)
    return LateSuccess.WAIT
