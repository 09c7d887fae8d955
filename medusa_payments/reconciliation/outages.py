"""Telling a person that a provider has not answered for long: once for all of its calls."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from medusa_payments import settings
from medusa_payments.models import Discrepancy, ProviderCall, ProviderGate
from medusa_payments.operations.actors import SWEEP
from medusa_payments.operations.database import DatabaseNow, database_alias
from medusa_payments.operations.discrepancies import close_by_evidence, open_discrepancy
from medusa_payments.operations.locking import LockedCollection, under_lock
from medusa_payments.operations.telling import tell_shop
from medusa_payments.statuses import DiscrepancyKind

_PREFIX = "outage"


def tell() -> None:
    """Open a discrepancy for an outage that lasts; close those of providers that answer again."""
    alert = timedelta(seconds=float(settings.OUTAGE_ALERT))
    rows: Any = ProviderGate.objects.using(database_alias()).filter(opened_at__isnull=False)
    sick = list(rows.annotate(database_now=DatabaseNow()))
    for gate in sick:
        if gate.opened_at <= gate.database_now - alert:
            _open(gate)
    _close_others({_about(gate) for gate in sick})


def _about(gate: ProviderGate) -> str:
    return f"{_PREFIX}:{gate.credentials}"


def _open(gate: ProviderGate) -> None:
    """Told through the call that has waited longest; it stands in its collection's trail."""
    rows = ProviderCall.objects.using(database_alias()).filter(
        next_attempt_at__isnull=False, provider_id=gate.provider_id
    )
    call = rows.order_by("next_attempt_at", "pk").first()
    if call is None or _is_open(_about(gate)):
        return

    since = f"{gate.opened_at:%Y-%m-%d %H:%M}"

    def work(locked: LockedCollection) -> ProviderCall:
        session = locked.session(call.payment_session_id)
        mine = next(each for each in locked.calls_of(session) if each.pk == call.pk)
        open_discrepancy(
            locked,
            DiscrepancyKind.UNRESOLVED,
            about=_about(gate),
            detail=(
                f"Provider {gate.provider_id} has not answered since {since} UTC"
                f" ({gate.last_failure}). Its calls wait, and no look is spent on them."
            ),
            provider_id=gate.provider_id,
        )
        locked.owe_signals(mine)
        locked.flush()
        return mine

    tell_shop(under_lock(call.payment_collection_id, work, actor=SWEEP, cause="outage"))


def _is_open(about: str) -> bool:
    rows = Discrepancy.objects.using(database_alias())
    return rows.filter(open_key=f"{DiscrepancyKind.UNRESOLVED}:{about}").exists()


def _close_others(sick: set[str]) -> None:
    begins = f"{DiscrepancyKind.UNRESOLVED}:{_PREFIX}:"
    rows = Discrepancy.objects.using(database_alias()).filter(open_key__startswith=begins)
    for discrepancy in rows:
        about = str(discrepancy.open_key).removeprefix(f"{DiscrepancyKind.UNRESOLVED}:")
        if about not in sick and discrepancy.payment_collection_id:
            under_lock(
                discrepancy.payment_collection_id,
                lambda locked, about=about: close_by_evidence(  # type: ignore[misc]
                    locked,
                    DiscrepancyKind.UNRESOLVED,
                    about=about,
                    reason="The provider answers again.",
                ),
                actor=SWEEP,
                cause="outage",
            )
