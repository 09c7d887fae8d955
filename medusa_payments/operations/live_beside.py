"""Reading a collection's live session before it is decided whether an earlier one is adopted."""

from __future__ import annotations

from medusa_payments.models import PaymentSession, ProviderCall
from medusa_payments.operations.actors import Actor
from medusa_payments.operations.adoption import is_readable, may_be_adopted
from medusa_payments.operations.database import database_alias
from medusa_payments.operations.findings import record_sighting
from medusa_payments.operations.lookups import look_up
from medusa_payments.operations.telling import tell_shop
from medusa_payments.providers.types import Found


def see_live_beside(
    session: PaymentSession, *, actor: Actor
) -> tuple[bool | None, tuple[ProviderCall, ...]]:
    """Whether the live session could be read, and what its record demands.

    None: it was not tried, because nothing is to be decided, or there is no such session.
    """
    if not may_be_adopted(session):
        return None, ()
    live = _live_session(session)
    if live is None or not is_readable(live):
        return None, ()
    result = look_up(live)
    if not isinstance(result, Found):
        return False, ()
    recorded = record_sighting(live, result.payment, actor=actor)
    tell_shop(recorded.carrier)
    return True, recorded.demanded


def _live_session(session: PaymentSession) -> PaymentSession | None:
    rows = PaymentSession.objects.using(database_alias())
    live: PaymentSession | None = rows.filter(
        live_collection_id=session.payment_collection_id
    ).first()
    return live
