"""What is known of updates: whether the provider's object asks for what the session shall ask for.

While that is not known the object is not handed out: its secret is taken out of the session's
data, and a look brings it back. Money that comes in at the old amount is recorded as it came.
"""

from __future__ import annotations

from medusa_payments.models import PaymentSession, ProviderCall
from medusa_payments.operations import movements
from medusa_payments.operations.calls import in_flight
from medusa_payments.operations.discrepancies import open_discrepancy
from medusa_payments.operations.locking import LockedCollection
from medusa_payments.providers.registry import get_provider
from medusa_payments.providers.types import ProviderPayment
from medusa_payments.redaction import CLIENT_SECRET, without_client_secret
from medusa_payments.statuses import (
    OPEN_PROVIDER_STATES,
    CallKind,
    CallState,
    DiscrepancyKind,
    Evidence,
    ProviderState,
)

_NOTHING_TAKEN = (*OPEN_PROVIDER_STATES, ProviderState.CANCELED)
_PAID_OR_CLOSED = (ProviderState.HELD, ProviderState.CAPTURED, ProviderState.CANCELED)


def unresolved_update(locked: LockedCollection, session: PaymentSession) -> ProviderCall | None:
    """A session has at most one: the next is not asked before it is resolved."""
    updates = (call for call in locked.calls_of(session) if call.kind == CallKind.UPDATE)
    return next((call for call in updates if call.is_unresolved), None)


def is_expected(locked: LockedCollection, session: PaymentSession, seen: ProviderPayment) -> bool:
    """Whether the provider's object may ask for the amount that was seen.

    An event may be older than an update; money may come in at what is being asked right now.
    """
    if seen.amount_minor == session.amount_minor:
        return True
    asked = [
        call
        for call in locked.calls_of(session)
        if call.kind in (CallKind.INITIATE, CallKind.UPDATE)
        and call.arguments.get("amount_minor") == seen.amount_minor
    ]
    if seen.state in _NOTHING_TAKEN:
        return bool(asked)
    return any(call.kind == CallKind.UPDATE and call.is_unresolved for call in asked)


def accept_update(
    locked: LockedCollection, session: PaymentSession, call: ProviderCall, *, evidence: Evidence
) -> None:
    """The provider's object asks for the new amount. Told twice it counts once: a newer update may
    have followed."""
    if call.is_final:
        return
    amount_minor = call.arguments["amount_minor"]
    locked.totals_changed = True
    locked.change(
        session, "session.updated", amount_minor=amount_minor, provider_amount_minor=amount_minor
    )
    _end(locked, session, call, CallState.SUCCEEDED, evidence=evidence)


def refuse_update(
    locked: LockedCollection, session: PaymentSession, call: ProviderCall, *, evidence: Evidence
) -> None:
    """The provider's object asks for the old amount, and will not for the new one."""
    _end(locked, session, call, CallState.FAILED, evidence=evidence)
    if session.has_money:
        open_discrepancy(
            locked,
            DiscrepancyKind.AMOUNT,
            about=call.pk,
            detail=(
                f"The buyer paid session {session.pk} while its amount was being changed, at the"
                " amount before the change."
            ),
            session=session,
            amount_minor=abs(call.arguments["amount_minor"] - session.amount_minor),
            provider_call=call,
        )


def conclude_update(
    locked: LockedCollection, session: PaymentSession, *, evidence: Evidence
) -> None:
    """End an update whose answer was lost, when the object's state tells what became of it."""
    call = unresolved_update(locked, session)
    if call is None:
        return
    if not session.has_money and in_flight(call, now=locked.now):
        return  # its own answer decides, so that no later update is asked beside it
    if session.provider_amount_minor == call.arguments["amount_minor"]:
        accept_update(locked, session, call, evidence=evidence)
    elif session.provider_state in _PAID_OR_CLOSED:
        refuse_update(locked, session, call, evidence=evidence)
    else:
        withhold(locked, session)  # a look shows the secret; it is not known what it would pay


def withhold(locked: LockedCollection, session: PaymentSession) -> None:
    """Nobody shall pay an object of which it is not known what it asks for."""
    locked.change(session, "session.withheld", data=without_client_secret(session.data))


def _end(
    locked: LockedCollection,
    session: PaymentSession,
    call: ProviderCall,
    state: CallState,
    *,
    evidence: Evidence,
) -> None:
    is_owed = call.is_unresolved and CLIENT_SECRET not in session.data and _can_look(session)
    movements.finish_call(locked, call, state, evidence=evidence)
    if is_owed and session.is_live and session.provider_state in OPEN_PROVIDER_STATES:
        locked.look_at(session)


def _can_look(session: PaymentSession) -> bool:
    return get_provider(session.provider_id).capabilities.can_look_up
