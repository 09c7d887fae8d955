"""The lock of a payment collection, under which every money state is written.

The lock is a write, and the first statement of its transaction: ``SELECT ... FOR UPDATE`` does
nothing on SQLite, and any read before the write sees a stale snapshot under REPEATABLE READ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any, TypeVar

from django.db.models import F

from medusa_payments.errors import NotFound
from medusa_payments.models import (
    Capture,
    PaymentCollection,
    PaymentSession,
    ProviderCall,
    Refund,
)
from medusa_payments.operations import audit, totals
from medusa_payments.operations.actors import Actor
from medusa_payments.operations.database import DatabaseNow, database_alias
from medusa_payments.operations.locked import Locked, holding
from medusa_payments.statuses import CallKind, CallState

Result = TypeVar("Result")

_looks_wait_until: ContextVar[datetime | None] = ContextVar("looks wait until", default=None)


@contextmanager
def looks_wait(until: datetime) -> Iterator[None]:
    """Looks that are demanded in here are this caller's own until then, and anybody's after that.

    A sweep makes one batch of them; others that run at the same time would take them one by one.
    """
    token = _looks_wait_until.set(until)
    try:
        yield
    finally:
        _looks_wait_until.reset(token)


class LockedCollection(Locked):
    """A payment collection whose lock this transaction holds.

    ``demand`` collects what the record asks for; the caller performs it after the commit.
    """

    def __init__(self, collection: PaymentCollection, *, actor: Actor, cause: str) -> None:
        now: datetime = collection.database_now  # type: ignore[attr-defined]
        super().__init__(now=now, actor=actor, cause=cause)
        self.collection = collection
        self.demanded: list[ProviderCall] = []
        self.totals_changed = False
        self.ignores_schedule = False  # a person asked for the sweep to try everything now
        # How the collection's live session stands was read just before; None: nobody tried to.
        self.live_was_seen: bool | None = None
        self.needs_look: list[PaymentSession] = []
        self.owners: dict[str, str] = {}  # by reference: the other session that has it, or none
        self._calls: dict[str, dict[str, ProviderCall]] = {}
        self._totals_before = collection.money_state()

    def add(self, row: Any, action: str) -> Any:
        super().add(row, action)
        if isinstance(row, ProviderCall) and row.payment_session_id in self._calls:
            self._calls[row.payment_session_id][row.pk] = row
        return row

    def discrepancy_links(self) -> dict[str, Any]:
        return {
            "payment_collection": self.collection,
            "currency_code": self.collection.currency_code,
        }

    def session(self, session_id: str) -> PaymentSession:
        """A session of this collection, soft-deleted or not, read together with its calls."""
        if calls := [] if session_id in self._calls else self._read_calls(session_id):
            session: PaymentSession = calls[0].payment_session
        else:
            rows = PaymentSession.all_objects.using(database_alias())
            session = rows.get(pk=session_id, payment_collection=self.collection)
        session.payment_collection = self.collection
        return session

    def calls_of(self, session: PaymentSession) -> list[ProviderCall]:
        """The session's calls, oldest first; the same objects every time."""
        return self._calls_of(session.pk)

    def _calls_of(self, session_id: str) -> list[ProviderCall]:
        if session_id not in self._calls:
            self._read_calls(session_id)
        return list(self._calls[session_id].values())

    def _read_calls(self, session_id: str) -> list[ProviderCall]:
        rows = ProviderCall.objects.using(database_alias()).select_related("payment_session")
        own = rows.filter(payment_session_id=session_id, payment_collection=self.collection)
        found = list(own.order_by("pk"))
        for call in found:
            call.payment_session = found[0].payment_session
        self._calls[session_id] = {call.pk: call for call in found}
        return found

    def call_of(self, movement: Capture | Refund) -> ProviderCall | None:
        """The call that asked for a movement; None when somebody else made it."""
        for call in self._calls_of(movement.payment.payment_session_id):
            if movement.pk in (call.capture_id, call.refund_id):
                return call
        return None

    def initiate_of(self, session: PaymentSession) -> ProviderCall:
        """The call that a session is written with."""
        return next(call for call in self.calls_of(session) if call.kind == CallKind.INITIATE)

    def look_at(self, session: PaymentSession) -> None:
        """Ask for a lookup of the session after the commit: something is known but not enough.

        Its initiate call is due at once, so that the sweep looks, should this process die; within
        ``looks_wait`` it is due when that says.
        """
        initiate = self.initiate_of(session)
        is_asked_now = initiate.is_unresolved
        when = self.now if is_asked_now else _looks_wait_until.get() or self.now
        self.change(initiate, "call.scheduled", next_attempt_at=when)
        if session not in self.needs_look:
            self.needs_look.append(session)

    def demand(self, call: ProviderCall) -> None:
        if call not in self.demanded:
            self.demanded.append(call)

    def owes_look(self, call: ProviderCall) -> bool:
        """Whether a look was asked for, by this transaction or while the initiate was in flight."""
        if call.kind != CallKind.INITIATE:
            return False
        was_asked = call.state == CallState.OPEN and call.lease_token <= 1
        is_due = call.next_attempt_at is not None and call.next_attempt_at <= self.now
        now_asked = any(each.pk == call.payment_session_id for each in self.needs_look)
        return now_asked or (was_asked and is_due)

    def live_session(self) -> PaymentSession | None:
        rows = PaymentSession.objects.using(database_alias())
        session: PaymentSession | None = rows.filter(live_collection_id=self.collection.pk).first()
        return session

    def close(self) -> None:
        """Write totals, audit entries and the head of the chain: the end of the transaction."""
        self.flush()
        if self.totals_changed:
            totals.recompute(self.collection, now=self.now)
        if self.collection.money_state() != self._totals_before:
            self._enter("collection.totals", self.collection, before=self._totals_before)
        if not self._entries and not self.totals_changed:
            return
        audit.append(self.collection, self._entries)
        self.collection.save(
            update_fields=[
                "status",
                "authorized_minor",
                "captured_minor",
                "refunded_minor",
                "completed_at",
                "audit_length",
                "audit_head",
                "updated_at",
            ]
        )


def under_lock(
    collection_id: str,
    work: Callable[[LockedCollection], Result],
    *,
    actor: Actor,
    cause: str = "",
) -> Result:
    """Run ``work`` holding the collection's lock; see ``holding``.

    :raises NotFound: no such collection.
    :raises OpenTransaction: the caller has a transaction open.
    """
    return holding(lambda: _lock(collection_id, actor=actor, cause=cause), work)


def _lock(collection_id: str, *, actor: Actor, cause: str) -> LockedCollection:
    rows = PaymentCollection.all_objects.using(database_alias()).filter(pk=collection_id)
    if not rows.update(version=F("version") + 1):
        raise NotFound(f"PaymentCollection id not found: {collection_id}")
    collection = rows.annotate(database_now=DatabaseNow()).get()
    return LockedCollection(collection, actor=actor, cause=cause)
