"""Metrics for Prometheus: what this process asked of providers, and how payments stand.

The figures of the health check are read from the database when they are scraped, so that every
process tells the same. Requests are counted in the process that made them.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

from django.db import DatabaseError
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from medusa_payments.operations.tracing import ProviderRequest, watch
from medusa_payments.reconciliation.health import Health, HealthStatus, current_health

logger = logging.getLogger("medusa_payments")

_PREFIX = "medusa_payments"

REQUESTS = Counter(
    f"{_PREFIX}_provider_requests",
    "Requests to payment providers, by what came of them.",
    ["provider", "method", "kind", "outcome"],
)
SECONDS = Histogram(
    f"{_PREFIX}_provider_request_seconds",
    "How long payment providers took.",
    ["provider", "method", "kind"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60),
)


def connect() -> None:
    watch("prometheus", _counted)


@contextmanager
def _counted(request: ProviderRequest) -> Iterator[None]:
    yield
    asked = (request.provider_id, request.method, request.kind)
    REQUESTS.labels(*asked, request.outcome).inc()
    SECONDS.labels(*asked).observe(request.seconds)


def exposition(accept: str) -> tuple[bytes, str]:
    """A page of metrics, in the format that the scraper accepts, and its content type."""
    encode, content_type = choose_encoder(accept)
    return encode(registry()), content_type


def registry() -> CollectorRegistry:
    """The metrics of this app alone; with PROMETHEUS_MULTIPROC_DIR those of all processes."""
    made = CollectorRegistry()
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        MultiProcessCollector(made)  # type: ignore[no-untyped-call]
    else:
        made.register(REQUESTS)
        made.register(SECONDS)
    made.register(HealthCollector())
    return made


class HealthCollector(Collector):
    """Register it where the shop's own metrics are scraped: ``REGISTRY.register(...)``."""

    def describe(self) -> list[Metric]:
        """Nothing, so that registering it asks no database."""
        return []

    def collect(self) -> Iterator[Metric]:
        try:
            health = current_health()
        except DatabaseError:
            logger.exception("The health of payments could not be found out")
            yield _one("up", "Whether the figures could be found out.", 0)
            return
        yield _one("up", "Whether the figures could be found out.", 1)
        yield from _metrics(health)


def _metrics(health: Health) -> Iterator[Metric]:
    yield _by(
        "status",
        "1 for the status that payments have.",
        "status",
        {each.value: each == health.status for each in HealthStatus},
    )
    problems = {each.code: 1 for each in health.problems}
    yield _by("problem", "1 for each reason that the status is not ok.", "code", problems)
    yield _by(
        "unresolved",
        "What is not known or not done yet.",
        "state",
        {
            "uncertain": health.unresolved.uncertain,
            "undoing": health.unresolved.undoing,
            "in_flight": health.unresolved.in_flight,
        },
    )
    yield _money(health)
    yield from _backlogs(health)
    yield from _providers(health)
    yield from _jobs(health)
    yield from _resolution(health)


def _money(health: Health) -> Metric:
    family = GaugeMetricFamily(
        f"{_PREFIX}_money_at_risk",
        "Money that hangs on what is not known or not done, in major units.",
        labels=["currency", "part"],
    )
    for currency, risk in health.money_at_risk.items():
        for part in ("uncertain", "undoing", "discrepancies"):
            family.add_metric([currency, part], float(getattr(risk, part)))
    return family


def _backlogs(health: Health) -> Iterator[Metric]:
    yield _by(
        "discrepancies_open",
        "Open discrepancies.",
        "severity",
        health.discrepancies.by_severity,
    )
    yield _one("automation_stops", "Active stops of automation.", len(health.automation_stops))
    backlogs = {
        "webhooks_unapplied": health.webhooks_unapplied,
        "signals_owed": health.signals_owed,
        "proposals_open": health.proposals,
    }
    for name, backlog in backlogs.items():
        yield _one(name, f"{name.replace('_', ' ').capitalize()}.", backlog.count)
    ages = {name: backlog.oldest_seconds for name, backlog in backlogs.items()} | {
        "uncertain": health.unresolved.oldest_uncertain_seconds,
        "unresolved": health.unresolved.oldest_seconds,
        "discrepancies_open": health.discrepancies.oldest_seconds,
    }
    yield _by(
        "oldest_seconds",
        "Age of the oldest; 0 where there is none.",
        "of",
        {name: age or 0 for name, age in ages.items()},
    )


def _providers(health: Health) -> Iterator[Metric]:
    yield _by(
        "provider_paused",
        "1 while a provider does not answer and is asked only once in a while.",
        "provider",
        {each.provider_id: each.breaker == "open" for each in health.providers},
    )
    yield _by(
        "provider_reads",
        "Reads that the sweeps were granted within this minute.",
        "provider",
        {each.provider_id: each.reads_this_minute for each in health.providers},
    )


def _jobs(health: Health) -> Iterator[Metric]:
    if health.sweep.finished_at:
        at = health.sweep.finished_at.timestamp()
        yield _one("sweep_finished_timestamp_seconds", "When the last sweep ended.", at)
    figures = health.audit.figures
    if until := figures.get("verified_until"):
        at = datetime.fromisoformat(until).timestamp()
        yield _one("audit_verified_timestamp_seconds", "Until when trails are verified.", at)
    if health.audit.finished_at:
        yield _one("audit_breaks", "Breaks found by the last verification.", figures["breaks"])


def _resolution(health: Health) -> Iterator[Metric]:
    times = health.resolution
    yield _one(
        "resolution_objective_seconds",
        "Within which outcomes should be known.",
        times.objective_seconds,
    )
    yield _one("resolution_objective_met", "Whether they are.", times.is_met)
    if times.p95_seconds is not None:
        yield _one(
            "resolution_p95_seconds", "Within which 95 of 100 were known.", times.p95_seconds
        )


def _one(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"{_PREFIX}_{name}", text, value=float(value))


def _by(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(f"{_PREFIX}_{name}", text, labels=[label])
    for each, value in values.items():
        family.add_metric([each], float(value))
    return family
