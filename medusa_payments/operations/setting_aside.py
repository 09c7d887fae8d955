"""Law 5: a session whose initiate is indeterminate is soft-deleted, kept, and looked into."""

from __future__ import annotations

from typing import Any

from medusa_payments.models import PaymentSession, ProviderCall
from medusa_payments.operations.locking import LockedCollection
from medusa_payments.operations.schedule import next_look
from medusa_payments.redaction import without_client_secret
from medusa_payments.statuses import CallState, DeletedReason


def set_aside(locked: LockedCollection, session: PaymentSession, call: ProviderCall) -> None:
    """Hide the session from the shop; the buyer may start again at once."""
    if session.is_live:
        soft_delete(locked, session, DeletedReason.INDETERMINATE, indeterminate=True)
    else:  # replaced or deleted meanwhile; when and why stays
        locked.change(session, "session.indeterminate", indeterminate=True)
    locked.tell("session_indeterminate", session=session)
    if call.is_unresolved:
        locked.change(
            call,
            "call.indeterminate",
            state=CallState.INDETERMINATE,
            next_attempt_at=next_look(call.looks, now=locked.now),
        )


def soft_delete(
    locked: LockedCollection, session: PaymentSession, reason: DeletedReason, **also: Any
) -> None:
    """Soft-delete once: the row stays, and nobody can finish it with its secret any more."""
    locked.totals_changed = True
    locked.change(
        session,
        f"session.{reason}",
        deleted=locked.now,
        deleted_reason=reason,
        live_collection_id=None,
        data=without_client_secret(session.data),
        **also,
    )
