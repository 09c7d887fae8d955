"""Amounts that are computed from rows, never added up in place (law 10).

All are in the currency's smallest unit. What is not known to have failed counts as moved (law 8).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from medusa_payments.models import (
    Capture,
    Dispute,
    Payment,
    PaymentCollection,
    PaymentSession,
    Refund,
)
from medusa_payments.operations.database import database_alias
from medusa_payments.statuses import (
    CollectionStatus,
    DisputeStatus,
    MovementStatus,
    Resolution,
    SessionStatus,
)

_HAPPENED = (MovementStatus.SUCCEEDED, MovementStatus.PENDING)


@dataclass(frozen=True)
class PaymentTotals:
    """What a payment's rows add up to.

    ``reserved`` sums count requested, pending, succeeded and indeterminate movements.
    """

    captured_minor: int
    captures_reserved_minor: int
    refunded_minor: int
    refunds_reserved_minor: int
    disputed_minor: int  # open or lost: the bank has withdrawn it
    open_disputes_minor: int

    @property
    def refundable_minor(self) -> int:
        return max(0, self.captured_minor - self.refunds_reserved_minor - self.disputed_minor)


def payment_totals(payment: Payment) -> PaymentTotals:
    return totals_of_payments([payment])[payment.pk]


def totals_of_payments(payments: Iterable[Payment]) -> dict[str, PaymentTotals]:
    """What each payment's rows add up to, by the payment's id; three queries for any number."""
    ids = [payment.pk for payment in payments]
    captures, refunds, disputes = (_by_status(model, ids) for model in (Capture, Refund, Dispute))
    return {
        pk: PaymentTotals(
            captured_minor=captures[pk].get(MovementStatus.SUCCEEDED, 0),
            captures_reserved_minor=_all_but(captures[pk], MovementStatus.FAILED),
            refunded_minor=sum(refunds[pk].get(status, 0) for status in _HAPPENED),
            refunds_reserved_minor=_all_but(refunds[pk], MovementStatus.FAILED),
            disputed_minor=_all_but(disputes[pk], DisputeStatus.WON, DisputeStatus.INQUIRY),
            open_disputes_minor=disputes[pk].get(DisputeStatus.OPEN, 0),
        )
        for pk in ids
    }


_SumsByStatus = dict[str, dict[str, int]]  # of a payment's rows, by the payment's id


def _by_status(model: type[Capture | Refund | Dispute], ids: list[str]) -> _SumsByStatus:
    rows: Any = model._default_manager.using(database_alias())
    found: _SumsByStatus = defaultdict(dict)
    sums = rows.filter(payment__in=ids)
    for row in sums.values("payment_id", "status").annotate(total=Sum("amount_minor")):
        found[row["payment_id"]][row["status"]] = int(row["total"])
    return found


def _all_but(sums: dict[str, int], *statuses: str) -> int:
    return sum(amount for each, amount in sums.items() if each not in statuses)


@dataclass(frozen=True)
class CollectionTotals:
    authorized_minor: int
    captured_minor: int
    refunded_minor: int


def counted(collection: PaymentCollection) -> CollectionTotals:
    """Money under live and adopted sessions: what pays for the collection."""
    return _totals(collection, _counts("payment_session__"), _counts(""))


def set_aside(collection: PaymentCollection) -> CollectionTotals:
    """Money that passed under the other soft-deleted sessions, and goes or went back."""
    return _totals(collection, ~_counts("payment_session__"), ~_counts(""))


def _counts(prefix: str) -> Q:
    return Q(**{f"{prefix}deleted__isnull": True}) | Q(
        **{f"{prefix}resolution": Resolution.ADOPTED}
    )


def _totals(collection: PaymentCollection, of_payment: Q, of_session: Q) -> CollectionTotals:
    sessions = PaymentSession.all_objects.using(database_alias()).filter(
        of_session, payment_collection=collection
    )
    payments = Payment.objects.using(database_alias()).filter(
        of_payment, payment_collection=collection, currency_code=collection.currency_code
    )
    captures = Capture.objects.using(database_alias()).filter(
        payment__in=payments, status=MovementStatus.SUCCEEDED
    )
    refunds = Refund.objects.using(database_alias()).filter(
        payment__in=payments, status__in=_HAPPENED
    )
    return CollectionTotals(
        authorized_minor=_authorized(sessions.filter(status=SessionStatus.AUTHORIZED)),
        captured_minor=_sum(captures),
        refunded_minor=_sum(refunds),
    )


def _authorized(sessions: QuerySet[Any]) -> int:
    """What the provider's objects are for, which may be less than was asked for."""
    seen = Coalesce("provider_amount_minor", "amount_minor")
    total: int | None = sessions.aggregate(total=Sum(seen))["total"]
    return int(total or 0)


def _sum(rows: QuerySet[Any]) -> int:
    total: int | None = rows.aggregate(total=Sum("amount_minor"))["total"]
    return int(total or 0)


def recompute(collection: PaymentCollection, *, now: datetime) -> None:
    """Set totals and status from rows; the caller holds the lock and saves.

    The rule is Medusa's (CONTRACT 7.3): refunds never change the status, and a partial capture
    leaves ``authorized``. A canceled collection is ``canceled`` once nothing is held for it.
    """
    sums = counted(collection)
    collection.authorized_minor = sums.authorized_minor
    collection.captured_minor = sums.captured_minor
    collection.refunded_minor = sums.refunded_minor
    collection.status = _status(collection, sums)
    if collection.status == CollectionStatus.COMPLETED and collection.completed_at is None:
        collection.completed_at = now


def _status(collection: PaymentCollection, sums: CollectionTotals) -> CollectionStatus:
    if sums.captured_minor >= collection.amount_minor:
        return CollectionStatus.COMPLETED
    if collection.canceled_at is not None and sums.captured_minor:
        return CollectionStatus.PARTIALLY_CAPTURED
    if sums.authorized_minor >= collection.amount_minor:
        return CollectionStatus.AUTHORIZED
    if sums.authorized_minor:
        return CollectionStatus.PARTIALLY_AUTHORIZED
    if collection.canceled_at is not None:
        return CollectionStatus.CANCELED
    has_session = (
        PaymentSession.objects.using(database_alias())
        .filter(payment_collection=collection)
        .exists()
    )
    return CollectionStatus.AWAITING if has_session else CollectionStatus.NOT_PAID
