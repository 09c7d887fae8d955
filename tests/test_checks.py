from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.core.checks import run_checks
from django.test import override_settings

SYSTEM = {"pp_system_default": {"BACKEND": "medusa_payments.providers.system.SystemProvider"}}


def _found() -> list[str]:
    return [str(each.id) for each in run_checks(tags=["medusa_payments"])]


@override_settings(MEDUSA_PAYMENTS={"PROVIDERS": SYSTEM})
def test_good_settings_have_no_findings() -> None:
    assert _found() == []


def test_origins_and_resolvers_as_they_should_be_have_no_findings() -> None:
    origins = ("https://shop.example", "http://127.0.0.1:8000", "https://[::1]", "app://localhost")
    configured = {"STORE_CORS": origins, "ACCESS_RESOLVER": "operator.eq"}
    with override_settings(MEDUSA_PAYMENTS=configured):
        assert _found() == []


def test_settings_of_reconciliation_as_they_should_be_have_no_findings() -> None:
    configured = {
        "POLICIES": [
            {"MODE": "observe", "PROVIDER": "pp_stripe_stripe", "KIND": "refund"},
            {"MODE": "propose", "ABOVE": {"eur": Decimal("99.50"), "jpy": 0}, "OLDER_THAN": 60},
            {"MODE": "act"},
        ],
        "CAPS": {"RUN": {"ACTS": 0}, "DAY": {"ACTS": 100, "AMOUNT": {"eur": 5000, "kwd": 1}}},
        "TWO_PERSONS_ABOVE": {"eur": Decimal(1000), "usd": 0},
        "LATE_SUCCESS": "adopt",
        "BREAKER_SCHEDULE": [0.5, 10],
    }
    with override_settings(MEDUSA_PAYMENTS=configured):
        assert _found() == []


@override_settings(MEDUSA_PAYMENTS={})
def test_no_settings_at_all_are_good_settings() -> None:
    assert _found() == []


def test_the_example_has_no_findings() -> None:
    assert _found() == []


@pytest.mark.parametrize(
    ("configured", "finding"),
    [
        ("not a dictionary", "E001"),
        ({"PROVIDER": {}}, "E002"),
        ({"PROVIDERS": []}, "E003"),
        ({"PROVIDERS": {"pp_x": {}}}, "E003"),
        ({"PROVIDERS": {"pp_x": {"BACKEND": "no.such.Provider"}}}, "E003"),
        ({"PROVIDERS": {"pp_x": {"BACKEND": "decimal.Decimal"}}}, "E003"),
        (
            {"PROVIDERS": {"s": {"BACKEND": "medusa_payments.providers.stripe.StripeProvider"}}},
            "E003",
        ),
        ({"WEBHOOK_APPLY": "later"}, "E004"),
        ({"DEFAULT_CURRENCY": "euro"}, "E007"),
        ({"NOT_FOUND_HORIZON": -1}, "E008"),
        ({"NOT_FOUND_HORIZON": "1h"}, "E008"),
        ({"LEASE_SECONDS": True}, "E008"),
        ({"PENDING_INTERVAL": None}, "E008"),
        ({"IDEMPOTENCY_RETENTION": "1d"}, "E008"),
        ({"RECONCILE_SCHEDULE": ()}, "E009"),
        ({"RECONCILE_SCHEDULE": (10, 0)}, "E009"),
        ({"RECONCILE_SCHEDULE": (True,)}, "E009"),
        ({"PUBLISHABLE_KEYS": "pk_1"}, "E010"),
        ({"SECRET_KEYS": ("sk_1", "")}, "E010"),
        ({"STORE_CORS": "https://shop.example"}, "E011"),
        ({"STORE_CORS": ("*",)}, "E011"),
        ({"ADMIN_CORS": ("https://shop.example/",)}, "E011"),
        ({"ADMIN_CORS": ("shop.example",)}, "E011"),
        ({"AUTH_CORS": ("https://Shop.example", "https://other.example")}, "E011"),
        ({"AUTH_CORS": ("null",)}, "E011"),
        ({"CART_RESOLVER": "shop.no_such_module.cart"}, "E012"),
        ({"REGION_PROVIDER_RESOLVER": "decimal"}, "E012"),
        ({"ACCESS_RESOLVER": "decimal.ROUND_UP"}, "E012"),
        ({"ACCESS_RESOLVER": len}, "E012"),
        ({"POLICIES": {"MODE": "act"}}, "E013"),
        ({"POLICIES": ["act"]}, "E013"),
        ({"POLICIES": [{}]}, "E013"),
        ({"POLICIES": [{"MODE": "ask"}]}, "E013"),
        ({"POLICIES": [{"MODE": "act", "CURRENCY": "eur"}]}, "E013"),
        ({"POLICIES": [{"MODE": "act", "PROVIDER": "stripe"}]}, "E013"),
        ({"POLICIES": [{"MODE": "act", "KIND": "verdict"}]}, "E013"),
        ({"POLICIES": [{"MODE": "act", "ABOVE": Decimal(100)}]}, "E013"),
        ({"POLICIES": [{"MODE": "act", "ABOVE": {"eur": 99.5}}]}, "E013"),
        ({"POLICIES": [{"MODE": "act", "ABOVE": {"EUR": 100}}]}, "E013"),
        ({"POLICIES": [{"MODE": "act", "ABOVE": {"eur": Decimal("0.001")}}]}, "E013"),
        ({"POLICIES": [{"MODE": "act", "OLDER_THAN": "1h"}]}, "E013"),
        ({"CAPS": [100]}, "E014"),
        ({"CAPS": {"HOUR": {"ACTS": 1}}}, "E014"),
        ({"CAPS": {"DAY": 100}}, "E014"),
        ({"CAPS": {"DAY": {"ACT": 100}}}, "E014"),
        ({"CAPS": {"DAY": {"ACTS": -1}}}, "E014"),
        ({"CAPS": {"DAY": {"ACTS": True}}}, "E014"),
        ({"CAPS": {"RUN": {"AMOUNT": 100}}}, "E014"),
        ({"CAPS": {"RUN": {"AMOUNT": {"euro": 100}}}}, "E014"),
        ({"TWO_PERSONS_ABOVE": Decimal(1000)}, "E015"),
        ({"TWO_PERSONS_ABOVE": {"eur": -1}}, "E015"),
        ({"TWO_PERSONS_ABOVE": {"eur": "1000"}}, "E015"),
        ({"LATE_SUCCESS": "keep"}, "E016"),
        ({"READS_PER_MINUTE": 0}, "E017"),
        ({"BREAKER_FAILURES": 2.5}, "E017"),
        ({"BREAKER_SCHEDULE": ()}, "E017"),
        ({"BREAKER_SCHEDULE": 30}, "E017"),
        ({"BREAKER_SCHEDULE": (30, -1)}, "E017"),
        ({"OUTAGE_ALERT": 0}, "E017"),
        ({"RESOLUTION_OBJECTIVE": "2h"}, "E017"),
        ({"SWEEP_EXPECTED_WITHIN": None}, "E017"),
    ],
)
def test_a_wrong_setting_is_found(configured: Any, finding: str) -> None:
    with override_settings(MEDUSA_PAYMENTS=configured):
        assert _found() == [f"medusa_payments.{finding}"]


@pytest.mark.parametrize("name", ["SAFE_DELETE_FIELD_NAME", "SAFE_DELETE_CASCADED_FIELD_NAME"])
def test_a_setting_that_renames_our_columns_is_found(name: str) -> None:
    with override_settings(MEDUSA_PAYMENTS={}, **{name: "erased"}):
        assert _found() == ["medusa_payments.E006"]


@override_settings(MEDUSA_PAYMENTS={}, USE_TZ=False)
def test_naive_times_are_found() -> None:
    assert _found() == ["medusa_payments.E005"]


def test_a_secret_in_the_wrong_place_is_not_shown() -> None:
    stripe = {
        "BACKEND": "medusa_payments.providers.stripe.StripeProvider",
        "OPTIONS": {"API_KEY": "whsec_secret_in_the_wrong_place"},
    }
    with override_settings(MEDUSA_PAYMENTS={"PROVIDERS": {"pp_stripe_stripe": stripe}}):
        (found,) = run_checks(tags=["medusa_payments"])

    assert "wrong_place" not in str(found)
