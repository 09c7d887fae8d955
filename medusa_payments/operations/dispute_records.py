"""What is known of disputes: money that a customer's bank took back, or asks about.

An event moves a dispute only onwards, because events may come late; whatever it tells, a lookup
follows, and that tells how the bank has decided by then, also when it thought again.
"""

from __future__ import annotations

from medusa_payments.models import Dispute, Payment
from medusa_payments.operations.database import database_alias
from medusa_payments.operations.discrepancies import close_by_evidence, open_discrepancy
from medusa_payments.operations.doubts import Doubt, report_doubt
from medusa_payments.operations.integrity import doubt_of_reference
from medusa_payments.operations.locking import LockedCollection
from medusa_payments.operations.movements import tell_of
from medusa_payments.operations.totals import payment_totals
from medusa_payments.providers.types import ProviderDispute
from medusa_payments.statuses import DiscrepancyKind, DisputeStatus, Evidence

_RANK = {
    DisputeStatus.INQUIRY: 0,
    DisputeStatus.OPEN: 1,
    DisputeStatus.WON: 2,
    DisputeStatus.LOST: 2,
}
_CLOSED = (DisputeStatus.WON, DisputeStatus.LOST)
_DETAIL = {
    DisputeStatus.INQUIRY: "The customer's bank asks about {amount} (smallest unit).",
    DisputeStatus.OPEN: "The customer's bank disputes {amount} (smallest unit).",
    DisputeStatus.LOST: "The customer's bank took back {amount} (smallest unit) for good.",
}


def merge_dispute(
    locked: LockedCollection, payment: Payment, seen: ProviderDispute, *, evidence: Evidence
) -> None:
    """Record what a bank took back, or asks about, and tell a person until it is won."""
    session = payment.payment_session
    dispute = _known(seen)
    doubt = doubt_of_reference(locked, session, seen.payment_reference)
    if doubt is not None or (dispute is not None and dispute.payment_id != payment.pk):
        report_doubt(locked, session, _another(seen), about=f"{session.pk}:{seen.reference}")
        return
    amount_minor = _amount_in_currency_of(locked, payment, seen)
    if dispute is None:
        dispute = _add(locked, payment, seen, amount_minor, evidence)
    else:
        dispute.payment = payment
        _change(locked, dispute, seen, amount_minor, evidence)
    _tell_person(locked, dispute)


def _known(seen: ProviderDispute) -> Dispute | None:
    rows = Dispute.objects.using(database_alias())
    dispute: Dispute | None = rows.filter(provider_reference=seen.reference).first()
    return dispute


def _add(
    locked: LockedCollection,
    payment: Payment,
    seen: ProviderDispute,
    amount_minor: int,
    evidence: Evidence,
) -> Dispute:
    dispute: Dispute = locked.add(
        Dispute(
            payment=payment,
            provider_reference=seen.reference,
            amount_minor=amount_minor,
            status=seen.status,
            evidence=evidence,
        ),
        "dispute.recorded",
    )
    tell_of(locked, "dispute_opened", payment, dispute=dispute)
    if seen.status in _CLOSED:
        tell_of(locked, "dispute_closed", payment, dispute=dispute)
    return dispute


def _change(
    locked: LockedCollection,
    dispute: Dispute,
    seen: ProviderDispute,
    amount_minor: int,
    evidence: Evidence,
) -> None:
    if evidence != Evidence.LOOKUP and _RANK[seen.status] <= _RANK[DisputeStatus(dispute.status)]:
        return
    was = dispute.status
    locked.change(
        dispute, "dispute.seen", status=seen.status, amount_minor=amount_minor, evidence=evidence
    )
    if seen.status != was and seen.status in _CLOSED:
        tell_of(locked, "dispute_closed", dispute.payment, dispute=dispute)


def _tell_person(locked: LockedCollection, dispute: Dispute) -> None:
    """A lost one stays open too: somebody must know that the money is gone."""
    about = dispute.provider_reference
    if dispute.status == DisputeStatus.WON:
        reason = "The bank decided for the shop, or asks no more."
        close_by_evidence(locked, DiscrepancyKind.DISPUTE, about=about, reason=reason)
        return
    detail = _DETAIL[DisputeStatus(dispute.status)].format(amount=dispute.amount_minor)
    open_discrepancy(
        locked,
        DiscrepancyKind.DISPUTE,
        about=about,
        detail=detail,
        session=dispute.payment.payment_session,
        amount_minor=dispute.amount_minor,
        currency_code=dispute.payment.currency_code,
    )


def _amount_in_currency_of(
    locked: LockedCollection, payment: Payment, seen: ProviderDispute
) -> int:
    """How much of the payment is disputed. All of it, where the bank counts in another currency:
    what is not known to be left is not given back."""
    if seen.currency_code in ("", payment.currency_code):
        return seen.amount_minor
    open_discrepancy(
        locked,
        DiscrepancyKind.CURRENCY,
        about=seen.reference,
        detail=(
            f"The bank disputes {seen.amount_minor} in {seen.currency_code}, the payment is in"
            f" {payment.currency_code}; all of it counts as disputed."
        ),
        session=payment.payment_session,
        amount_minor=seen.amount_minor,
        currency_code=seen.currency_code[:3],
    )
    return payment_totals(payment).captured_minor or payment.amount_minor


def _another(seen: ProviderDispute) -> Doubt:
    return Doubt(
        DiscrepancyKind.STATUS,
        f"Dispute {seen.reference} was told of this payment, and is of another. It was not"
        " recorded here.",
        seen.amount_minor,
        seen.currency_code[:3],
    )
