"""Working on many unfinished calls of one provider: one batch of lookups, then each on its own.

All leases of a batch are taken by one statement. What the lookups show is recorded call by call;
what the records demand is sent after that, each as a request of its own. A look that is demanded
(what does the provider hold after it was undone?) is part of a later batch of the same sweep.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Q
from django.utils import timezone

from medusa_payments.ids import new_id
from medusa_payments.models import ProviderCall
from medusa_payments.models.recorded_call import NEVER_SENT, RecordedCall
from medusa_payments.operations.actors import SWEEP
from medusa_payments.operations.calls import claim_many, lease_seconds, release
from medusa_payments.operations.database import database_alias, patiently
from medusa_payments.operations.findings import Look, record_abandoned, record_lookup
from medusa_payments.operations.live_beside import see_live_beside
from medusa_payments.operations.locking import looks_wait
from medusa_payments.operations.lookups import lookup_requests
from medusa_payments.operations.performing import resend, send_first
from medusa_payments.operations.recording import Recorded
from medusa_payments.operations.schedule import next_look
from medusa_payments.operations.telling import tell_shop
from medusa_payments.operations.tracing import looking_up_many, traced
from medusa_payments.providers.base import PaymentProvider
from medusa_payments.providers.batches import LookupBatch, Reading
from medusa_payments.providers.types import NoAnswer
from medusa_payments.reconciliation.gates import Gate
from medusa_payments.statuses import CallKind, CallState

logger = logging.getLogger("medusa_payments")

_READS_ASKED_FOR = 100  # of one batch
# One time for all of a batch, so that what a killed sweep leaves is one batch again.
_KEPT = timedelta(seconds=120)  # that a demanded look waits for the end of its batch
_RECORDING_SECONDS = 60.0  # what a batch's records may take beside its lookups


class CallBatch:
    """One batch: ``work`` returns the calls that are due again at once."""

    def __init__(
        self, provider: PaymentProvider, gate: Gate, *, everything: bool, memory: dict[str, Any]
    ) -> None:
        self._provider = provider
        self._gate = gate
        self._everything = everything
        self._memory = memory
        self._owner = new_id("batch")
        self._due_again: list[str] = []

    def work(self, ids: Sequence[str], *, still: Q, is_again: bool = False) -> list[str]:
        """``still``: what must hold of the calls when they are taken. ``is_again``: an earlier
        batch returned them."""
        with looks_wait(timezone.now() + _KEPT):
            return self._work(ids, still=still, is_again=is_again)

    def _work(self, ids: Sequence[str], *, still: Q, is_again: bool) -> list[str]:
        calls = claim_many(
            ids,
            still=still & ~NEVER_SENT,
            owner=self._owner,
            lease=2 * lease_seconds(self._provider) + _RECORDING_SECONDS,
            whatever_the_lease_said=self._everything,
            makes_due=is_again,
        )
        claimed = {call.pk for call in calls}
        self._set_aside_abandoned(calls)
        to_send = self._record(calls, self._look_up(calls))
        unsent = ProviderCall.objects.filter(NEVER_SENT, pk__in=set(ids) - claimed)
        self._send([*to_send, *unsent])
        return self._due_again

    def _set_aside_abandoned(self, calls: Iterable[ProviderCall]) -> None:
        for call in calls:
            if call.kind == CallKind.INITIATE and call.state == CallState.OPEN:
                try:
                    tell_shop(record_abandoned(call, actor=SWEEP).carrier)
                except Exception:
                    logger.exception("Call %s could not be set aside; it is looked up", call.pk)

    def _look_up(self, calls: Sequence[ProviderCall]) -> dict[str, Reading]:
        """Readings by session; calls without one are released, no look is spent."""
        reads = self._gate.grant(_READS_ASKED_FOR) if calls else 0
        if not reads:
            self._release(calls)
            return {}
        batch = LookupBatch(requests=lookup_requests(calls), max_reads=reads, memory=self._memory)
        readings = self._ask(batch)
        outages = _outages(readings)
        if len(outages) < len(readings):
            self._gate.answered()
        if outages and self._gate.failed(next(iter(outages.values()))):
            readings = {pk: each for pk, each in readings.items() if pk not in outages}
        self._release(
            [call for call in calls if call.payment_session_id not in readings],
            until=self._gate.open_until() if outages else None,
        )
        return readings

    def _ask(self, batch: LookupBatch) -> dict[str, Reading]:
        """Whatever escapes a provider proves nothing, and holds up no other provider's calls."""
        try:
            with traced(looking_up_many(self._provider.id)) as request:
                answer = self._provider.lookup_many(batch)
                request.outcome = "answered"
            self._gate.give_back(batch.max_reads - answer.reads)
            return dict(answer.readings)
        except Exception as error:
            logger.exception("Provider %s could not look calls up", self._provider.id)
            nothing = NoAnswer(code="exception", detail=type(error).__name__, is_outage=True)
            return {each.session_id: Reading(nothing) for each in batch.requests}

    def _release(self, calls: Iterable[ProviderCall], *, until: datetime | None = None) -> None:
        if ids := [call.pk for call in calls]:
            release(ids, owner=self._owner, until=until)

    def _record(
        self, calls: Iterable[ProviderCall], readings: dict[str, Reading]
    ) -> list[ProviderCall]:
        """Write down what was read; returns what is to be sent."""
        to_send: list[ProviderCall] = []
        for call in calls:
            if reading := readings.get(call.payment_session_id):
                to_send += self._record_one(call, reading)
        return to_send

    def _record_one(self, call: ProviderCall, reading: Reading) -> list[ProviderCall]:
        try:
            live_was_seen, demanded = see_live_beside(call.payment_session, actor=SWEEP)
            seconds_ago = time.monotonic() - reading.asked_at
            look = Look(seconds_ago, True, self._everything, live_was_seen)
            recorded = record_lookup(call, reading.result, look=look, actor=SWEEP)
            recorded = replace(recorded, demanded=(*demanded, *recorded.demanded))
            tell_shop(recorded.carrier)
        except Exception:
            logger.exception("Call %s could not be worked on; the sweep goes on", call.pk)
            postpone(call)
            return []
        again = [call] if recorded.send_again else []
        return [*again, *self._to_send(recorded)]

    def _to_send(self, recorded: Recorded) -> list[ProviderCall]:
        """What was demanded; a demanded look waits for the next batch of this sweep."""
        for call in recorded.demanded:
            if not call.was_never_sent:
                self._due_again.append(call.pk)
        return [each for each in recorded.demanded if each.was_never_sent]

    def _send(self, calls: Iterable[ProviderCall]) -> None:
        waiting = deque(calls)
        while waiting:
            call = waiting.popleft()
            try:
                waiting.extend(self._send_one(call))
            except Exception:
                logger.exception("Call %s could not be worked on; the sweep goes on", call.pk)
                postpone(call)

    def _send_one(self, call: ProviderCall) -> list[ProviderCall]:
        if call.was_never_sent:
            demanded = send_first(call, actor=SWEEP, ignores_schedule=self._everything)
        else:
            demanded = resend(call, actor=SWEEP)
        return self._to_send(Recorded(demanded))


def postpone(call: RecordedCall) -> None:
    """A call that nobody can work on must not stand before the others at every sweep."""
    rows = (
        type(call)
        ._default_manager.using(database_alias())
        .filter(pk=call.pk, next_attempt_at__isnull=False)
    )
    when = next_look(call.looks, now=timezone.now())
    # Its lease lapses by itself: it may be somebody else's, who is asking.
    patiently(lambda: rows.update(next_attempt_at=when, looks=F("looks") + 1))


def _outages(readings: dict[str, Reading]) -> dict[str, str]:
    """Why there was no answer, of those for which that has nothing to do with what was asked."""
    return {
        session_id: reading.result.code
        for session_id, reading in readings.items()
        if isinstance(reading.result, NoAnswer) and reading.result.is_outage
    }
