"""What people decide, asked about first: a page that shows what will happen, row by row, and wants
a reason; then one act for each row.

No transaction spans the rows, and none is open while a provider is asked (law 2).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from medusa_payments.admin.base import ReadOnlyAdmin, RecordAct
from medusa_payments.admin.display import badge, record_link, scrub
from medusa_payments.admin.refund_action import actor_of
from medusa_payments.errors import MedusaPaymentsError, OpenTransaction
from medusa_payments.operations.actors import Actor
from medusa_payments.operations.automation import active_stops
from medusa_payments.operations.database import database_alias

logger = logging.getLogger("medusa_payments")

# Approving a row may ask its provider, and all are decided before the page answers.
MOST_ROWS = 100


class ReasonForm(forms.Form):
    reason = forms.CharField(
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2, "cols": 60}),
        help_text="Why. It is kept, with your name.",
    )


@dataclass(frozen=True)
class Line:
    """One row as the question shows it: what is known, and what will happen."""

    marks: list[str] = field(default_factory=list)
    amount: str = "-"
    known: list[str] = field(default_factory=list)
    request: str = ""  # exactly what would be asked of the provider
    will_happen: list[str] = field(default_factory=list)
    why_not: str = ""  # it cannot be decided, so it is left out


@dataclass(frozen=True)
class Result:
    """What became of one row. ``more``: a link to what came of it."""

    state: str
    text: str
    more: str = ""


_RESULTS = {
    "succeeded": "done",
    "waits": "waits",
    "uncertain": "not done yet",
    "refused": "refused",
}
_TONES = {"waits": "busy"}


class Decision:
    """One thing that people decide: its words, who may, and what is done to a row."""

    name: str  # of its page's address
    permission: str
    title: str
    button: str
    intro: str
    cancel = "Cancel, decide nothing"
    form: type[forms.Form] = ReasonForm
    has_rows = True

    def label(self, row: Any) -> str:
        """Of the button on the row's page; empty where there is nothing to decide."""
        return self.button

    def line(self, row: Any, *, actor: Actor, site: str) -> Line:
        raise NotImplementedError

    def perform(self, row: Any, *, actor: Actor, site: str, **words: Any) -> Result:
        """Call the operation. What it refuses is told in the row by ``decide``."""
        raise NotImplementedError


class DecidingAdmin(ReadOnlyAdmin):
    """A record page from which people decide."""

    decisions: tuple[Decision, ...] = ()

    def get_urls(self) -> list[URLPattern]:
        """Where something is decided, no transaction may be open, whatever ATOMIC_REQUESTS says."""
        own = [self._path(decision) for decision in self.decisions]
        urls = [*own, *super().get_urls()]
        exempt = transaction.non_atomic_requests(using=database_alias())
        names = {url.name for url in own} | {f"{self._prefix()}_changelist"}
        for url in urls:
            if url.name in names:
                exempt(url.callback)
        return urls

    def _path(self, decision: Decision) -> URLPattern:
        return path(
            f"{decision.name}/",
            self.admin_site.admin_view(self.decision_view),
            {"decision": decision},
            name=f"{self._prefix()}_{decision.name}",
        )

    def _prefix(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}"

    def url_of(self, page: str) -> str:
        return reverse(f"admin:{self._prefix()}_{page}", current_app=self.admin_site.name)

    def may(self, request: HttpRequest, decision: Decision) -> bool:
        named = f"{self.opts.app_label}.{decision.permission}"
        return self.has_view_permission(request) and request.user.has_perm(named)

    def acts(self, request: HttpRequest, row: Any) -> list[RecordAct]:
        return [
            RecordAct(f"{self.url_of(each.name)}?id={row.pk}", each.label(row))
            for each in self.decisions
            if each.has_rows and each.label(row) and self.may(request, each)
        ]

    def ask(
        self, request: HttpRequest, decision: Decision, rows: Iterable[Any]
    ) -> HttpResponse | None:
        """The page that asks, for what was chosen in a list; it changes nothing."""
        if not self.may(request, decision):
            raise PermissionDenied
        chosen = list(rows)
        if len(chosen) > MOST_ROWS:
            text = f"At most {MOST_ROWS} can be decided at once. Nothing was changed."
            self.message_user(request, text, messages.ERROR)
            return None
        return self._question(request, decision, chosen, decision.form())

    def decision_view(self, request: HttpRequest, decision: Decision) -> HttpResponse:
        """Asks; where the page is sent to, acts. Sent again, what was decided stays decided."""
        if not self.may(request, decision):
            raise PermissionDenied
        is_sent = request.method == "POST"
        rows = self._named_rows((request.POST if is_sent else request.GET).getlist("id"))
        if decision.has_rows and not rows:
            self.message_user(request, "Nothing was chosen, so nothing changed.", messages.WARNING)
            return HttpResponseRedirect(self.url_of("changelist"))
        form = decision.form(request.POST) if is_sent else decision.form()
        if not (is_sent and form.is_valid()):
            return self._question(request, decision, rows, form)
        return self._results(request, decision, rows or [None], form.cleaned_data)

    def _named_rows(self, ids: list[str]) -> list[Any]:
        return list(self.model.objects.using(database_alias()).filter(pk__in=ids[:MOST_ROWS]))

    def _question(
        self, request: HttpRequest, decision: Decision, rows: list[Any], form: forms.Form
    ) -> HttpResponse:
        site, actor = self.admin_site.name, actor_of(request.user)
        lines = [
            {
                "pk": row.pk,
                "link": record_link(type(row), row.pk, site=site),
                "line": decision.line(row, actor=actor, site=site),
            }
            for row in rows
        ]
        context = {
            "title": decision.title,
            "form": form,
            "lines": [each for each in lines if not each["line"].why_not],
            "left_out": [each for each in lines if each["line"].why_not],
            "act_url": self.url_of(decision.name),
        }
        return self._respond(request, decision, "decision.html", context)

    def _results(
        self, request: HttpRequest, decision: Decision, rows: list[Any], words: dict[str, Any]
    ) -> HttpResponse:
        site, actor = self.admin_site.name, actor_of(request.user)
        results = []
        for row in rows:
            result = decide(decision, row, actor=actor, site=site, words=words)
            tone = _TONES.get(result.state, "")
            results.append(
                {
                    "link": record_link(type(row), row.pk, site=site) if row else "",
                    "result": result,
                    "badge": badge(result.state, _RESULTS[result.state], tone=tone),
                }
            )
        context = {"title": f"{decision.title}: what became of it", "results": results}
        return self._respond(request, decision, "decision_result.html", context)

    def _respond(
        self, request: HttpRequest, decision: Decision, template: str, context: dict[str, Any]
    ) -> HttpResponse:
        request.current_app = self.admin_site.name
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "media": self.media,
            "list_url": self.url_of("changelist"),
            "decision": decision,
            "stops": active_stops,
            **context,
        }
        return TemplateResponse(request, f"admin/medusa_payments/{template}", context)


def decide(
    decision: Decision, row: Any, *, actor: Actor, site: str, words: dict[str, Any]
) -> Result:
    """Act on one row; what fails stays in its row.

    :raises OpenTransaction: one was open, so nothing was asked; see ATOMIC_REQUESTS.
    """
    try:
        return decision.perform(row, actor=actor, site=site, **words)
    except OpenTransaction:
        raise
    except MedusaPaymentsError as error:
        return Result("refused", scrub(error.message))
    except Exception:
        logger.exception("Decision %s on %s broke off", decision.name, getattr(row, "pk", "all"))
        text = "Something broke off here, and it was logged. Its own page shows how it stands."
        return Result("uncertain", text)
