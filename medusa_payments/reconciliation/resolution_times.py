"""How long it took until an uncertain outcome was known."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, DurationField, ExpressionWrapper, F, Q, QuerySet

from medusa_payments import settings
from medusa_payments.models import ProviderCall
from medusa_payments.operations.database import database_alias

_DAYS = 7
_SHARE = 0.95  # of the outcomes, within the objective


@dataclass(frozen=True)
class ResolutionTimes:
    """Of calls about payments whose outcome became uncertain within the last ``days``."""

    objective_seconds: float
    days: int
    uncertain: int
    resolved: int
    within_objective: int
    share_within_objective: float | None  # of those resolved; None: there were none
    p95_seconds: float | None
    is_met: bool


def resolution_times(*, now: datetime, oldest_seconds: float | None) -> ResolutionTimes:
    """``oldest_seconds``: since when the oldest outcome that is still open is not known.

    The objective is met when 95 of 100 outcomes were known within it, and none is open longer.
    """
    objective = float(settings.RESOLUTION_OBJECTIVE)
    rows = _rows(since=now - timedelta(days=_DAYS))
    counts = _counts(rows, objective)
    p95 = _p95(rows, counts["resolved"])
    share = counts["within"] / counts["resolved"] if counts["resolved"] else None
    return ResolutionTimes(
        objective_seconds=objective,
        days=_DAYS,
        uncertain=counts["uncertain"],
        resolved=counts["resolved"],
        within_objective=counts["within"],
        share_within_objective=None if share is None else round(share, 4),
        p95_seconds=p95,
        is_met=(p95 or 0) <= objective and (oldest_seconds or 0) <= objective,
    )


def _rows(*, since: datetime) -> QuerySet[Any]:
    took = ExpressionWrapper(F("resolved_at") - F("uncertain_since"), output_field=DurationField())
    recent = ProviderCall.objects.using(database_alias()).filter(uncertain_since__gte=since)
    rows: QuerySet[Any] = recent.annotate(took=took)
    return rows


def _counts(rows: QuerySet[Any], objective: float) -> dict[str, int]:
    is_resolved = Q(resolved_at__isnull=False)
    in_time = is_resolved & Q(took__lte=timedelta(seconds=objective))
    return rows.aggregate(
        uncertain=Count("pk"),
        resolved=Count("pk", filter=is_resolved),
        within=Count("pk", filter=in_time),
    )


def _p95(rows: QuerySet[Any], resolved: int) -> float | None:
    """By nearest rank: of 20 the 19th."""
    if not resolved:
        return None
    rank = math.ceil(_SHARE * resolved) - 1
    took = rows.filter(resolved_at__isnull=False).order_by("took").values_list("took", flat=True)
    found: timedelta = took[rank : rank + 1][0]
    return round(found.total_seconds(), 3)
