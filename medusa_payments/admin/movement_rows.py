"""Captures, refunds and disputes as the rows of a table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from medusa_payments.admin.display import badge, identifier, money, record_link, scrub
from medusa_payments.models import Capture, Dispute, Payment, Refund
from medusa_payments.operations.database import database_alias


def movement_rows(payments: Iterable[Payment], *, site: str) -> dict[str, list[dict[str, Any]]]:
    """By the payment's id, captures first; three queries for all."""
    by_id = {payment.pk: payment for payment in payments}
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for model in (Capture, Refund, Dispute):
        rows: Any = model._default_manager.using(database_alias())
        for row in rows.filter(payment__in=list(by_id)).order_by("pk"):
            found[row.payment_id].append(_described(row, by_id[row.payment_id], site))
    return found


def _described(row: Any, payment: Payment, site: str) -> dict[str, Any]:
    return {
        "id": row.pk,
        "kind": row._meta.verbose_name,
        "link": record_link(type(row), row.pk, site=site),
        "created_at": row.created_at,
        "amount": money(row.amount_minor, payment.currency_code),
        "status": badge(row.status),
        "who": getattr(row, "created_by", None) or "",
        "reference": identifier(row.provider_reference),
        "note": scrub(getattr(row, "note", None) or ""),
    }
