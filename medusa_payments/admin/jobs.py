from __future__ import annotations

from typing import Any

from django.contrib import admin

from medusa_payments.admin.base import ReadOnlyAdmin
from medusa_payments.admin.columns import json_column, own_link_column, time_column
from medusa_payments.admin.display import NOTHING, badge, scrub
from medusa_payments.models import RecurringJob


@admin.register(RecurringJob)
class RecurringJobAdmin(ReadOnlyAdmin):
    """When the sweep and the audit last ran, and what they found."""

    ordering = ("pk",)
    list_display = ("own_link", "state", "started", "finished", "text")
    search_fields = ("name__startswith",)
    search_help_text = "Name of the job."
    fieldsets = ((None, {"fields": ("own_link", "state", "started", "finished", "figures_json")}),)

    own_link = own_link_column()
    started = time_column("started_at", "last began")
    finished = time_column("finished_at", "last came to its end")
    figures_json = json_column("figures", "figures of that run")

    @admin.display(description="state")
    def state(self, job: RecurringJob) -> str:
        if job.finished_at is None:
            return badge("running", "never came to its end", tone="doubt")
        if job.started_at is not None and job.started_at > job.finished_at:
            return badge("running", "running, or broken off", tone="busy")
        return badge("ended", tone="good")

    @admin.display(description="figures")
    def text(self, job: RecurringJob) -> str:
        words = (f"{name.replace('_', ' ')} {value}" for name, value in _plain(job.figures))
        return scrub(", ".join(words)) or NOTHING

    def marks(self, row: Any) -> list[str]:
        return [self.state(row)]


def _plain(figures: dict[str, Any]) -> list[tuple[str, Any]]:
    """Those that fit into a list; the job's own page has all."""
    return [
        (name, value) for name, value in figures.items() if isinstance(value, int | float | str)
    ]
