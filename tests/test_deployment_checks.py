"""What `manage.py check` says of where and how payments run."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from django.db import connections
from django.test import modify_settings, override_settings
from django.utils import timezone
from djstripe.models import WebhookEndpoint

from medusa_payments.models import RecurringJob
from tests.laws.fixtures import configure_stripe, fake, shop
from tests.laws.scenes import StagedProvider, captured_at

__all__ = ["fake", "shop"]

ROOT = Path(__file__).resolve().parent.parent
WITHOUT_DJSTRIPE = modify_settings(INSTALLED_APPS={"remove": ["djstripe"]})


def found(tag: str = "medusa_payments", **options: Any) -> list[str]:
    """Ids of our findings."""
    messages = run_checks(tags=[tag], **options)
    ids = [str(each.id) for each in messages]
    return [each.removeprefix("medusa_payments.") for each in ids if "medusa_payments" in each]


def in_database() -> list[str]:
    return found("database", databases=["default"])


def test_atomic_requests_is_told_as_information(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", True)

    assert found() == ["I001"]


@WITHOUT_DJSTRIPE
def test_a_provider_that_can_accept_no_event_is_told(shop: Any) -> None:
    with_secret = found()
    configure_stripe(shop, WEBHOOK_SECRETS=())

    assert (with_secret, found()) == ([], ["W001"])


@pytest.mark.django_db
def test_with_dj_stripe_events_may_arrive_there(shop: Any) -> None:
    configure_stripe(shop, WEBHOOK_SECRETS=())
    nowhere = in_database()
    WebhookEndpoint.objects.create(id="we_1", url="https://shop.example/hook", enabled_events=["*"])

    assert (nowhere, in_database()) == (["W001"], [])
    assert found() == []  # without a database nobody can know


@pytest.mark.django_db
def test_an_endpoint_of_dj_stripe_that_checks_nothing_is_told(shop: Any) -> None:
    WebhookEndpoint.objects.create(
        id="we_1",
        url="https://shop.example/hook",
        enabled_events=["*"],
        djstripe_validation_method="none",
    )

    assert in_database() == ["W002"]


@pytest.mark.django_db
def test_a_shop_that_takes_payments_and_does_not_sweep_is_told(fake: StagedProvider) -> None:
    before = in_database()
    captured_at(fake)
    never = in_database()
    job = RecurringJob.objects.create(name="reconcile_payments", finished_at=timezone.now())
    swept = in_database()
    job.finished_at -= timedelta(seconds=601)
    job.save()

    assert (before, never, swept, in_database()) == ([], ["W003"], [], ["W003"])


def test_sqlite_in_production_is_told_when_asked_about_a_deployment() -> None:
    is_sqlite = connections["default"].vendor == "sqlite"

    with override_settings(DEBUG=False):
        deployed = found(include_deployment_checks=True)
        plain = found()
    with override_settings(DEBUG=True):
        developed = found(include_deployment_checks=True)

    assert deployed == (["W004"] if is_sqlite else [])
    assert (plain, developed) == ([], [])


def test_checks_of_the_database_are_quiet_before_migrate(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--database", "default", "--fail-level", "INFO"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": f"sqlite:///{tmp_path / 'none.sqlite3'}"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
