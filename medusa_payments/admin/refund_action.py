"""Refunding several payments: a page that shows what will happen, then one act for each row.

No transaction spans the rows, and none is open while a provider is asked.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from medusa_payments.admin.base import deletion_marks
from medusa_payments.admin.display import record_link
from medusa_payments.admin.refund_form import (
    MOST_ROWS,
    Candidate,
    RefundOptionsForm,
    RefundRows,
    candidates,
    fresh_rows,
)
from medusa_payments.admin.refund_results import count_states, refund_row
from medusa_payments.models import Payment
from medusa_payments.operations.actors import Actor
from medusa_payments.operations.database import database_alias
from medusa_payments.statuses import Door


def confirmation(
    model_admin: Any, request: HttpRequest, queryset: QuerySet[Payment]
) -> HttpResponse | None:
    """The action: asks nothing, and mints the key of each row."""
    _check_permission(model_admin, request)
    payments = list(queryset[: MOST_ROWS + 1])
    if len(payments) > MOST_ROWS:
        text = f"At most {MOST_ROWS} payments can be refunded at once. Nothing was refunded."
        model_admin.message_user(request, text, messages.ERROR)
        return None
    found = candidates(payments)
    skipped = [each for each in found.values() if each.why_skipped()]
    return _page(model_admin, request, fresh_rows(found), RefundOptionsForm(), skipped)


def act(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """Where the page is sent to. Sent again, it is the same act and shows how it stands."""
    _check_permission(model_admin, request)
    if request.method != "POST":
        return HttpResponseRedirect(_list_url(model_admin))
    found = _found(request, "payment")
    rows = RefundRows(request.POST, prefix="rows", form_kwargs={"candidates": found})
    options = RefundOptionsForm(request.POST)
    skipped = list(_skipped(request).values())
    if not (rows.is_valid() and options.is_valid()):
        return _page(model_admin, request, rows, options, skipped)
    results = [
        refund_row(
            found[form.cleaned_data["payment"].pk],
            amount=form.cleaned_data["amount"],
            request_key=form.cleaned_data["request_key"],
            reason=options.cleaned_data["reason"],
            note=options.cleaned_data["note"] or None,
            actor=actor_of(request.user),
            site=model_admin.admin_site.name,
        )
        for form in rows
    ]
    context = {
        "title": "Refunds: what became of them",
        "results": results,
        "counts": count_states(results),
        "has_doubt": any(each.state in ("uncertain", "conflict") for each in results),
        "skipped": _described(model_admin, skipped),
    }
    return _respond(model_admin, request, "refund_result.html", context)


def actor_of(user: Any) -> Actor:
    """The id stays true when the user is renamed, the name when the user is deleted."""
    return Actor(f"user_{user.pk} ({user.get_username()})"[:255], Door.ADMIN)


def _check_permission(model_admin: Any, request: HttpRequest) -> None:
    if not model_admin.has_refund_permission(request):
        raise PermissionDenied


def _found(request: HttpRequest, name: str) -> dict[str, Candidate]:
    """The payments that the sent rows name."""
    ids = [
        value
        for field, value in request.POST.items()
        if field.startswith("rows-") and field.endswith(f"-{name}")
    ]
    return _candidates(ids)


def _skipped(request: HttpRequest) -> dict[str, Candidate]:
    return _candidates(request.POST.getlist("skipped"))


def _candidates(ids: list[Any]) -> dict[str, Candidate]:
    rows = Payment.objects.using(database_alias()).filter(pk__in=ids[:MOST_ROWS])
    return candidates(rows.select_related("payment_session").order_by("pk"))


def _page(
    model_admin: Any,
    request: HttpRequest,
    rows: Any,
    options: RefundOptionsForm,
    skipped: Iterable[Candidate],
) -> HttpResponse:
    site = model_admin.admin_site.name
    context = {
        "title": "Refund payments",
        "rows": rows,
        "lines": [
            {
                "form": form,
                "candidate": form.candidate,
                "link": record_link(Payment, form["payment"].value(), site=site),
                "marks": _marks(form.candidate),
            }
            for form in rows
        ],
        "options": options,
        "skipped": _described(model_admin, skipped),
        "act_url": reverse("admin:medusa_payments_payment_refund", current_app=site),
        "has_errors": rows.is_bound,
    }
    return _respond(model_admin, request, "refund_confirmation.html", context)


def _marks(candidate: Candidate | None) -> list[str]:
    return deletion_marks(candidate.payment.payment_session) if candidate else []


def _described(model_admin: Any, skipped: Iterable[Candidate]) -> list[dict[str, Any]]:
    return [
        {
            "pk": each.payment.pk,
            "link": record_link(Payment, each.payment.pk, site=model_admin.admin_site.name),
            "captured": each.captured,
            "refunded": each.refunded,
            "refundable": each.refundable,
            "why": each.why_skipped(),
        }
        for each in skipped
    ]


def _respond(
    model_admin: Any, request: HttpRequest, template: str, context: dict[str, Any]
) -> HttpResponse:
    request.current_app = model_admin.admin_site.name
    return TemplateResponse(
        request,
        f"admin/medusa_payments/payment/{template}",
        {
            **model_admin.admin_site.each_context(request),
            "opts": model_admin.opts,
            "media": model_admin.media,
            "list_url": _list_url(model_admin),
            **context,
        },
    )


def _list_url(model_admin: Any) -> str:
    return reverse(
        "admin:medusa_payments_payment_changelist", current_app=model_admin.admin_site.name
    )
