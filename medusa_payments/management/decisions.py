"""What people decide on, as commands print it."""

from __future__ import annotations

from decimal import Decimal

from medusa_payments.management.printing import Described
from medusa_payments.models import Approval, AutomationStop, Discrepancy, Proposal
from medusa_payments.money import to_major
from medusa_payments.operations.database import database_alias


def describe_discrepancy(discrepancy: Discrepancy) -> Described:
    return {
        "id": discrepancy.pk,
        "kind": discrepancy.kind,
        "severity": discrepancy.severity,
        "state": discrepancy.state,
        "session_id": discrepancy.payment_session_id,
        "call_id": discrepancy.provider_call_id,
        "amount": _major(discrepancy),
        "detail": discrepancy.detail,
        "not_known": discrepancy.not_known,
        "closed_by": discrepancy.closed_by,
        "closing_reason": discrepancy.closing_reason,
    }


def describe_proposal(proposal: Proposal) -> Described:
    words = Approval.objects.using(database_alias()).filter(proposal=proposal).order_by("pk")
    return {
        "id": proposal.pk,
        "kind": proposal.kind,
        "state": proposal.state,
        "session_id": proposal.payment_session_id,
        "call_id": proposal.provider_call_id,
        "provider_id": proposal.provider_id,
        "provider_reference": proposal.provider_reference,
        "amount": _major(proposal),
        "currency_code": proposal.currency_code,
        "verdict": proposal.verdict,
        "detail": proposal.detail,
        "reason": proposal.reason,
        "proof": proposal.proof,
        "proposed_by": proposal.proposed_by,
        "approvals_needed": proposal.approvals_needed,
        "words": [
            {"actor": each.actor, "approved": each.is_approved, "reason": each.reason}
            for each in words
        ],
    }


def describe_stop(stop: AutomationStop) -> Described:
    return {
        "id": stop.pk,
        "provider_id": stop.provider_id,
        "reason": stop.reason,
        "stopped_by": stop.stopped_by,
        "stopped_at": stop.created_at,
        "lifted_by": stop.lifted_by,
        "lifted_at": stop.lifted_at,
    }


def _major(row: Discrepancy | Proposal) -> Decimal | None:
    if row.amount_minor is None or not row.currency_code:
        return None
    return to_major(row.amount_minor, row.currency_code)
