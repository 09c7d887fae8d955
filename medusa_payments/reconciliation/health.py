"""Whether everything is where it belongs, and if not, what is wrong: the command, the health route
and the metrics only show it.

Reads what is unfinished and what is open, by their indexes: the number of statements does not
depend on how many rows there are, nor does what they read depend on what is done.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from django.db.models import Count, Min, QuerySet
from django.utils import timezone

from medusa_payments import settings
from medusa_payments.models import (
    AccountHolderCall,
    AutomationStop,
    Proposal,
    ProviderCall,
    RecurringJob,
    WebhookEvent,
)
from medusa_payments.money import to_major
from medusa_payments.operations.database import database_alias
from medusa_payments.reconciliation import money_at_risk
from medusa_payments.reconciliation.money_at_risk import OpenDiscrepancies, Sums
from medusa_payments.reconciliation.provider_health import ProviderHealth, provider_health
from medusa_payments.reconciliation.resolution_times import ResolutionTimes, resolution_times
from medusa_payments.reconciliation.sweep import JOB as SWEEP_JOB
from medusa_payments.statuses import EventState, Severity

AUDIT_JOB = "verify_audit_trail"


class HealthStatus(StrEnum):
    OK = "ok"
    DEGRADED = "degraded"  # somebody should look
    FAILING = "failing"  # somebody must look now


@dataclass(frozen=True)
class Problem:
    """``code`` is stable; ``message`` is for people."""

    code: str
    message: str
    is_failing: bool = False


@dataclass(frozen=True)
class Backlog:
    count: int
    oldest_seconds: float | None


@dataclass(frozen=True)
class Unresolved:
    """What is not known or not done yet: calls of unknown outcome, and undoings under way."""

    count: int
    oldest_seconds: float | None
    uncertain: int
    oldest_uncertain_seconds: float | None
    undoing: int
    in_flight: int  # asked right now; in none of the other figures


@dataclass(frozen=True)
class MoneyAtRisk:
    """Major units of one currency."""

    total: Decimal
    uncertain: Decimal
    undoing: Decimal
    discrepancies: Decimal


@dataclass(frozen=True)
class DiscrepancyFigures:
    count: int
    by_severity: dict[str, int]
    oldest_seconds: float | None
    without_amount: int


@dataclass(frozen=True)
class JobFigures:
    started_at: datetime | None
    finished_at: datetime | None
    finished_seconds_ago: float | None
    figures: dict[str, Any]


@dataclass(frozen=True)
class Stop:
    provider_id: str  # empty: every provider
    reason: str
    stopped_by: str
    since: datetime


@dataclass(frozen=True)
class Health:
    """Ages are in seconds, money in major units."""

    checked_at: datetime
    unresolved: Unresolved
    money_at_risk: dict[str, MoneyAtRisk]
    providers: tuple[ProviderHealth, ...]
    sweep: JobFigures
    webhooks_unapplied: Backlog
    signals_owed: Backlog
    discrepancies: DiscrepancyFigures
    proposals: Backlog
    automation_stops: tuple[Stop, ...]
    audit: JobFigures
    resolution: ResolutionTimes

    @property
    def problems(self) -> tuple[Problem, ...]:
        return tuple(_problems(self))

    @property
    def status(self) -> HealthStatus:
        problems = self.problems
        if any(each.is_failing for each in problems):
            return HealthStatus.FAILING
        return HealthStatus.DEGRADED if problems else HealthStatus.OK

    def as_dict(self) -> dict[str, Any]:
        """For JSON: times as text, money as exact numbers."""
        problems = [asdict(each) for each in self.problems]
        return {
            "status": self.status.value,
            "problems": problems,
            **asdict(self, dict_factory=_times_as_text),
        }


def _times_as_text(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value for name, value in pairs
    }


def current_health() -> Health:
    """Ask the database how things stand. Asks no provider and writes nothing."""
    now = timezone.now()
    uncertain, undoing = money_at_risk.uncertain(), money_at_risk.undoing()
    open_ones = money_at_risk.open_discrepancies()
    unresolved = _unresolved(uncertain, undoing, money_at_risk.uncertain_about_holders(), now=now)
    jobs = _jobs(now)
    return Health(
        checked_at=now,
        unresolved=unresolved,
        money_at_risk=_money(uncertain.minor, undoing.minor, open_ones.minor),
        providers=provider_health(now=now),
        sweep=jobs[SWEEP_JOB],
        webhooks_unapplied=_webhooks_unapplied(now),
        signals_owed=_signals_owed(now),
        discrepancies=_discrepancies(open_ones, now=now),
        proposals=_backlog(
            Proposal.objects.using(database_alias()).filter(open_key__isnull=False), now=now
        ),
        automation_stops=_stops(),
        audit=jobs[AUDIT_JOB],
        resolution=resolution_times(now=now, oldest_seconds=unresolved.oldest_uncertain_seconds),
    )


def _age(since: datetime | None, now: datetime) -> float | None:
    return None if since is None else round(max(0.0, (now - since).total_seconds()), 3)


def _unresolved(uncertain: Sums, undoing: Sums, of_holders: Sums, *, now: datetime) -> Unresolved:
    starts = [each for each in (uncertain.oldest, of_holders.oldest) if each]
    oldest_uncertain = min(starts, default=None)
    return Unresolved(
        count=uncertain.count + undoing.count + of_holders.count,
        oldest_seconds=_age(
            min([*starts, *([undoing.oldest] if undoing.oldest else [])], default=None), now
        ),
        uncertain=uncertain.count + of_holders.count,
        oldest_uncertain_seconds=_age(oldest_uncertain, now),
        undoing=undoing.count,
        in_flight=uncertain.in_flight + of_holders.in_flight,
    )


def _money(*parts: dict[str, int]) -> dict[str, MoneyAtRisk]:
    """``parts``: what is uncertain, what is being undone, what discrepancies are about."""
    currencies = sorted({code for part in parts for code, minor in part.items() if minor})
    found = {}
    for code in currencies:
        minor = [part.get(code, 0) for part in parts]
        found[code] = MoneyAtRisk(*(to_major(each, code) for each in (sum(minor), *minor)))
    return found


def _backlog(rows: QuerySet[Any], *, now: datetime, since: str = "created_at") -> Backlog:
    found = rows.aggregate(rows=Count("pk"), since=Min(since))
    return Backlog(found["rows"], _age(found["since"], now))


def _webhooks_unapplied(now: datetime) -> Backlog:
    rows = WebhookEvent.objects.using(database_alias()).filter(
        next_attempt_at__isnull=False, state__in=(EventState.RECEIVED, EventState.PARKED)
    )
    return _backlog(rows, now=now)


def _signals_owed(now: datetime) -> Backlog:
    """Calls and events whose receivers have not all returned."""
    carriers: tuple[Any, ...] = (ProviderCall, AccountHolderCall, WebhookEvent)
    found = [
        _backlog(
            model.objects.using(database_alias()).filter(follow_up_at__isnull=False),
            now=now,
            since="follow_up_at",
        )
        for model in carriers
    ]
    ages = [each.oldest_seconds for each in found if each.oldest_seconds is not None]
    return Backlog(sum(each.count for each in found), max(ages, default=None))


def _discrepancies(found: OpenDiscrepancies, *, now: datetime) -> DiscrepancyFigures:
    return DiscrepancyFigures(
        count=sum(found.by_severity.values()),
        by_severity={each.value: found.by_severity.get(each, 0) for each in Severity},
        oldest_seconds=_age(found.oldest, now),
        without_amount=found.without_amount,
    )


def _stops() -> tuple[Stop, ...]:
    rows = AutomationStop.objects.using(database_alias()).filter(active_key__isnull=False)
    return tuple(
        Stop(row.provider_id, row.reason, row.stopped_by, row.created_at)
        for row in rows.order_by("pk")
    )


def _jobs(now: datetime) -> dict[str, JobFigures]:
    names = (SWEEP_JOB, AUDIT_JOB)
    rows = RecurringJob.objects.using(database_alias()).in_bulk(names)
    return {name: _job(rows.get(name), now=now) for name in names}


def _job(row: RecurringJob | None, *, now: datetime) -> JobFigures:
    if row is None:
        return JobFigures(None, None, None, {})
    return JobFigures(row.started_at, row.finished_at, _age(row.finished_at, now), row.figures)


def _problems(health: Health) -> Iterator[Problem]:
    objective = timedelta(seconds=float(settings.RESOLUTION_OBJECTIVE))
    yield from _problems_of_discrepancies(health.discrepancies)
    if health.audit.figures.get("breaks"):
        yield Problem("audit_trail_broken", "The audit trail is broken.", is_failing=True)
    yield from _problems_of_sweep(health.sweep)
    for each in health.providers:
        if each.breaker == "open":
            yield Problem(
                "provider_paused",
                f"{each.provider_id} does not answer since {each.open_since}.",
                is_failing=(each.open_seconds or 0) > float(settings.OUTAGE_ALERT),
            )
    for stop in health.automation_stops:
        which = stop.provider_id or "every provider"
        yield Problem("automation_stopped", f"Automation is stopped for {which}: {stop.reason}")
    late = {
        "outcome_overdue": ("An outcome is not known", health.unresolved.oldest_uncertain_seconds),
        "webhook_overdue": ("An event is not applied", health.webhooks_unapplied.oldest_seconds),
        "signal_overdue": ("The shop was not told", health.signals_owed.oldest_seconds),
        "proposal_overdue": ("A proposal waits for a person", health.proposals.oldest_seconds),
    }
    for code, (what, age) in late.items():
        if age is not None and age > objective.total_seconds():
            yield Problem(code, f"{what} for {age:.0f} s; the objective is {objective}.")


def _problems_of_discrepancies(found: DiscrepancyFigures) -> Iterator[Problem]:
    critical = found.by_severity[Severity.CRITICAL]
    if critical:
        yield Problem(
            "discrepancies_critical", f"Critical discrepancies are open: {critical}.", True
        )
    if warnings := found.by_severity[Severity.WARNING]:
        yield Problem("discrepancies_open", f"Discrepancies are open: {warnings}.")


def _problems_of_sweep(sweep: JobFigures) -> Iterator[Problem]:
    limit = float(settings.SWEEP_EXPECTED_WITHIN)
    if sweep.finished_seconds_ago is None:
        yield Problem("sweep_missing", "No sweep was ever seen: run reconcile_payments by cron.")
    elif sweep.finished_seconds_ago > limit:
        yield Problem(
            "sweep_missing",
            f"The last sweep ended {sweep.finished_seconds_ago:.0f} s ago; expected within"
            f" {limit:.0f} s.",
        )
