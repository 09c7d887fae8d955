"""The only way to write an audited state: a row and its audit entry, under the lock of a chain."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Model

from medusa_payments.models import (
    AccountHolder,
    AccountHolderCall,
    AuditEntry,
    PaymentCollection,
    PaymentSession,
    ProviderCall,
    WebhookEvent,
)
from medusa_payments.models.recorded_call import RecordedCall
from medusa_payments.operations import audit
from medusa_payments.operations.actors import Actor
from medusa_payments.operations.changes import log_changes, log_event_state
from medusa_payments.operations.database import (
    database_alias,
    patiently,
    refuse_open_transaction,
)
from medusa_payments.signals import FOR_THE_SHOP
from medusa_payments.statuses import CallState

_WRITTEN_LATE = (
    AccountHolder,
    AccountHolderCall,
    PaymentCollection,
    PaymentSession,
    ProviderCall,
    WebhookEvent,
)

Held = TypeVar("Held", bound="Locked")
Result = TypeVar("Result")


class Locked:
    """What is below a row whose lock this transaction holds.

    Rows are written with ``add`` and ``change``, which write the audit entry too (law 11).
    ``tell`` collects whom the record concerns; the caller tells them after the commit.
    """

    def __init__(self, *, now: datetime, actor: Actor, cause: str) -> None:
        self.now = now
        self.actor = actor
        self.cause = cause
        self.signals: list[list[str]] = []
        self._unsaved: dict[Any, set[str]] = {}
        self._entries: list[AuditEntry] = []
        self._events: list[tuple[str, WebhookEvent]] = []

    def add(self, row: Any, action: str) -> Any:
        """Insert a row and its audit entry."""
        self.flush()
        row.save(force_insert=True, using=database_alias())
        self._enter(action, row, before={})
        return row

    def change(self, row: Any, action: str, **values: Any) -> None:
        """Write the columns that differ, and an audit entry if the money state does.

        The statement for a session or call waits for ``flush``, so that several changes are one;
        movements are written at once, because sums are read from them.
        """
        before = row.money_state()
        if isinstance(row, RecordedCall) and "state" in values:
            values |= _times_of_uncertainty(row, values["state"], now=self.now)
        changed = [name for name, value in values.items() if getattr(row, name) != value]
        if not changed:
            return
        for name in changed:
            setattr(row, name, values[name])
        self._unsaved.setdefault(row, set()).update(changed)
        if not isinstance(row, _WRITTEN_LATE):
            self.flush()
        if row.money_state() != before:
            self._enter(action, row, before=before)
        if isinstance(row, WebhookEvent) and "state" in changed:
            self._events.append((action, row))

    def flush(self) -> None:
        """Write what was changed: before an insert, and before anything is read that it decides."""
        for row, names in self._unsaved.items():
            row.save(update_fields=[*names, "updated_at"], using=database_alias())
        self._unsaved.clear()

    def note(self, action: str, row: Any) -> None:
        """An audit entry for something that changed no column, such as a refused request."""
        self._enter(action, row, before=row.money_state())

    def tell(self, signal: str, **subjects: Model) -> None:
        """Owe the shop a signal; ``subjects`` are found again by id when it is sent."""
        told = [signal, *(f"{name}={row.pk}" for name, row in subjects.items())]
        if told not in self.signals:
            self.signals.append(told)

    def owe_signals(self, carrier: RecordedCall | WebhookEvent) -> None:
        """Until the shop's receivers have returned, the sweep sends them again (law 12).

        What nobody listens to is not owed: receivers are connected when Django starts.
        """
        heard = [told for told in self.signals if FOR_THE_SHOP[told[0]].has_listeners()]
        if not heard:
            return
        owed = carrier.signals if carrier.follow_up_at else []
        self.change(carrier, "signals.owed", signals=[*owed, *heard], follow_up_at=self.now)

    def discrepancy_links(self) -> dict[str, Any]:
        """What a discrepancy that is opened under this lock is about."""
        raise NotImplementedError

    def close(self) -> None:
        """Write the audit entries and the head of the chain: the end of the transaction."""
        raise NotImplementedError

    def log(self) -> None:
        """What was changed, as structured log events: after the commit."""
        log_changes(self._entries)
        for action, event in self._events:
            log_event_state(action, event)

    def _enter(self, action: str, row: Any, *, before: dict[str, Any]) -> None:
        self._entries.append(
            audit.entry(
                action, row, before=before, actor=self.actor, cause=self.cause, now=self.now
            )
        )


def _times_of_uncertainty(call: RecordedCall, state: str, *, now: datetime) -> dict[str, Any]:
    """From when on, and until when, an outcome was not known."""
    if state == CallState.INDETERMINATE:
        return {"uncertain_since": call.uncertain_since or now, "resolved_at": None}
    if call.uncertain_since is not None and call.is_unresolved:
        return {"resolved_at": now}
    return {}


def holding(lock: Callable[[], Held], work: Callable[[Held], Result]) -> Result:
    """Run ``work`` in one short durable transaction that begins by taking a lock.

    A deadlock, serialization failure or lock time-out repeats the whole of it, a bounded number
    of times: ``work`` only reads and writes the database.

    :raises OpenTransaction: the caller has a transaction open.
    """
    refuse_open_transaction()

    def transact() -> tuple[Held, Result]:
        with transaction.atomic(using=database_alias(), durable=True):
            locked = lock()
            result = work(locked)
            locked.close()
        return locked, result

    locked, result = patiently(transact)
    locked.log()  # out of what is repeated: it is committed
    return result
