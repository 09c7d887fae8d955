"""How often a provider may be asked, and whether it makes sense to ask it at all.

Both are shared by all workers through one row for each account (``models.ProviderGate``), written
by compare-and-set with the database's clock. Money never depends on them: they only say when to
look, never what is true.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet

from medusa_payments import settings
from medusa_payments.log_events import log_event
from medusa_payments.models import ProviderGate
from medusa_payments.operations.database import DatabaseNow, database_alias, patiently
from medusa_payments.providers.base import PaymentProvider

_WINDOW = timedelta(minutes=1)
_PROBE_SECONDS = 30  # while one worker tries, the others wait
_MAX_TRIES = 20


class Gate:
    """The gate of one provider's account."""

    def __init__(self, provider: PaymentProvider) -> None:
        self._provider = provider
        self._key = provider.credentials

    def lets_through(self) -> int | None:
        """How many lookups may be tried at once. None: any number; 0: the breaker is open.

        When its time is over, one worker may try one lookup; the others wait for its result.
        """
        row = self._row()
        if row.open_until is None:
            return None
        if row.open_until > row.database_now:
            return 0
        probing = timedelta(seconds=_PROBE_SECONDS)
        mine = self._rows().filter(open_until__lte=DatabaseNow())
        return patiently(lambda: mine.update(open_until=DatabaseNow() + probing))

    def is_open(self) -> bool:
        return self._row().open_until is not None

    def grant(self, wanted: int) -> int:
        """Take up to so many reads out of this minute's budget; 0 when it is used up."""
        for _ in range(_MAX_TRIES):
            row = self._in_present_window()
            granted: int = min(wanted, max(0, int(settings.READS_PER_MINUTE) - row.reads))
            if not granted or self._take(granted, seen=row.reads):
                return granted
        return 0

    def _take(self, reads: int, *, seen: int) -> bool:
        same = self._rows().filter(reads=seen)
        return bool(patiently(lambda: same.update(reads=F("reads") + reads)))

    def give_back(self, reads: int) -> None:
        """Reads that were granted and not needed; those of an earlier minute are forgotten."""
        enough = self._rows().filter(reads__gte=reads)
        if reads > 0:
            patiently(lambda: enough.update(reads=F("reads") - reads))

    def answered(self) -> None:
        """The provider answered: the breaker closes."""
        was_sick = self._rows().filter(Q(failures__gt=0) | Q(open_until__isnull=False))
        healthy = {"failures": 0, "opened_at": None, "open_until": None, "last_failure": ""}
        if patiently(lambda: was_sick.update(**healthy, last_answer_at=DatabaseNow())):
            log_event("provider.answers_again", provider_id=self._provider.id)
        else:
            patiently(lambda: self._rows().update(last_answer_at=DatabaseNow()))

    def failed(self, why: str) -> bool:
        """The provider gave no answer. Returns whether the breaker is open."""
        self._row()
        now = DatabaseNow()
        why = why[:255]
        seen = {"failures": F("failures") + 1, "last_failure": why, "last_failure_at": now}
        patiently(lambda: self._rows().update(**seen, provider_id=self._provider.id))
        row = self._row()
        extra = row.failures - int(settings.BREAKER_FAILURES)
        if extra < 0:
            return False
        schedule = settings.BREAKER_SCHEDULE
        until = now + timedelta(seconds=schedule[min(extra, len(schedule) - 1)])
        patiently(lambda: self._rows().update(open_until=until))
        opened = self._rows().filter(opened_at__isnull=True)
        if patiently(lambda: opened.update(opened_at=now)):
            log_event("provider.paused", provider_id=self._provider.id, code=why)
        return True

    def open_until(self) -> datetime | None:
        until: datetime | None = self._row().open_until
        return until

    def _in_present_window(self) -> Any:
        self._row()
        over = Q(window_started_at__isnull=True) | Q(window_started_at__lt=DatabaseNow() - _WINDOW)
        begun = self._rows().filter(over)
        patiently(lambda: begun.update(window_started_at=DatabaseNow(), reads=0))
        return self._row()

    def _rows(self) -> QuerySet[ProviderGate]:
        return ProviderGate.objects.using(database_alias()).filter(credentials=self._key)

    def _row(self) -> Any:
        """With ``database_now``; written when it is first asked for."""
        rows = self._rows().annotate(database_now=DatabaseNow())
        if found := rows.first():
            return found
        try:
            with transaction.atomic(using=database_alias()):
                ProviderGate(credentials=self._key, provider_id=self._provider.id).save(
                    force_insert=True, using=database_alias()
                )
        except IntegrityError:
            pass  # another worker was first
        return rows.get()
