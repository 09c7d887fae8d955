"""What records look like outside: tables of columns and relations (CONTRACT section 3).

A selection is a tree of names. What it needs is loaded with one query for each relation in it,
however many rows there are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any, TypeAlias, TypeVar

from django.db.models import Model, Prefetch, QuerySet

from medusa_payments.models import (
    Capture,
    Payment,
    PaymentCollection,
    PaymentSession,
    ProviderCall,
    Refund,
    RefundReason,
)
from medusa_payments.money import to_major
from medusa_payments.operations.database import database_alias
from medusa_payments.redaction import redact
from medusa_payments.statuses import UNRESOLVED_CALLS, CallKind, CallState, MovementStatus

Selection = dict[str, "Selection"]
Column = Callable[[Any], Any]
Prefetches: TypeAlias = "tuple[Prefetch[Any, Any, Any], ...]"
Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, kw_only=True)
class Relation:
    """``lookup`` is its name in the model; ``rows`` are those of all rows that it may show."""

    to: str
    lookup: str
    rows: Callable[[], QuerySet[Any]]
    is_list: bool = False

    def read(self, row: Any) -> Any:
        related = getattr(row, self.lookup, None)
        return list(related.all()) if self.is_list and related is not None else related


@dataclass(frozen=True, kw_only=True)
class Shape:
    columns: Mapping[str, Column]
    relations: Mapping[str, Relation] = field(default_factory=dict)
    starred: tuple[str, ...] = ()  # relations, with all their columns, that "*" brings along
    always: tuple[str, ...] = ()  # relations that ``extras`` need
    more: Callable[[], Prefetches] = lambda: ()  # and what they need of those
    extras: Callable[[Any], dict[str, Any]] = lambda row: {}
    is_hidden: Callable[[Any], bool] = lambda row: False  # of which only the id is shown


def load(name: str, rows: QuerySet[Row], selection: Selection) -> QuerySet[Row]:
    """``rows`` with everything that showing the selection needs."""
    shape = SHAPES[name]
    for related in dict.fromkeys((*selection, *shape.always)):
        if relation := shape.relations.get(related):
            below = load(relation.to, relation.rows(), selection.get(related, {}))
            rows = rows.prefetch_related(Prefetch(relation.lookup, queryset=below))
    return rows.prefetch_related(*shape.more())


def show(name: str, row: Any, selection: Selection) -> dict[str, Any]:
    shape = SHAPES[name]
    if shape.is_hidden(row):
        return {"id": row.pk}
    shown: dict[str, Any] = {}
    for key, below in selection.items():
        if column := shape.columns.get(key):
            shown[key] = column(row)
        elif relation := shape.relations.get(key):
            shown[key] = _show_related(relation, row, below)
    return shown | shape.extras(row)


def _show_related(relation: Relation, row: Any, selection: Selection) -> Any:
    related = relation.read(row)
    if relation.is_list:
        return [show(relation.to, each, selection) for each in related]
    return None if related is None else show(relation.to, related, selection)


def stored(model: type[Row], manager: str = "objects") -> QuerySet[Row]:
    """Rows of the database that payments are written in: an answer shows what it has done."""
    rows: QuerySet[Row] = getattr(model, manager).using(database_alias())
    return rows


# Columns


def _plain(*names: str) -> dict[str, Column]:
    return {name: attrgetter(name) for name in names}


def _times(*names: str) -> dict[str, Column]:
    return {name: _time(name) for name in names}


def _time(name: str) -> Column:
    return lambda row: _as_javascript(getattr(row, name))


def _as_javascript(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def _amounts(*names: str) -> dict[str, Column]:
    """Each with its raw twin."""
    raw = {f"raw_{name}": _raw(name) for name in names}
    return _plain(*names) | raw


def _raw(name: str) -> Column:
    def read(row: Any) -> dict[str, Any] | None:
        amount: Decimal | None = getattr(row, name)
        return None if amount is None else {"value": f"{amount:f}", "precision": 20}

    return read


def _nothing(row: Any) -> None:
    return None


def _session_data(row: PaymentSession) -> dict[str, Any]:
    """Without secrets and card data but the one that the buyer's page pays with."""
    data: dict[str, Any] = redact(row.data)
    if row.is_live and "client_secret" in row.data:
        data["client_secret"] = row.data["client_secret"]
    return data


# A record that is kept for ever.
_RECORD = _plain("id") | _times("created_at", "updated_at") | {"deleted_at": _nothing}
_SOFT_DELETABLE = _RECORD | {"deleted_at": _time("deleted")}


# What is not known of a payment

_UNCERTAIN_KINDS = (CallKind.CAPTURE, CallKind.REFUND, CallKind.CANCEL)
_UNCERTAIN_STATUS = {
    CallState.OPEN: MovementStatus.REQUESTED,
    CallState.INDETERMINATE: MovementStatus.INDETERMINATE,
}


def _uncertain(payment: Payment) -> dict[str, Any]:
    """Captures, refunds and cancels of unknown outcome; no key when there are none."""
    calls = [
        {
            "id": call.capture_id or call.refund_id or call.pk,
            "kind": call.kind,
            "amount": _asked_amount(call, payment),
            "status": _UNCERTAIN_STATUS[CallState(call.state)],
        }
        for call in payment.payment_session.unresolved_calls  # type: ignore[attr-defined]
    ]
    return {"uncertain": calls} if calls else {}


def _asked_amount(call: ProviderCall, payment: Payment) -> Decimal:
    amount_minor = call.arguments.get("amount_minor", payment.amount_minor)
    return to_major(amount_minor, payment.currency_code)


def _unresolved_calls() -> Prefetches:
    """Found through the session: the undoing of a soft-deleted one names no payment."""
    calls: QuerySet[ProviderCall] = stored(ProviderCall)
    rows = calls.filter(kind__in=_UNCERTAIN_KINDS, state__in=UNRESOLVED_CALLS).order_by("pk")
    return (Prefetch("payment_session__provider_calls", queryset=rows, to_attr="unresolved_calls"),)


# Relations. ``captures`` and ``refunds`` are those that have happened.

_PAYMENT = Relation(to="payment", lookup="payment", rows=lambda: stored(Payment))
_COLLECTION = Relation(
    to="payment_collection",
    lookup="payment_collection",
    rows=lambda: stored(PaymentCollection, "all_objects"),
)

SHAPES: dict[str, Shape] = {
    "refund_reason": Shape(
        columns=_SOFT_DELETABLE | _plain("label", "code", "description", "metadata")
    ),
    "capture": Shape(
        columns=_RECORD
        | _amounts("amount")
        | _plain("payment_id", "created_by", "metadata", "status"),
        relations={"payment": _PAYMENT},
    ),
    "refund": Shape(
        columns=_RECORD
        | _amounts("amount")
        | _plain("payment_id", "refund_reason_id", "note", "created_by", "metadata", "status"),
        relations={
            "payment": _PAYMENT,
            "refund_reason": Relation(
                to="refund_reason",
                lookup="refund_reason",
                rows=lambda: stored(RefundReason),
            ),
        },
        starred=("refund_reason",),
    ),
    "payment": Shape(
        columns=_RECORD
        | _amounts("amount")
        | _plain(
            "currency_code",
            "provider_id",
            "metadata",
            "payment_collection_id",
            "payment_session_id",
        )
        | _times("captured_at", "canceled_at")
        | {"data": lambda payment: redact(payment.data)},
        relations={
            "captures": Relation(
                to="capture",
                lookup="captures",
                rows=lambda: stored(Capture).filter(status=MovementStatus.SUCCEEDED).order_by("pk"),
                is_list=True,
            ),
            "refunds": Relation(
                to="refund",
                lookup="refunds",
                rows=lambda: (
                    stored(Refund)
                    .filter(status__in=(MovementStatus.SUCCEEDED, MovementStatus.PENDING))
                    .order_by("pk")
                ),
                is_list=True,
            ),
            # Soft-deleted ones too: their payments are ordinary rows.
            "payment_session": Relation(
                to="payment_session",
                lookup="payment_session",
                rows=lambda: stored(PaymentSession, "all_objects"),
            ),
            "payment_collection": _COLLECTION,
        },
        starred=("payment_session",),
        always=("payment_session",),
        more=_unresolved_calls,
        extras=_uncertain,
    ),
    "payment_session": Shape(
        columns=_SOFT_DELETABLE
        | _amounts("amount")
        | _plain(
            "currency_code", "provider_id", "context", "status", "payment_collection_id", "metadata"
        )
        | _times("authorized_at")
        | {"data": _session_data},
        relations={"payment": _PAYMENT, "payment_collection": _COLLECTION},
        starred=("payment",),
        is_hidden=lambda session: not session.is_live,
    ),
    "payment_collection": Shape(
        columns=_SOFT_DELETABLE
        | _amounts("amount", "authorized_amount", "captured_amount", "refunded_amount")
        | _plain("currency_code", "status", "metadata")
        | _times("completed_at")
        # No flow of Medusa fills it.
        | {"payment_providers": lambda collection: []},
        relations={
            "payment_sessions": Relation(
                to="payment_session",
                lookup="payment_sessions",
                rows=lambda: stored(PaymentSession).order_by("pk"),
                is_list=True,
            ),
            "payments": Relation(
                to="payment",
                lookup="payments",
                rows=lambda: stored(Payment).order_by("pk"),
                is_list=True,
            ),
        },
    ),
    "payment_provider": Shape(columns=_plain("id", "is_enabled")),
}
