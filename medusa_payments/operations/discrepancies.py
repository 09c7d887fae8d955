"""Opening and closing what a person must decide. One thing has one open discrepancy."""

from __future__ import annotations

from typing import Any

from medusa_payments.models import Discrepancy, PaymentSession
from medusa_payments.operations.database import database_alias
from medusa_payments.operations.locked import Locked
from medusa_payments.statuses import DiscrepancyKind, DiscrepancyState


def open_discrepancy(
    locked: Locked,
    kind: DiscrepancyKind,
    *,
    about: str,
    detail: str,
    session: PaymentSession | None = None,
    amount_minor: int | None = None,
    **links: Any,
) -> Discrepancy:
    """Open one, or return the one that is open about the same thing."""
    open_key = f"{kind}:{about}"
    existing: Discrepancy | None = (
        Discrepancy.objects.using(database_alias()).filter(open_key=open_key).first()
    )
    if existing is not None:
        return existing
    discrepancy: Discrepancy = locked.add(
        Discrepancy(
            kind=kind,
            open_key=open_key,
            amount_minor=amount_minor,
            detail=detail,
            **locked.discrepancy_links() | _links_of(session) | links,
        ),
        "discrepancy.opened",
    )
    locked.tell("discrepancy_opened", discrepancy=discrepancy)
    return discrepancy


def _links_of(session: PaymentSession | None) -> dict[str, Any]:
    if session is None:
        return {}
    return {
        "payment_session": session,
        "provider_id": session.provider_id,
        "provider_reference": session.provider_reference,
    }


_CHAINS = ("payment_collection", "account_holder")


def close_by_evidence(locked: Locked, kind: DiscrepancyKind, *, about: str, reason: str) -> None:
    """Close the open discrepancy about this, if there is one."""
    rows = Discrepancy.objects.using(database_alias()).filter(open_key=f"{kind}:{about}")
    for discrepancy in rows:
        locked.change(
            discrepancy,
            "discrepancy.closed",
            state=DiscrepancyState.CLOSED,
            open_key=None,
            closed_at=locked.now,
            closed_by=locked.actor.id,
            closing_reason=reason,
            **_chain_of(locked, discrepancy),
        )


def _chain_of(locked: Locked, discrepancy: Discrepancy) -> dict[str, Any]:
    """One that was opened outside of any chain belongs to the one that tells of its end."""
    if discrepancy.payment_collection_id or discrepancy.account_holder_id:
        return {}
    links = locked.discrepancy_links()
    return {name: links[name] for name in _CHAINS if name in links}
