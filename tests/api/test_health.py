"""The health route: a status for everybody, figures for who may see them."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.utils import timezone

from medusa_payments.models import Discrepancy, RecurringJob
from tests.api.shop import Api, basic
from tests.conftest import ADMIN_API_KEY, PUBLISHABLE_KEY

URL = "/api/health"
KEY = {"Authorization": basic(ADMIN_API_KEY)}


@pytest.fixture
def swept(db: None) -> None:
    now = timezone.now()
    RecurringJob.objects.create(name="reconcile_payments", started_at=now, finished_at=now)


def discrepancy(severity: str) -> None:
    Discrepancy.objects.create(
        kind="ghost",
        open_key="ghost:one",
        severity=severity,
        amount_minor=500,
        currency_code="eur",
        detail="Odd",
    )


def test_everybody_is_told_the_status_and_nothing_else(api: Api, swept: None) -> None:
    discrepancy("warning")

    for headers in ({}, {"x-publishable-api-key": PUBLISHABLE_KEY}):
        answer = api.ask("GET", URL, headers=headers)

        assert (answer.status_code, answer.json()) == (200, {"status": "degraded"})


def test_a_secret_key_sees_the_figures(api: Api, swept: None) -> None:
    api.captured()

    answer = api.ask("GET", URL, headers=KEY)

    told = answer.json()
    assert (answer.status_code, told["status"], told["problems"]) == (200, "ok", [])
    assert told["unresolved"]["count"] == 0
    assert told["providers"][0]["provider_id"] == "pp_stripe_stripe"


def test_failing_is_503_for_everybody(api: Api, swept: None) -> None:
    discrepancy("critical")

    public, shown = api.ask("GET", URL), api.ask("GET", URL, headers=KEY)

    assert (public.status_code, public.json()) == (503, {"status": "failing"})
    assert (shown.status_code, shown.json()["money_at_risk"]["eur"]["total"]) == (503, 5)


def test_the_wrong_key_is_told_that_it_is_wrong(api: Api, swept: None) -> None:
    answer = api.ask("GET", URL, headers={"Authorization": basic("sk_of_somebody_else")})

    assert answer.status_code == 401


@pytest.mark.parametrize(("permitted", "sees"), [(True, True), (False, False)])
def test_a_member_of_the_staff_needs_the_permission(
    permitted: bool, sees: bool, api: Api, swept: None, client: Any
) -> None:
    user = User.objects.create_user("ana", is_staff=True)
    if permitted:
        user.user_permissions.add(Permission.objects.get(codename="view_discrepancy"))
    client.force_login(user)

    answer = client.get(URL)

    assert answer.status_code == 200
    assert ("unresolved" in answer.json()) is sees


def test_it_is_kept_by_nobody(api: Api, swept: None) -> None:
    assert api.ask("GET", URL)["Cache-Control"] == "no-store"
