"""What a call that happened, or was refused, makes of its account holder."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from medusa_payments.models import AccountHolderCall
from medusa_payments.operations.database import database_alias
from medusa_payments.operations.discrepancies import close_by_evidence, open_discrepancy
from medusa_payments.operations.holder_locking import LockedHolder
from medusa_payments.providers.registry import get_provider
from medusa_payments.providers.types import Json
from medusa_payments.redaction import redact
from medusa_payments.statuses import (
    AccountHolderCallKind,
    AccountHolderState,
    CallState,
    DiscrepancyKind,
    Evidence,
)


def accept(
    locked: LockedHolder, call: AccountHolderCall, data: Json, *, evidence: Evidence
) -> None:
    """The call happened. ``data`` is what the provider answered, secrets included."""
    if call.state == CallState.SUCCEEDED:
        return  # told before; a newer call may have followed
    reference = str(data.get("id") or "")[:255]
    _write_end(locked, call, CallState.SUCCEEDED, evidence, provider_reference=reference)
    if write := _WRITERS.get(AccountHolderCallKind(call.kind)):
        write(locked, call, reference, redact(dict(data)))


def refuse(locked: LockedHolder, call: AccountHolderCall, *, evidence: Evidence) -> None:
    """The provider said no, so nothing happened."""
    _write_end(locked, call, CallState.FAILED, evidence)
    holder = locked.holder
    if call.kind == AccountHolderCallKind.CREATE and holder.state == AccountHolderState.REQUESTED:
        locked.change(holder, "holder.failed", state=AccountHolderState.FAILED)
    if call.kind == AccountHolderCallKind.DELETE:
        open_discrepancy(
            locked,
            DiscrepancyKind.UNDO_BLOCKED,
            about=holder.pk,
            detail=f"The provider refused to forget {holder.external_id}, which is deleted here.",
            account_holder_call=call,
        )


def follow_deletion(locked: LockedHolder) -> None:
    """A holder that was deleted before the provider's id of it was known is deleted there too."""
    holder = locked.holder
    if holder.state != AccountHolderState.DELETING or locked.unresolved_calls():
        return
    if not holder.external_id:
        locked.change(holder, "holder.deleted", state=AccountHolderState.DELETED)
    elif not _was_asked(locked):
        if get_provider(holder.provider_id).supports("delete_account_holder"):
            call = locked.write_call(AccountHolderCallKind.DELETE, arguments={})
            locked.demanded.append(call)
        else:
            locked.change(holder, "holder.deleted", state=AccountHolderState.DELETED)


def _was_asked(locked: LockedHolder) -> bool:
    rows = AccountHolderCall.objects.using(database_alias())
    return rows.filter(account_holder=locked.holder, kind=AccountHolderCallKind.DELETE).exists()


def _write_end(
    locked: LockedHolder,
    call: AccountHolderCall,
    state: CallState,
    evidence: Evidence,
    **also: Any,
) -> None:
    if call.state != state:
        locked.change(
            call, f"call.{state}", state=state, evidence=evidence, next_attempt_at=None, **also
        )


def _created(
    locked: LockedHolder, call: AccountHolderCall, reference: str, data: dict[str, Any]
) -> None:
    holder = locked.holder
    if not reference:
        _keeps_none(locked)
    elif holder.external_id and holder.external_id != reference:
        open_discrepancy(
            locked,
            DiscrepancyKind.DUPLICATE,
            about=call.pk,
            detail=f"The provider made {reference} beside {holder.external_id}.",
            account_holder_call=call,
        )
    else:
        is_live = holder.deleted is None
        locked.change(
            holder,
            "holder.active" if is_live else "holder.seen",
            external_id=reference,
            live_external_id=reference if is_live else None,
            state=AccountHolderState.ACTIVE if is_live else AccountHolderState.DELETING,
            data=data,
        )


def _keeps_none(locked: LockedHolder) -> None:
    """An empty answer makes no holder (Medusa)."""
    locked.change(
        locked.holder,
        "holder.failed",
        state=AccountHolderState.FAILED,
        deleted=locked.holder.deleted or locked.now,
        live_customer_reference=None,
    )


def _updated(
    locked: LockedHolder, call: AccountHolderCall, reference: str, data: dict[str, Any]
) -> None:
    holder = locked.holder
    email = call.arguments["customer"].get("email") or holder.email
    locked.change(holder, "holder.updated", email=email, data={**holder.data, **data})


def _deleted(
    locked: LockedHolder, call: AccountHolderCall, reference: str, data: dict[str, Any]
) -> None:
    locked.change(locked.holder, "holder.deleted", state=AccountHolderState.DELETED)
    close_by_evidence(
        locked,
        DiscrepancyKind.UNDO_BLOCKED,
        about=locked.holder.pk,
        reason="The provider has forgotten it.",
    )


_WRITERS: dict[
    AccountHolderCallKind,
    Callable[[LockedHolder, AccountHolderCall, str, dict[str, Any]], None],
] = {
    AccountHolderCallKind.CREATE: _created,
    AccountHolderCallKind.UPDATE: _updated,
    AccountHolderCallKind.DELETE: _deleted,
}
