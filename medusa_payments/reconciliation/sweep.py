"""The sweep: everything that is unfinished and due, whoever left it so.

Any number run side by side: calls are leased by compare-and-set, and a provider's gate is shared.
What a sweep costs depends on what is due, not on how many records there are.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q

from medusa_payments.errors import MedusaPaymentsError
from medusa_payments.ids import new_id
from medusa_payments.models import (
    AccountHolderCall,
    Discrepancy,
    PaymentSession,
    ProviderCall,
    WebhookEvent,
)
from medusa_payments.operations import caps, holder_performing
from medusa_payments.operations.actors import SWEEP
from medusa_payments.operations.database import (
    DatabaseNow,
    database_alias,
    refuse_open_transaction,
)
from medusa_payments.operations.keyed_requests import purge_expired_requests
from medusa_payments.operations.telling import tell_shop
from medusa_payments.operations.webhooks import apply_event
from medusa_payments.providers.base import PaymentProvider
from medusa_payments.providers.registry import get_provider
from medusa_payments.reconciliation import jobs, outages
from medusa_payments.reconciliation.batches import CallBatch, postpone
from medusa_payments.reconciliation.gates import Gate
from medusa_payments.reconciliation.unfinished import (
    live_calls,
    progress_of,
    unapplied_events,
    unfinished_calls,
    unfinished_holder_calls,
    unresolved_count,
)
from medusa_payments.statuses import UNRESOLVED_CALLS, Resolution

logger = logging.getLogger("medusa_payments")

JOB = "reconcile_payments"

# Rounds of --all: a chain of undoing needs a handful; a provider that always demands more stops.
_MAX_ROUNDS = 10
_MAX_STEPS = 20  # of what a batch demands; what is left over is found by the next sweep
_BATCH = 500  # calls, whose lookups are asked together
_AT_ONCE = 5_000  # ids read at a time
_OTHERS = 500  # events, holders and signals of one run by the schedule
_LONGEST_RUN = 300.0  # seconds; what is left is due at the next one


@dataclass
class SweepReport:
    """What one run did. ``calls`` describes each call that it worked on, as it is afterwards."""

    examined: int = 0
    resolved: int = 0
    undone: int = 0
    unresolved: int = 0
    discrepancies: int = 0
    calls: list[dict[str, Any]] = field(default_factory=list)


def reconcile_due() -> SweepReport:
    """Work on what the schedule says is due."""
    return _Run(everything=False).report()


def reconcile_all() -> SweepReport:
    """Work on everything unfinished, due or not, until nothing more can be learned or done.

    Ignores the schedule and open breakers but not the horizon, and asks about live sessions that
    are not final.
    """
    return _Run(everything=True).report()


class _Run:
    """One run. ``everything``: due or not, round after round, until nothing changes."""

    def __init__(self, *, everything: bool) -> None:
        self._everything = everything
        self._ends = time.monotonic() + _LONGEST_RUN
        self._examined: dict[str, str] = {}  # the state that each call was found in
        self._memory: dict[str, dict[str, Any]] = {}  # what each account's lists have shown

    def report(self) -> SweepReport:
        refuse_open_transaction()
        with caps.run(new_id("run")):
            return self._work()

    def _work(self) -> SweepReport:
        started_at = jobs.start(JOB)
        for _ in range(_MAX_ROUNDS if self._everything else 1):
            seen = progress_of() if self._everything else None
            self._round(started_at)
            if seen is None or progress_of() == seen:
                break
        purge_expired_requests()
        caps.purge_old_allowances()
        report = self._report(started_at)
        jobs.finish(JOB, {name: n for name, n in vars(report).items() if name != "calls"})
        return report

    def _round(self, started_at: datetime) -> None:
        self._apply_events()
        self._work_on_holders()
        for provider_id in self._providers_with_work(started_at):
            self._work_on_provider(provider_id, started_at)
        if self._everything:
            self._ask_about_live_sessions()
        outages.tell()
        self._tell()

    def _apply_events(self) -> None:
        rows = unapplied_events(everything=self._everything).order_by("occurred_at", "pk")
        for event in list(rows if self._everything else rows[:_OTHERS]):
            apply_event(event, actor=SWEEP)

    def _work_on_holders(self) -> None:
        rows = unfinished_holder_calls(everything=self._everything)
        for call in list(rows if self._everything else rows[:_OTHERS]):
            if not self._everything and _is_paused(call.provider_id):
                continue
            self._examined.setdefault(call.pk, call.state)
            try:
                holder_performing.advance(call, actor=SWEEP, ignores_schedule=self._everything)
            except Exception:
                logger.exception("Call %s could not be worked on; the sweep goes on", call.pk)
                postpone(call)

    def _providers_with_work(self, started_at: datetime) -> list[str]:
        rows = unfinished_calls(everything=self._everything, until=started_at).order_by()
        return sorted(rows.values_list("provider_id", flat=True).distinct())

    def _work_on_provider(self, provider_id: str, started_at: datetime) -> None:
        """Until nothing of it is due any more, the provider is not to be asked, or time is over."""
        rows = unfinished_calls(everything=self._everything, until=started_at).filter(
            provider_id=provider_id
        )
        done: set[str] = set()
        while time.monotonic() < self._ends:
            ids = [pk for pk in rows.values_list("pk", flat=True)[:_AT_ONCE] if pk not in done]
            if not ids:
                return
            done.update(ids)
            if not self._work_on_calls(provider_id, ids):
                return

    def _work_on_calls(self, provider_id: str, ids: Sequence[str]) -> bool:
        """Returns whether to go on with this provider."""
        try:
            provider = get_provider(provider_id)
        except Exception:
            logger.exception("Provider %s cannot be asked; its calls wait", provider_id)
            return False
        gate = Gate(provider)
        return all(self._work_on_batch(provider, gate, batch) for batch in _shuffled(ids, _BATCH))

    def _work_on_batch(self, provider: PaymentProvider, gate: Gate, batch: Sequence[str]) -> bool:
        """With the looks that it demands. Returns whether to go on with this provider."""
        due, again = list(batch), list[str]()
        for _ in range(_MAX_STEPS + len(batch)):
            if not due and not again:
                return True
            most = None if self._everything else gate.lets_through()
            if most == 0 or time.monotonic() > self._ends:
                return False
            if due:
                part, due = due[:most], due[len(due[:most]) :]
                again += self._work_on(provider, gate, part, still=self._still_due())
            else:
                unfinished = Q(next_attempt_at__isnull=False)
                again = self._work_on(provider, gate, again, still=unfinished, is_again=True)
        return True

    def _work_on(
        self, provider: PaymentProvider, gate: Gate, ids: list[str], **how: Any
    ) -> list[str]:
        """One batch; returns what is to be looked at again."""
        rows = ProviderCall.objects.using(database_alias()).filter(pk__in=ids)
        for pk, state in rows.values_list("pk", "state"):
            self._examined.setdefault(pk, state)
        memory = self._memory.setdefault(provider.credentials, {})
        work = CallBatch(provider, gate, everything=self._everything, memory=memory)
        return work.work(ids, **how)

    def _still_due(self) -> Q:
        """Somebody else may have done it since the ids were read."""
        if self._everything:
            return Q(next_attempt_at__isnull=False)
        return Q(next_attempt_at__lte=DatabaseNow())

    def _ask_about_live_sessions(self) -> None:
        by_provider: dict[str, list[str]] = {}
        for call in live_calls(set(self._examined)):
            by_provider.setdefault(call.provider_id, []).append(call.pk)
        for provider_id, ids in by_provider.items():
            provider = get_provider(provider_id)
            for batch in _shuffled(ids, _BATCH):
                again = self._work_on(provider, Gate(provider), batch, still=Q())
                self._work_on_batch(provider, Gate(provider), again)

    def _tell(self) -> None:
        """Signals that a crash or a raising receiver kept from the shop."""
        for model in (ProviderCall, AccountHolderCall, WebhookEvent):
            rows: Any = model._default_manager.using(database_alias())
            for carrier in rows.filter(follow_up_at__lte=DatabaseNow())[:_OTHERS]:
                try:
                    tell_shop(carrier)
                except Exception:
                    logger.exception("The shop could not be told of %s", carrier.pk)

    def _report(self, started_at: datetime) -> SweepReport:
        calls = list(_described(self._examined))
        was_open = [each for each in calls if self._examined[each["id"]] in UNRESOLVED_CALLS]
        undone = PaymentSession.deleted_objects.using(database_alias()).filter(
            resolved_at__gte=started_at, resolution__in=(Resolution.CLOSED, Resolution.REFUNDED)
        )
        return SweepReport(
            examined=len(calls),
            resolved=sum(each["state"] not in UNRESOLVED_CALLS for each in was_open),
            undone=undone.count(),
            unresolved=unresolved_count(),
            discrepancies=Discrepancy.objects.using(database_alias())
            .filter(open_key__isnull=False)
            .count(),
            calls=calls,
        )


def _is_paused(provider_id: str) -> bool:
    """Whether the provider did not answer of late, so that looks would be spent on nothing."""
    try:
        return Gate(get_provider(provider_id)).is_open()
    except MedusaPaymentsError:
        return False  # it cannot be asked at all; the call tells


def _shuffled(ids: Sequence[str], size: int) -> list[list[str]]:
    """Batches of neighbours, in any order, so that parallel sweeps begin at different ones."""
    batches = [list(ids[start : start + size]) for start in range(0, len(ids), size)]
    random.shuffle(batches)
    return batches


def _described(examined: dict[str, str]) -> Iterator[dict[str, Any]]:
    ids = list(examined)
    rows: dict[str, ProviderCall | AccountHolderCall] = {
        **ProviderCall.objects.using(database_alias()).in_bulk(ids),
        **AccountHolderCall.objects.using(database_alias()).in_bulk(ids),
    }
    return (describe(rows[pk]) for pk in ids)


def describe(call: ProviderCall | AccountHolderCall) -> dict[str, Any]:
    """One line of the report."""
    about = (
        {"account_holder": call.account_holder_id}
        if isinstance(call, AccountHolderCall)
        else {"payment_session": call.payment_session_id}
    )
    return {
        "id": call.pk,
        "kind": call.kind,
        "state": call.state,
        **about,
        "generation": call.generation,
        "evidence": call.evidence,
    }
