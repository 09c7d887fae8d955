"""What a scraper is told, and who may scrape."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import override_settings
from django.urls import path
from django.utils import timezone
from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from medusa_payments.api.views.metrics import Metrics
from medusa_payments.integrations.prometheus import HealthCollector, exposition
from medusa_payments.models import Discrepancy, RecurringJob
from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.api.shop import basic
from tests.conftest import ADMIN_API_KEY
from tests.laws.fixtures import configure_stripe, fake, shop, stripe
from tests.laws.scenes import STRIPE, StagedProvider, captured_at, session_at

__all__ = ["fake", "shop", "stripe"]

urlpatterns = [path("metrics", Metrics.as_view(exposition=exposition))]

Samples = dict[tuple[str, tuple[str, ...]], float]


def samples(page: str) -> Samples:
    """By name and the values of the labels."""
    return {
        (sample.name.removeprefix("medusa_payments_"), tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


def scraped() -> Samples:
    return samples(exposition("")[0].decode())


@pytest.mark.django_db
def test_requests_are_counted_by_what_came_of_them(stripe: StripeSimulator, shop: Any) -> None:
    configure_stripe(shop, READ_TIMEOUT=1.0, TOTAL_BUDGET=20.0)
    before = REGISTRY.get_sample_value("medusa_payments_provider_request_seconds_count", _ASKED)
    counts = {outcome: _count(outcome) for outcome in ("failed", "succeeded")}
    stripe.fault("rate_limit", "payment_intents.create", times=1)

    session_at(STRIPE)

    assert {outcome: _count(outcome) - n for outcome, n in counts.items()} == {
        "failed": 1,
        "succeeded": 1,
    }
    after = REGISTRY.get_sample_value("medusa_payments_provider_request_seconds_count", _ASKED)
    assert (after or 0) - (before or 0) == 2


_ASKED = {"provider": STRIPE, "method": "send", "kind": "initiate"}


def _count(outcome: str) -> float:
    name = "medusa_payments_provider_requests_total"
    return REGISTRY.get_sample_value(name, {**_ASKED, "outcome": outcome}) or 0


@pytest.mark.django_db
def test_figures_are_those_of_the_health_check(fake: StagedProvider) -> None:
    now = timezone.now()
    RecurringJob.objects.create(name="reconcile_payments", started_at=now, finished_at=now)
    captured_at(fake)
    Discrepancy.objects.create(
        kind="ghost", open_key="g", amount_minor=1050, currency_code="eur", detail="Odd"
    )

    told = scraped()

    assert told["up", ()] == 1
    assert told["status", ("degraded",)] == 1
    assert told["problem", ("discrepancies_open",)] == 1
    assert told["money_at_risk", ("eur", "discrepancies")] == 10.5
    assert told["discrepancies_open", ("warning",)] == 1
    assert told["sweep_finished_timestamp_seconds", ()] == pytest.approx(now.timestamp(), abs=1)
    assert told["provider_paused", (STRIPE,)] == 0


def test_registering_the_figures_asks_no_database() -> None:
    """Without the fixture of a database, a query would fail this test."""
    CollectorRegistry(auto_describe=True).register(HealthCollector())


@pytest.mark.django_db
@override_settings(ROOT_URLCONF="tests.integrations.test_prometheus")
def test_only_who_may_see_the_figures_may_scrape(client: Any, stripe_settings: Any) -> None:
    key = {"Authorization": basic(ADMIN_API_KEY)}

    anonymous, scraper = client.get("/metrics"), client.get("/metrics", headers=key)
    client.force_login(User.objects.create_user("ana", is_staff=True))
    without_permission = client.get("/metrics")

    assert (anonymous.status_code, without_permission.status_code) == (401, 403)
    assert scraper.status_code == 200
    assert scraper["Content-Type"].startswith("text/plain")
    assert samples(scraper.content.decode())["up", ()] == 1


_COUNTS = """
import django
django.setup()
from medusa_payments.operations.tracing import ProviderRequest, traced
with traced(ProviderRequest(method="send", kind="refund", provider_id="pp_one")) as request:
    request.outcome = "succeeded"
"""


@pytest.mark.slow
@pytest.mark.django_db
def test_several_processes_are_counted_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    settings = {"DJANGO_SETTINGS_MODULE": "example_project.settings"}
    for _ in range(2):
        subprocess.run([sys.executable, "-c", _COUNTS], env={**os.environ, **settings}, check=True)

    told = scraped()

    labels = ("refund", "send", "succeeded", "pp_one")
    total = {key: n for key, n in told.items() if key[0] == "provider_requests_total"}
    assert {tuple(sorted(key[1])): n for key, n in total.items()} == {tuple(sorted(labels)): 2}
