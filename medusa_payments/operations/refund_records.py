"""What is known of refunds, written as rows.

A refund that somebody made at the provider becomes a row too, and a person is told.
"""

from __future__ import annotations

from datetime import timedelta

from medusa_payments import settings
from medusa_payments.models import Payment, Refund
from medusa_payments.operations import movements
from medusa_payments.operations.database import database_alias
from medusa_payments.operations.discrepancies import open_discrepancy
from medusa_payments.operations.locking import LockedCollection
from medusa_payments.providers.types import ProviderRefund
from medusa_payments.statuses import (
    UNRESOLVED_MOVEMENTS,
    CallState,
    DiscrepancyKind,
    Evidence,
    MovementStatus,
    Severity,
)

# A failure that the provider reported beats success, because Stripe may fail a refund that had
# succeeded; success beats pending. What was concluded from not finding it yields to anything.
_REFUND_RANK = {
    MovementStatus.REQUESTED: 0,
    MovementStatus.INDETERMINATE: 0,
    MovementStatus.PENDING: 1,
    MovementStatus.SUCCEEDED: 2,
    MovementStatus.FAILED: 3,
}


def merge_refund(
    locked: LockedCollection, payment: Payment, seen: ProviderRefund, *, evidence: Evidence
) -> Refund:
    """Merge what was seen of one refund; one that we did not ask for becomes a row."""
    refund = _find_refund(payment, seen) or _add_external_refund(locked, payment, seen, evidence)
    if refund.amount_minor != seen.amount_minor:
        _report_refund_amount(locked, refund, seen)
    if refund.provider_reference != seen.reference:
        locked.change(refund, "refund.seen", provider_reference=seen.reference)
    known = MovementStatus(refund.status)
    if refund.is_provisional and _contradicts(refund, seen):
        _report_overturned(locked, refund)
    if refund.is_provisional or _REFUND_RANK[seen.status] > _REFUND_RANK[known]:
        _set_refund_status(locked, refund, seen.status, evidence=evidence)
    return refund


def _contradicts(refund: Refund, seen: ProviderRefund) -> bool:
    is_failed = refund.status == MovementStatus.FAILED
    return is_failed != (seen.status == MovementStatus.FAILED)


def _find_refund(payment: Payment, seen: ProviderRefund) -> Refund | None:
    rows = Refund.objects.using(database_alias()).filter(payment=payment).select_related("payment")
    refund: Refund | None = rows.filter(provider_reference=seen.reference).first()
    if refund is None and seen.refund_id:
        refund = rows.filter(pk=seen.refund_id, provider_reference="").first()
    return refund


def _add_external_refund(
    locked: LockedCollection, payment: Payment, seen: ProviderRefund, evidence: Evidence
) -> Refund:
    locked.totals_changed = True
    refund: Refund = locked.add(
        Refund(
            payment=payment,
            amount_minor=seen.amount_minor,
            request_key=f"external:{seen.reference}",
            provider_reference=seen.reference,
            is_external=True,
            note="Made at the provider, not here.",
        ),
        "refund.recorded",
    )
    detail = f"Refund {seen.reference} was made at the provider, not here; it is recorded."
    if seen.refund_id:
        detail = f"Refund {seen.reference} is a second one for {seen.refund_id}; it is recorded."
    open_discrepancy(
        locked,
        DiscrepancyKind.DUPLICATE if seen.refund_id else DiscrepancyKind.STATUS,
        about=f"{payment.pk}:{seen.reference}",
        detail=detail,
        session=payment.payment_session,
        amount_minor=seen.amount_minor,
    )
    return refund


def _set_refund_status(
    locked: LockedCollection, refund: Refund, status: MovementStatus, *, evidence: Evidence
) -> None:
    locked.totals_changed = True
    if status == MovementStatus.FAILED:
        movements.fail_movement(locked, refund, evidence=evidence)
        return
    was_told = refund.status == MovementStatus.SUCCEEDED
    already_told = was_told or refund.status == MovementStatus.PENDING
    locked.change(
        refund,
        f"refund.{status}",
        status=status,
        evidence=evidence,
        is_provisional=False,
    )
    movements.finish_call_of(locked, refund, CallState.SUCCEEDED, evidence=evidence)
    _watch_pending(locked, refund)
    if not already_told or (status == MovementStatus.SUCCEEDED and not was_told):
        movements.tell_of(locked, "payment_refunded", refund.payment, refund=refund)


def _watch_pending(locked: LockedCollection, refund: Refund) -> None:
    """A pending refund waits for its event; the sweep looks too, should the event be lost."""
    call = locked.call_of(refund)
    if call is None or call.is_unresolved:
        return
    is_pending = refund.status == MovementStatus.PENDING
    interval = timedelta(seconds=settings.PENDING_INTERVAL)
    locked.change(
        call, "call.scheduled", next_attempt_at=locked.now + interval if is_pending else None
    )


def _report_overturned(locked: LockedCollection, refund: Refund) -> None:
    """It was taken for not made, so somebody may have refunded again meanwhile; or the reverse."""
    detail = f"Refund {refund.pk} was not found and taken for failed; it was made after all."
    if refund.evidence == Evidence.OPERATOR:
        detail = f"Refund {refund.pk} {refund.status} by a person's word; the provider differs."
    open_discrepancy(
        locked,
        DiscrepancyKind.STATUS,
        about=f"{refund.pk}:overturned",
        detail=detail,
        not_known="What was done meanwhile because of it.",
        severity=Severity.CRITICAL,
        session=refund.payment.payment_session,
        amount_minor=refund.amount_minor,
    )


def _report_refund_amount(locked: LockedCollection, refund: Refund, seen: ProviderRefund) -> None:
    open_discrepancy(
        locked,
        DiscrepancyKind.AMOUNT,
        about=refund.pk,
        detail=(
            f"Asked to refund {refund.amount_minor}, the provider's refund {seen.reference} is"
            f" {seen.amount_minor} (smallest unit)."
        ),
        session=refund.payment.payment_session,
        amount_minor=abs(refund.amount_minor - seen.amount_minor),
    )
    locked.totals_changed = True
    locked.change(refund, "refund.amount_seen", amount_minor=seen.amount_minor)


def accept_refund(locked: LockedCollection, refund: Refund, *, evidence: Evidence) -> None:
    """The provider took the refund and told no more about it: it is done."""
    if not refund.is_provisional and refund.status not in UNRESOLVED_MOVEMENTS:
        return
    _set_refund_status(locked, refund, MovementStatus.SUCCEEDED, evidence=evidence)
