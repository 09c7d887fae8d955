"""Ghosts: objects at the provider with our mark, of which there is no record here.

A restored record is that of a session that was set aside: whatever the object holds then goes back
by law 7, within the shop's policies, caps and kill switch. Nothing of it pays for anything.
"""

from __future__ import annotations

import re
from datetime import datetime

from medusa_payments.ids import id_beside
from medusa_payments.models import PaymentCollection, PaymentSession, ProviderCall
from medusa_payments.money import to_major
from medusa_payments.operations.actors import Actor
from medusa_payments.operations.calls import digest
from medusa_payments.operations.collections import create_payment_collection
from medusa_payments.operations.database import database_alias
from medusa_payments.operations.locking import LockedCollection, under_lock
from medusa_payments.operations.restored import RESTORED
from medusa_payments.providers.types import ProviderPayment
from medusa_payments.statuses import CallKind, CallState, DeletedReason, Evidence

_OWN_ID = re.compile(rf"{PaymentSession.ID_PREFIX}_[0-9A-Z]{{26}}")


def restore_ghost(
    session_id: str,
    seen: ProviderPayment,
    *,
    provider_id: str,
    created_at: datetime,
    actor: Actor,
) -> PaymentSession | None:
    """Write the record that is missing, as of a session that was set aside. Safe to repeat.

    ``seen`` is what the provider shows by the object's id, with ``session_id`` as its mark. None:
    the mark is none that a session of ours ever had, or its place is taken.
    """
    if seen.session_id != session_id or not _OWN_ID.fullmatch(session_id):
        return None
    collection = create_payment_collection(
        amount=to_major(seen.amount_minor, seen.currency_code),
        currency_code=seen.currency_code,
        metadata=RESTORED,
        collection_id=id_beside(PaymentCollection.ID_PREFIX, session_id),
        actor=actor,
    )
    if collection.metadata != RESTORED:
        return None

    def work(locked: LockedCollection) -> None:
        rows = PaymentSession.all_objects.using(database_alias())
        if not rows.filter(pk=session_id).exists():
            _write(locked, session_id, seen, provider_id=provider_id, created_at=created_at)

    under_lock(collection.pk, work, actor=actor, cause=f"restored:{seen.reference}"[:255])
    session: PaymentSession = PaymentSession.all_objects.using(database_alias()).get(pk=session_id)
    return session


def _write(
    locked: LockedCollection,
    session_id: str,
    seen: ProviderPayment,
    *,
    provider_id: str,
    created_at: datetime,
) -> None:
    """Nobody is to pay the collection, and its initiate is over: it is never sent."""
    locked.change(locked.collection, "collection.cancel_requested", canceled_at=locked.now)
    session = locked.add(
        PaymentSession(
            id=session_id,
            payment_collection=locked.collection,
            provider_id=provider_id,
            currency_code=seen.currency_code,
            amount_minor=seen.amount_minor,
            metadata=RESTORED,
            created_at=created_at,
            deleted=locked.now,
            deleted_reason=DeletedReason.INDETERMINATE,
            indeterminate=True,
            provider_reference=seen.reference,
        ),
        "session.restored",
    )
    arguments = {"amount_minor": seen.amount_minor, "currency_code": seen.currency_code}
    locked.add(
        ProviderCall(
            kind=CallKind.INITIATE,
            payment_collection=locked.collection,
            payment_session=session,
            provider_id=provider_id,
            state=CallState.SUCCEEDED,
            evidence=Evidence.LOOKUP,
            evidence_reference=locked.cause,
            arguments=arguments,
            arguments_digest=digest(arguments),
            first_sent_at=created_at,
            last_sent_at=created_at,
            next_attempt_at=locked.now,
        ),
        "call.restored",
    )
    locked.totals_changed = True
