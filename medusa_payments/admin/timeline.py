"""The audit trail of a collection as a story: moments, and what changed in each."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any

from django.apps import apps

from medusa_payments.admin.display import badge, identifier, record_link
from medusa_payments.admin.sentences import (
    cause_words,
    door_words,
    field_words,
    sentence,
    value_words,
)
from medusa_payments.models import AuditEntry


@dataclass(frozen=True)
class FieldChange:
    name: str
    before: str
    after: str
    is_new: bool  # the row was made, so there is no before


@dataclass(frozen=True)
class Entry:
    number: int
    action: str
    sentence: str
    subject: str  # a link
    tone: str
    changes: list[FieldChange] = field(default_factory=list)


@dataclass(frozen=True)
class Moment:
    """What one transaction wrote: one actor, one door, one cause."""

    at: datetime
    actor: str
    names_actor: bool  # not when the door says it already
    door_badge: str
    cause: str
    entries: list[Entry]


_DOOR_TONES = {"webhook": "busy", "sweep": "doubt", "admin": "good", "admin_api": "good"}

_TONES = {
    "good": (
        "succeeded",
        "captured",
        "authorized",
        "resolved",
        "recorded",
        "agreed",
        "approved",
        "done",
    ),
    "doubt": ("indeterminate", "reopened", "claimed", "withheld", "parked"),
    "bad": ("failed", "error", "opened", "declined"),
}


def moments(
    entries: Iterable[AuditEntry],
    *,
    currencies: Mapping[str, str],
    amounts: Mapping[str, int],
    site: str,
) -> Iterator[Moment]:
    """Group entries of one transaction. ``currencies`` and ``amounts`` go by a record's id, for
    the entries that do not name their own."""

    def transaction(entry: AuditEntry) -> tuple[Any, ...]:
        return entry.created_at, entry.actor, entry.door, entry.cause

    for (at, actor, door, cause), group in groupby(entries, key=transaction):
        yield Moment(
            at=at,
            actor=actor,
            names_actor=actor != door,
            door_badge=badge(door, door_words(door), tone=_DOOR_TONES.get(door, "quiet")),
            cause=cause_words(cause),
            entries=[_entry(each, currencies, amounts, site) for each in group],
        )


def _entry(
    entry: AuditEntry, currencies: Mapping[str, str], amounts: Mapping[str, int], site: str
) -> Entry:
    before, after = json.loads(entry.before), json.loads(entry.after)
    currency = after.get("currency_code") or currencies.get(entry.subject_id, "")
    return Entry(
        number=entry.number,
        action=entry.action,
        sentence=sentence(
            entry.action, {"amount_minor": amounts.get(entry.subject_id), **after}, currency
        ),
        subject=_subject_link(entry, site),
        tone=_tone(entry.action),
        changes=list(_changes(before, after, currency)),
    )


def _subject_link(entry: AuditEntry, site: str) -> str:
    try:
        model = apps.get_model("medusa_payments", entry.subject_type)
    except LookupError:
        return identifier(entry.subject_id)
    return record_link(model, entry.subject_id, site=site)


def _tone(action: str) -> str:
    last = action.partition(".")[2].partition("_")[0]
    return next((tone for tone, words in _TONES.items() if last in words), "quiet")


def _changes(before: dict[str, Any], after: dict[str, Any], currency: str) -> Iterator[FieldChange]:
    """What differs; of a row that was made, what it says beyond nothing."""
    for name, value in after.items():
        if before.get(name) == value or (not before and value in (None, "", 0, False)):
            continue
        yield FieldChange(
            name=field_words(name),
            before=value_words(name, before.get(name), before.get("currency_code") or currency),
            after=value_words(name, value, currency),
            is_new=not before,
        )
