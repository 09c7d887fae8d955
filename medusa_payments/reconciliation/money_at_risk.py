"""How much money hangs on what is not known or not done yet, from sums of rows.

Only unfinished calls are read, by the index of ``next_attempt_at``: a call of unknown outcome
always has one, and so has one of the calls of a session whose undoing goes on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Case, Count, F, Min, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Coalesce, NullIf

from medusa_payments.errors import UnsupportedCurrency
from medusa_payments.models import AccountHolderCall, Discrepancy, PaymentSession, ProviderCall
from medusa_payments.money import decimals
from medusa_payments.operations.database import DatabaseNow, database_alias
from medusa_payments.statuses import (
    OPEN_PROVIDER_STATES,
    UNRESOLVED_CALLS,
    CallKind,
    CallState,
    DiscrepancyKind,
)

# About what is counted as uncertain or as being undone already.
_COUNTED_ELSEWHERE = (DiscrepancyKind.UNRESOLVED, DiscrepancyKind.UNDO_BLOCKED)
_MONEY_THERE = F("held_minor") + F("captured_minor")


@dataclass(frozen=True)
class Sums:
    """Rows of one sort; ``minor`` by currency, in smallest units."""

    count: int
    in_flight: int
    oldest: datetime | None
    minor: dict[str, int]


def uncertain() -> Sums:
    """Calls about payments of unknown outcome: what each would move.

    Those that a process is asking right now are ``in_flight`` and not summed. Of a session that is
    being undone only the start is counted here; the rest of it is counted by ``undoing``.
    """
    of_session = Q(kind=CallKind.INITIATE) | ~_being_undone("payment_session__")
    declined = Q(  # refused, and what exists of it could still be paid
        kind=CallKind.INITIATE,
        state=CallState.FAILED,
        payment_session__deleted__isnull=True,
        payment_session__provider_state__in=OPEN_PROVIDER_STATES,
    )
    rows = _unfinished().filter(declined | (Q(state__in=UNRESOLVED_CALLS) & of_session))
    waiting = ~_in_flight()
    grouped = rows.values(currency=_currency_of("payment_session__")).annotate(
        rows=Count("pk", filter=waiting),
        asked_now=Count("pk", filter=_in_flight()),
        since=Min(Coalesce("uncertain_since", "created_at"), filter=waiting),
        minor=Sum(_what_it_moves(), filter=waiting),
    )
    return _summed(grouped)


def _currency_of(prefix: str) -> Coalesce:
    """What a session's money is counted in: as its provider told, else as was asked."""
    return Coalesce(
        NullIf(F(f"{prefix}provider_currency_code"), Value("")), F(f"{prefix}currency_code")
    )


def undoing() -> Sums:
    """Soft-deleted sessions whose start is known and whose money is not where it belongs yet.

    Summed is what was last seen there; before anything was seen, what the session asks for.
    """
    started = _unfinished().filter(kind=CallKind.INITIATE, state__in=UNRESOLVED_CALLS)
    rows = PaymentSession.all_objects.using(database_alias()).filter(
        _being_undone(), pk__in=_unfinished().values("payment_session")
    )
    seen = Case(When(Q(held_minor=0, captured_minor=0), then="amount_minor"), default=_MONEY_THERE)
    grouped = (
        rows.exclude(pk__in=started.values("payment_session"))
        .values(currency=_currency_of(""))
        .annotate(rows=Count("pk"), since=Min("deleted"), minor=Sum(seen))
    )
    return _summed(grouped)


def uncertain_about_holders() -> Sums:
    """Calls about account holders of unknown outcome: no money hangs on them."""
    rows = AccountHolderCall.objects.using(database_alias()).filter(
        next_attempt_at__isnull=False, state__in=UNRESOLVED_CALLS
    )
    found = rows.aggregate(
        rows=Count("pk", filter=~_in_flight()),
        asked_now=Count("pk", filter=_in_flight()),
        since=Min(Coalesce("uncertain_since", "created_at"), filter=~_in_flight()),
    )
    return Sums(found["rows"], found["asked_now"], found["since"], {})


@dataclass(frozen=True)
class OpenDiscrepancies:
    by_severity: dict[str, int]
    oldest: datetime | None
    minor: dict[str, int]
    without_amount: int  # how much money is at risk was not known


def open_discrepancies() -> OpenDiscrepancies:
    """What people must decide. Money that is uncertain or being undone is not summed again."""
    rows = Discrepancy.objects.using(database_alias()).filter(open_key__isnull=False)
    grouped = rows.values("severity", "kind", "currency_code").annotate(
        rows=Count("pk"),
        unknown=Count("pk", filter=Q(amount_minor__isnull=True)),
        since=Min("created_at"),
        total=Sum("amount_minor"),
    )
    by_severity: Counter[str] = Counter()
    minor: Counter[str] = Counter()
    found = list(grouped)
    without_amount = 0
    for row in found:
        by_severity[row["severity"]] += row["rows"]
        if row["kind"] in _COUNTED_ELSEWHERE:
            continue
        if _is_known(row["currency_code"]):
            minor[row["currency_code"].lower()] += int(row["total"] or 0)
        without_amount += row["unknown"] if _is_known(row["currency_code"]) else row["rows"]
    return OpenDiscrepancies(dict(by_severity), _oldest(found), dict(minor), without_amount)


def _is_known(currency_code: str) -> bool:
    try:
        decimals(currency_code)
    except UnsupportedCurrency:
        return False
    return True


def _unfinished() -> QuerySet[ProviderCall]:
    return ProviderCall.objects.using(database_alias()).filter(next_attempt_at__isnull=False)


def _in_flight() -> Q:
    """The process that wrote the call is asking; see ``operations.calls.in_flight``."""
    return Q(state=CallState.OPEN, lease_token__lte=1, leased_until__gt=DatabaseNow())


def _being_undone(prefix: str = "") -> Q:
    return Q(**{f"{prefix}deleted__isnull": False, f"{prefix}resolution": ""})


def _what_it_moves() -> Case:
    return Case(
        When(kind=CallKind.CAPTURE, then=F("capture__amount_minor")),
        When(kind=CallKind.REFUND, then=F("refund__amount_minor")),
        default=F("payment_session__amount_minor"),
    )


def _summed(grouped: Iterable[Any]) -> Sums:
    found = list(grouped)
    return Sums(
        count=sum(row["rows"] for row in found),
        in_flight=sum(row.get("asked_now", 0) for row in found),
        oldest=_oldest(found),
        minor={row["currency"]: int(row["minor"]) for row in found if row["minor"]},
    )


def _oldest(rows: Iterable[dict[str, Any]]) -> datetime | None:
    return min((row["since"] for row in rows if row["since"]), default=None)
