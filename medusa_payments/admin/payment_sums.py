"""The sums of many payments in three queries, where ``payment_totals`` takes five for each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.db.models import Sum

from medusa_payments.models import Capture, Dispute, Payment, Refund
from medusa_payments.operations.database import database_alias
from medusa_payments.operations.totals import PaymentTotals
from medusa_payments.statuses import DisputeStatus, MovementStatus

_Sums = dict[str, dict[str, int]]  # by payment, then by status


def sums_of(payments: Iterable[Payment]) -> dict[str, PaymentTotals]:
    """What ``operations.totals.payment_totals`` says of each, by the payment's id."""
    ids = [payment.pk for payment in payments]
    captures, refunds, disputes = (_by_status(model, ids) for model in (Capture, Refund, Dispute))
    return {
        pk: PaymentTotals(
            captured_minor=captures[pk].get(MovementStatus.SUCCEEDED, 0),
            captures_reserved_minor=_all_but(captures[pk], MovementStatus.FAILED),
            refunded_minor=refunds[pk].get(MovementStatus.SUCCEEDED, 0)
            + refunds[pk].get(MovementStatus.PENDING, 0),
            refunds_reserved_minor=_all_but(refunds[pk], MovementStatus.FAILED),
            disputed_minor=_all_but(disputes[pk], DisputeStatus.WON),
            open_disputes_minor=disputes[pk].get(DisputeStatus.OPEN, 0),
        )
        for pk in ids
    }


def _by_status(model: type[Capture | Refund | Dispute], ids: list[str]) -> _Sums:
    rows: Any = model._default_manager.using(database_alias())
    found: _Sums = defaultdict(dict)
    sums = rows.filter(payment__in=ids)
    for row in sums.values("payment_id", "status").annotate(total=Sum("amount_minor")):
        found[row["payment_id"]][row["status"]] = int(row["total"])
    return found


def _all_but(sums: dict[str, int], status: str) -> int:
    return sum(amount for each, amount in sums.items() if each != status)
