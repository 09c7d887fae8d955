"""Changing what an unpaid session asks for, instead of starting another one for every change."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from medusa_payments.errors import (
    Conflict,
    NotAllowed,
    NotFound,
    PaymentIndeterminate,
    PaymentProviderUnavailable,
    UpdateRefused,
)
from medusa_payments.models import PaymentSession, ProviderCall
from medusa_payments.money import to_minor
from medusa_payments.operations.actors import SYSTEM, Actor
from medusa_payments.operations.calls import in_flight, lease_seconds, write_call
from medusa_payments.operations.database import database_alias, refuse_open_transaction
from medusa_payments.operations.locking import LockedCollection, under_lock
from medusa_payments.operations.performing import look, perform
from medusa_payments.operations.session_closing import reload_session, see_before_closing
from medusa_payments.operations.update_records import unresolved_update
from medusa_payments.providers.base import PaymentProvider
from medusa_payments.providers.registry import get_provider
from medusa_payments.providers.types import NOT_REACHED
from medusa_payments.redaction import redact
from medusa_payments.statuses import UNRESOLVED_CALLS, CallKind, CallState, ProviderState

_NOT_KNOWN = (
    "The payment provider did not answer, so we do not know yet whether the amount of your payment"
    " was changed. Nothing was charged; please try again in a moment."
)


def update_payment_session(
    session: PaymentSession,
    *,
    amount: Decimal | None = None,
    metadata: dict[str, Any] | None = None,
    actor: Actor = SYSTEM,
) -> PaymentSession:
    """Change the amount (major units) or our own metadata of a session that nobody has paid.

    An amount that is what the session asks for already asks nobody. The currency is its
    collection's. Safe to repeat.

    :raises InvalidAmount: not positive, or not a whole number of smallest units.
    :raises PaymentIndeterminate: the answer was lost. The session stays and is not handed out
        until reconciliation, or the same call again, has found out.
    :raises UpdateRefused: the provider said no; the session is as it was.
    :raises NotAllowed: the provider cannot change a payment, or it is paid or being paid.
    :raises PaymentProviderUnavailable: the provider cannot be reached; nothing was changed.
    :raises Conflict: the payment is being started or changed right now.
    :raises NotFound: the session was deleted.
    """
    refuse_open_transaction()
    if metadata is not None:
        session = _write_metadata(session, metadata, actor=actor)
    if amount is None:
        return session
    amount_minor = to_minor(amount, session.currency_code)
    provider = get_provider(session.provider_id)
    provider.check_amount(amount_minor, session.currency_code)
    resolve_update(session, actor=actor)
    see_before_closing(session, actor=actor)

    def work(locked: LockedCollection) -> ProviderCall | None:
        current = _live(locked, session)
        refuse_unresolved_update(locked, current)
        if current.amount_minor == amount_minor:
            return None
        _refuse_unless_updatable(locked, current, provider)
        return write_update(locked, current, amount_minor)

    call = under_lock(session.payment_collection_id, work, actor=actor)
    if call is None:
        return reload_session(session.pk)
    return perform_update(call, actor=actor)


def _write_metadata(
    session: PaymentSession, metadata: dict[str, Any], *, actor: Actor
) -> PaymentSession:
    def work(locked: LockedCollection) -> PaymentSession:
        current = _live(locked, session)
        locked.change(current, "session.described", metadata=metadata)
        return current

    return under_lock(session.payment_collection_id, work, actor=actor)


def _live(locked: LockedCollection, session: PaymentSession) -> PaymentSession:
    current = locked.session(session.pk)
    if not current.is_live:
        raise NotFound(f"PaymentSession id not found: {session.pk}")
    return current


def is_updatable(
    locked: LockedCollection, session: PaymentSession, provider: PaymentProvider
) -> bool:
    """Whether the provider can change what the session asks for: it is there, and not paid."""
    return (
        provider.supports("update_payment")
        and session.provider_state == ProviderState.PAYABLE
        and not session.failure_code  # declined when it was started; it is being closed
        and locked.initiate_of(session).is_final
    )


def _refuse_unless_updatable(
    locked: LockedCollection, session: PaymentSession, provider: PaymentProvider
) -> None:
    if in_flight(locked.initiate_of(session), now=locked.now):
        raise Conflict
    if not is_updatable(locked, session, provider):
        raise NotAllowed(
            f"Payment session {session.pk} is {session.status} at {provider.id} and cannot be"
            " changed; start another one."
        )


def is_same_but_for_amount(
    locked: LockedCollection,
    session: PaymentSession,
    provider: PaymentProvider,
    data: dict[str, Any],
    context: dict[str, Any] | None,
) -> bool:
    """Whether a session that is asked for now is the one that is there, whatever its amount."""
    asked = locked.initiate_of(session).arguments
    return (
        session.provider_id == provider.id
        and session.currency_code == locked.collection.currency_code
        and session.context == context
        and asked.get("data") == redact(data)
        and not provider.takes_money_at_once(data)
    )


def write_update(
    locked: LockedCollection, session: PaymentSession, amount_minor: int, *, call_id: str = ""
) -> ProviderCall:
    return write_call(
        locked,
        CallKind.UPDATE,
        session,
        arguments={
            "reference": session.provider_reference,
            "amount_minor": amount_minor,
            "currency_code": session.currency_code,
        },
        leased_for=lease_seconds(get_provider(session.provider_id)),
        call_id=call_id,
    )


def refuse_unresolved_update(locked: LockedCollection, session: PaymentSession) -> None:
    """
    :raises Conflict: it is being asked right now.
    :raises PaymentIndeterminate: it was, and the outcome is not known.
    """
    call = unresolved_update(locked, session)
    if call is None:
        return
    if in_flight(call, now=locked.now):
        raise Conflict
    raise PaymentIndeterminate(_NOT_KNOWN, session_id=session.pk, provider_id=session.provider_id)


def resolve_update(session: PaymentSession, *, actor: Actor) -> ProviderCall | None:
    """Take up an update of unknown outcome, so that what follows starts from known ground.

    Returns it, whatever came of it; None when there is none.
    """
    rows = ProviderCall.objects.using(database_alias())
    updates = rows.filter(payment_session=session, kind=CallKind.UPDATE)
    call: ProviderCall | None = updates.filter(state__in=UNRESOLVED_CALLS).first()
    if call is not None:
        look(call, actor=actor, may_send=True)
        call.refresh_from_db()
    return call


def perform_update(call: ProviderCall, *, actor: Actor) -> PaymentSession:
    """Ask for an update just written, or tell what became of one that was taken up.

    :raises PaymentIndeterminate, UpdateRefused, PaymentProviderUnavailable: see above.
    """
    if call.is_unresolved:
        perform(call, actor=actor)
        call.refresh_from_db()
    session = reload_session(call.payment_session_id)
    if call.state == CallState.SUCCEEDED:
        return session
    if call.state == CallState.FAILED:
        if call.failure_kind in NOT_REACHED:
            raise PaymentProviderUnavailable(session_id=session.pk)
        raise UpdateRefused(session_id=session.pk)
    raise PaymentIndeterminate(_NOT_KNOWN, session_id=session.pk, provider_id=session.provider_id)
