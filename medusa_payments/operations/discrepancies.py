"""Opening and closing what a person must decide. One thing has one open discrepancy."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from medusa_payments.errors import AlreadyDecided
from medusa_payments.models import Discrepancy, PaymentSession
from medusa_payments.operations.actors import Actor, refuse_unless_person
from medusa_payments.operations.database import (
    DatabaseNow,
    database_alias,
    patiently,
    refuse_open_transaction,
)
from medusa_payments.operations.holder_locking import under_holder_lock
from medusa_payments.operations.locked import Locked
from medusa_payments.operations.locking import under_lock
from medusa_payments.statuses import DiscrepancyKind, DiscrepancyState, Severity

SEVERITY = {
    DiscrepancyKind.GHOST: Severity.CRITICAL,
    DiscrepancyKind.MISSING: Severity.CRITICAL,
    DiscrepancyKind.AMOUNT: Severity.WARNING,
    DiscrepancyKind.CURRENCY: Severity.CRITICAL,
    DiscrepancyKind.STATUS: Severity.INFO,
    DiscrepancyKind.DUPLICATE: Severity.CRITICAL,
    DiscrepancyKind.DISPUTE: Severity.WARNING,
    DiscrepancyKind.UNDO_BLOCKED: Severity.CRITICAL,
    DiscrepancyKind.UNRESOLVED: Severity.CRITICAL,
}
NOT_KNOWN = {
    DiscrepancyKind.GHOST: "Who asked for it, and whether the customer got anything for it.",
    DiscrepancyKind.MISSING: "Whether it ever existed, or is in another account or mode.",
    DiscrepancyKind.AMOUNT: "Which of the two amounts was meant.",
    DiscrepancyKind.CURRENCY: "Which of the two currencies was meant.",
    DiscrepancyKind.STATUS: "Who did it, and why.",
    DiscrepancyKind.DUPLICATE: "Which of the two was meant.",
    DiscrepancyKind.DISPUTE: "How the bank decides.",
    DiscrepancyKind.UNDO_BLOCKED: "When the provider will accept it.",
    DiscrepancyKind.UNRESOLVED: "Whether it happened.",
}


def open_discrepancy(
    locked: Locked,
    kind: DiscrepancyKind,
    *,
    about: str,
    detail: str,
    not_known: str = "",
    severity: Severity | None = None,
    session: PaymentSession | None = None,
    amount_minor: int | None = None,
    **links: Any,
) -> Discrepancy:
    """Open one, or return the one that is open about the same thing.

    ``detail`` is what is known, ``not_known`` what is not; by default it and the severity are
    those of the kind. ``amount_minor`` is the money at risk, in smallest units.
    """
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
            not_known=not_known or NOT_KNOWN.get(kind, ""),
            severity=severity or SEVERITY.get(kind, Severity.WARNING),
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
        _close(locked, discrepancy, reason=reason)


def _close(locked: Locked, discrepancy: Discrepancy, *, reason: str) -> None:
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


def close_discrepancy(discrepancy: Discrepancy, *, actor: Actor, reason: str) -> Discrepancy:
    """Close it by the decision of a named person. It moves no money and changes no other record.

    :raises PersonRequired, InvalidData: no person, or no reason.
    :raises AlreadyDecided: it is closed.
    """
    refuse_open_transaction()
    refuse_unless_person(actor, reason=reason)
    cause = f"closed: {reason}"[:255]

    def work(locked: Locked) -> Discrepancy:
        current: Discrepancy = _rows().get(pk=discrepancy.pk)
        if current.state == DiscrepancyState.CLOSED:
            raise _already_closed(current)
        _close(locked, current, reason=reason)
        return current

    if discrepancy.payment_collection_id:
        return under_lock(discrepancy.payment_collection_id, work, actor=actor, cause=cause)
    if discrepancy.account_holder_id:
        return under_holder_lock(discrepancy.account_holder_id, work, actor=actor, cause=cause)
    return _close_outside_of_chains(discrepancy, actor=actor, reason=reason)


def _close_outside_of_chains(discrepancy: Discrepancy, *, actor: Actor, reason: str) -> Discrepancy:
    """About something of which there is no record: the row itself says by whom and why."""

    def transact() -> int:
        with transaction.atomic(using=database_alias(), durable=True):
            still_open = _rows().filter(pk=discrepancy.pk, state=DiscrepancyState.OPEN)
            return still_open.update(
                state=DiscrepancyState.CLOSED,
                open_key=None,
                closed_at=DatabaseNow(),
                updated_at=DatabaseNow(),
                closed_by=actor.id,
                closing_reason=reason,
            )

    was_open = patiently(transact)
    current: Discrepancy = _rows().get(pk=discrepancy.pk)
    if not was_open:
        raise _already_closed(current)
    return current


def _already_closed(discrepancy: Discrepancy) -> AlreadyDecided:
    return AlreadyDecided(
        f"Discrepancy {discrepancy.pk} was closed by {discrepancy.closed_by}:"
        f" {discrepancy.closing_reason}"
    )


def _rows() -> QuerySet[Discrepancy]:
    rows: QuerySet[Discrepancy] = Discrepancy.objects.using(database_alias())
    return rows
