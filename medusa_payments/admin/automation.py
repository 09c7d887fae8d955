"""The kill switch, and what the caps have counted."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import F
from django.http import HttpRequest

from medusa_payments.admin.base import ReadOnlyAdmin, RecordAct
from medusa_payments.admin.columns import (
    identifier_column,
    own_link_column,
    text_column,
    time_column,
)
from medusa_payments.admin.decision_pages import DecidingAdmin, Decision, Line, ReasonForm, Result
from medusa_payments.admin.display import NOTHING, badge, identifier, money, scrub
from medusa_payments.models import AutomationStop, UndoingAllowance
from medusa_payments.operations.actors import Actor
from medusa_payments.operations.automation import resume_automation, stop_automation
from medusa_payments.providers.registry import provider_ids


def where_stopped(stop: AutomationStop) -> str:
    return stop.provider_id or "every provider"


class StopForm(ReasonForm):
    provider_id = forms.ChoiceField(label="At", required=False)
    field_order = ("provider_id", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", "every provider"), *((each, each) for each in provider_ids())]
        self.fields["provider_id"].choices = choices  # type: ignore[attr-defined]


class Stop(Decision):
    name = "stop"
    permission = "stop_automation"
    title = "Stop automatic acts"
    button = "Stop automatic acts"
    intro = (
        "From the next act on nothing is undone, sent again or adopted by itself, until somebody"
        " resumes. Reading and recording go on, and what a person asks for is done as before."
        " Money that should go back waits meanwhile."
    )
    cancel = "Cancel, stop nothing"
    form = StopForm
    has_rows = False

    def perform(self, row: None, *, actor: Actor, site: str, **words: Any) -> Result:
        stop = stop_automation(
            reason=words["reason"], actor=actor, provider_id=words["provider_id"]
        )
        return Result("succeeded", f"Automatic acts are stopped at {where_stopped(stop)}.")


class Resume(Decision):
    name = "resume"
    permission = "stop_automation"
    title = "Resume automatic acts"
    button = "Resume"
    intro = (
        "What waited is due at once: with the next sweep money may go back. A stop of every"
        " provider and one of a single provider are lifted each by itself."
    )
    cancel = "Cancel, stay stopped"
    form = forms.Form

    def label(self, row: AutomationStop) -> str:
        return self.button if row.active_key else ""

    def line(self, row: AutomationStop, *, actor: Actor, site: str) -> Line:
        return Line(
            marks=[stop_badge(row)],
            known=[f"Stopped by {row.stopped_by}: {scrub(row.reason)}"],
            will_happen=[f"Automatic acts go on at {where_stopped(row)}."],
            why_not="" if row.active_key else f"It was lifted by {row.lifted_by}.",
        )

    def perform(self, row: AutomationStop, *, actor: Actor, site: str, **words: Any) -> Result:
        """The page may be older than another stop of the same provider, which stays."""
        if row.active_key is None:
            return Result("refused", f"It was lifted already, by {row.lifted_by}.")
        resume_automation(actor=actor, provider_id=row.provider_id)
        return Result("succeeded", f"Automatic acts go on at {where_stopped(row)}.")


def stop_badge(stop: AutomationStop) -> str:
    if stop.active_key:
        return badge("stopped", "stopped now", tone="bad")
    return badge("lifted", tone="quiet")


@admin.register(AutomationStop)
class AutomationStopAdmin(DecidingAdmin):
    """Every stop that was made; the active ones first."""

    decisions = (Stop(), Resume())
    actions = ("resume",)
    ordering = (F("lifted_at").desc(nulls_first=True), "-pk")
    list_display = ("own_link", "state", "where", "text", "by", "created", "lifter", "lifted")
    list_filter = ("created_at",)
    search_fields = ("id__startswith", "provider_id__startswith", "stopped_by__startswith")
    search_help_text = "Id of the stop; provider; who stopped."
    fieldsets = (
        (None, {"fields": ("own_link", "state", "where", "text")}),
        ("Time", {"fields": ("created", "by", "lifted", "lifter")}),
    )

    own_link = own_link_column()
    text = text_column("reason", "because")
    by = identifier_column("stopped_by", "stopped by")
    created = time_column("created_at", "stopped")
    lifter = identifier_column("lifted_by", "lifted by")
    lifted = time_column("lifted_at", "lifted")

    @admin.display(description="state", ordering="lifted_at")
    def state(self, stop: AutomationStop) -> str:
        return stop_badge(stop)

    @admin.display(description="where", ordering="provider_id")
    def where(self, stop: AutomationStop) -> Any:
        return identifier(stop.provider_id) if stop.provider_id else "every provider"

    def marks(self, row: Any) -> list[str]:
        return [stop_badge(row)]

    def list_acts(self, request: HttpRequest) -> list[RecordAct]:
        stop = self.decisions[0]
        return [RecordAct(self.url_of(stop.name), stop.button)] if self.may(request, stop) else []

    def has_stop_permission(self, request: HttpRequest) -> bool:
        return self.may(request, self.decisions[1])

    @admin.action(description="Resume automatic acts", permissions=["stop"])
    def resume(self, request: HttpRequest, queryset: Any) -> Any:
        return self.ask(request, self.decisions[1], queryset)


@admin.register(UndoingAllowance)
class UndoingAllowanceAdmin(ReadOnlyAdmin):
    """How much was undone by itself, as the caps count it."""

    list_display = ("scope_text", "provider", "currency", "acts", "amount", "created")
    list_filter = ("created_at",)
    search_fields = ("scope__startswith", "provider_id__startswith")
    search_help_text = 'Scope, such as "day:2026-03-01"; provider.'
    fieldsets = (
        (
            None,
            {"fields": ("scope_text", "provider", "currency", "acts", "amount", "created")},
        ),
    )

    scope_text = identifier_column("scope")
    created = time_column("created_at", "since")

    @admin.display(description="provider", ordering="provider_id")
    def provider(self, row: UndoingAllowance) -> Any:
        return identifier(row.provider_id) if row.provider_id else "all together"

    @admin.display(description="currency", ordering="currency_code")
    def currency(self, row: UndoingAllowance) -> str:
        return row.currency_code.upper() or "all together"

    @admin.display(description="amount")
    def amount(self, row: UndoingAllowance) -> str:
        return money(row.amount_minor, row.currency_code) if row.currency_code else NOTHING
