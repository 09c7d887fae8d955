"""The words that other programs rely on (INTERFACE.md, CONTRACT.md section 5)."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.db import models

from medusa_payments import statuses
from medusa_payments.signals import FOR_THE_SHOP

WORDS = {
    "CollectionStatus": "not_paid awaiting authorized partially_authorized canceled failed"
    " partially_captured completed",
    "SessionStatus": "authorized captured pending requires_more error canceled"
    " pending_authorization",
    "DeletedReason": "replaced deleted indeterminate",
    "Resolution": "not_created closed refunded adopted written_off",
    "MovementStatus": "requested pending succeeded failed indeterminate",
    "CallState": "open succeeded failed indeterminate",
    "CallKind": "initiate update capture refund cancel",
    "DisputeStatus": "inquiry open won lost",
    "EventState": "received applied parked quarantined",
    "DiscrepancyKind": "ghost missing amount currency status duplicate dispute undo_blocked"
    " unresolved",
    "DiscrepancyState": "open closed",
    "WebhookAction": "authorized captured failed pending requires_more canceled not_supported"
    " pending_authorization",
}


@pytest.mark.parametrize("name", WORDS)
def test_values_are_what_other_programs_read(name: str) -> None:
    assert set(WORDS[name].split()) <= set(getattr(statuses, name).values)


@pytest.mark.parametrize("name", ["Resolution", "MovementStatus", "CallState", "DeletedReason"])
def test_there_are_no_further_values_behind_their_backs(name: str) -> None:
    assert set(getattr(statuses, name).values) == set(WORDS[name].split())


def test_every_value_fits_its_column() -> None:
    too_long = [
        (field, value)
        for model in apps.get_app_config("medusa_payments").get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, models.CharField)
        for value, _ in field.flatchoices
        if len(value) > (field.max_length or 0)
    ]

    assert too_long == []


@pytest.mark.parametrize(
    ("group", "members"),
    [
        (statuses.UNRESOLVED_MOVEMENTS, {"requested", "indeterminate"}),
        (statuses.UNRESOLVED_CALLS, {"open", "indeterminate"}),
        (statuses.OPEN_PROVIDER_STATES, {"payable", "action_required", "processing"}),
    ],
)
def test_groups(group: Any, members: set[str]) -> None:
    assert {str(each) for each in group} == members


def test_every_signal_for_the_shop_is_named_as_it_is_imported() -> None:
    from medusa_payments import signals

    assert {name: getattr(signals, name) for name in FOR_THE_SHOP} == FOR_THE_SHOP
