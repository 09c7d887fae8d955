"""The lock of an account holder, under which it and its calls are written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from django.db.models import F

from medusa_payments.errors import NotFound
from medusa_payments.models import AccountHolder, AccountHolderCall
from medusa_payments.operations import audit
from medusa_payments.operations.actors import Actor
from medusa_payments.operations.calls import intent
from medusa_payments.operations.database import DatabaseNow, database_alias
from medusa_payments.operations.locked import Locked, holding
from medusa_payments.statuses import UNRESOLVED_CALLS, AccountHolderCallKind

Result = TypeVar("Result")


class LockedHolder(Locked):
    """An account holder whose lock this transaction holds."""

    def __init__(self, holder: AccountHolder, *, now: datetime, actor: Actor, cause: str) -> None:
        super().__init__(now=now, actor=actor, cause=cause)
        self.holder = holder
        self.demanded: list[AccountHolderCall] = []

    def call(self, call_id: str) -> AccountHolderCall:
        rows = AccountHolderCall.objects.using(database_alias())
        call: AccountHolderCall = rows.get(pk=call_id)
        call.account_holder = self.holder
        return call

    def unresolved_calls(self) -> list[AccountHolderCall]:
        self.flush()
        rows = AccountHolderCall.objects.using(database_alias()).filter(
            account_holder=self.holder, state__in=UNRESOLVED_CALLS
        )
        return list(rows.order_by("pk"))

    def write_call(
        self,
        kind: AccountHolderCallKind,
        *,
        arguments: dict[str, Any],
        leased_for: float = 0.0,
    ) -> AccountHolderCall:
        """Write a call that will be asked after the commit (law 1)."""
        call: AccountHolderCall = self.add(
            AccountHolderCall(
                kind=kind,
                account_holder=self.holder,
                provider_id=self.holder.provider_id,
                **intent(arguments, now=self.now, leased_for=leased_for),
            ),
            f"holder_call.{kind}",
        )
        return call

    def discrepancy_links(self) -> dict[str, Any]:
        return {
            "account_holder": self.holder,
            "provider_id": self.holder.provider_id,
            "provider_reference": self.holder.external_id,
        }

    def close(self) -> None:
        """Write the audit entries and the head of the chain: the end of the transaction."""
        self.flush()
        if self._entries:
            audit.append(self.holder, self._entries)
            self.holder.save(update_fields=["audit_length", "audit_head"], using=database_alias())


def under_holder_lock(
    holder_id: str, work: Callable[[LockedHolder], Result], *, actor: Actor, cause: str = ""
) -> Result:
    """Run ``work`` holding the account holder's lock; see ``holding``.

    :raises NotFound: no such account holder.
    :raises OpenTransaction: the caller has a transaction open.
    """
    return holding(lambda: _lock(holder_id, actor=actor, cause=cause), work)


def _lock(holder_id: str, *, actor: Actor, cause: str) -> LockedHolder:
    rows = AccountHolder.all_objects.using(database_alias()).filter(pk=holder_id)
    if not rows.update(version=F("version") + 1):
        raise NotFound(f"AccountHolder id not found: {holder_id}")
    holder = rows.annotate(database_now=DatabaseNow()).get()
    return LockedHolder(holder, now=holder.database_now, actor=actor, cause=cause)


def under_new_holder(
    holder: AccountHolder, work: Callable[[LockedHolder], Result], *, actor: Actor
) -> Result:
    """Insert a holder and what ``work`` adds to it. Nobody knows its id yet, so there is no lock.

    :raises IntegrityError: somebody else has just made the customer's holder.
    """

    def insert() -> LockedHolder:
        locked = LockedHolder(holder, now=holder.created_at, actor=actor, cause="")
        locked.add(holder, "holder.requested")
        return locked

    return holding(insert, work)
