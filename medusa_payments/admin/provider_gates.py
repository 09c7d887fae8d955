from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.utils import timezone

from medusa_payments.admin.base import ReadOnlyAdmin
from medusa_payments.admin.columns import (
    identifier_column,
    own_link_column,
    text_column,
    time_column,
)
from medusa_payments.admin.display import badge
from medusa_payments.models import ProviderGate


@admin.register(ProviderGate)
class ProviderGateAdmin(ReadOnlyAdmin):
    """Whether the sweep asks a provider at the moment, and what it last heard."""

    list_display = (
        "own_link",
        "provider",
        "state",
        "failures",
        "text",
        "failed",
        "answered",
        "reads",
    )
    search_fields = ("credentials__startswith", "provider_id__startswith")
    search_help_text = "Account; provider."
    fieldsets = (
        (None, {"fields": ("own_link", "provider", "state")}),
        ("Answers", {"fields": ("answered", "failures", "text", "failed")}),
        ("Pause", {"fields": ("opened", "until")}),
        ("Reads in this minute", {"fields": ("reads", "window")}),
    )

    own_link = own_link_column()
    provider = identifier_column("provider_id", "provider asked last")
    text = text_column("last_failure", "last failure")
    failed = time_column("last_failure_at", "failed")
    answered = time_column("last_answer_at", "last answer")
    opened = time_column("opened_at", "paused since")
    until = time_column("open_until", "next try")
    window = time_column("window_started_at", "minute began")

    @admin.display(description="state", ordering="open_until")
    def state(self, gate: ProviderGate) -> str:
        """By this server's clock; the sweep itself goes by the database's."""
        if gate.open_until is None:
            return badge("answers", tone="good") if gate.last_answer_at else badge("not asked yet")
        if gate.open_until > timezone.now():
            return badge("paused", "does not answer, paused", tone="bad")
        return badge("paused", "does not answer, next sweep tries", tone="doubt")

    def marks(self, row: Any) -> list[str]:
        return [self.state(row)]
