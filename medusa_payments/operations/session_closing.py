"""Closing a session: looking at what it holds first, soft-deleting it, undoing what is left."""

from __future__ import annotations

from medusa_payments.errors import PaymentProviderUnavailable
from medusa_payments.models import PaymentSession
from medusa_payments.operations.actors import Actor
from medusa_payments.operations.database import database_alias
from medusa_payments.operations.locking import LockedCollection
from medusa_payments.operations.performing import perform_demanded
from medusa_payments.operations.recording import Recorded, finish
from medusa_payments.operations.setting_aside import soft_delete
from medusa_payments.operations.sightings import see
from medusa_payments.operations.telling import tell_shop
from medusa_payments.operations.undoing import plan
from medusa_payments.providers.types import NoAnswer
from medusa_payments.statuses import DeletedReason, ProviderState


def see_before_closing(session: PaymentSession, *, actor: Actor) -> None:
    """Read the provider's object, so that nothing paid is closed by mistake.

    :raises PaymentProviderUnavailable: it cannot be read; nothing was changed.
    """
    if not session.provider_reference or session.provider_state == ProviderState.CANCELED:
        return
    result = see(session, actor=actor)
    if isinstance(result, NoAnswer) and result.code != "not_supported":
        raise PaymentProviderUnavailable(
            "The payment provider cannot be reached, so the earlier payment session was kept."
            " Nothing was changed; please try again in a moment.",
            session_id=session.pk,
        )


def close_session(
    locked: LockedCollection, session: PaymentSession, reason: DeletedReason
) -> Recorded:
    """Soft-delete a session and demand that its object at the provider is closed."""
    soft_delete(locked, session, reason)
    payment = getattr(session, "payment", None) if session.authorized_at else None
    plan(locked, session, payment, looked=False, is_asked=not locked.actor.is_automatic)
    return finish(locked, locked.initiate_of(session))


def follow(recorded: Recorded, *, actor: Actor) -> None:
    tell_shop(recorded.carrier)
    perform_demanded(recorded.demanded, actor=actor)


def reload_session(session_id: str) -> PaymentSession:
    rows = PaymentSession.all_objects.using(database_alias())
    session: PaymentSession = rows.select_related("payment_collection").get(pk=session_id)
    return session
