"""Importing what a scan found to stand otherwise at the provider than it is recorded here.

Captured, canceled, refunded or disputed there, and the event was lost: each is recorded with the
audit entries and signals of an act of ours. What that demands is done, so money may go back that
nobody asked for (law 7).
"""

from __future__ import annotations

from collections.abc import Iterable

from medusa_payments.models import PaymentSession, Refund
from medusa_payments.operations.database import database_alias
from medusa_payments.operations.sightings import see
from medusa_payments.providers.types import Found
from medusa_payments.reconciliation import ledger_discrepancies
from medusa_payments.reconciliation.ledger_findings import Finding
from medusa_payments.statuses import LedgerClass, LedgerKind

_IMPORTED = (LedgerClass.AMOUNT, LedgerClass.STATUS)


def import_findings(findings: Iterable[Finding]) -> int:
    """Read the sessions of these findings and record how they stand. Returns how many.

    The discrepancies of what is recorded as it is there are closed by that.
    """
    of_session: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.ledger_class in _IMPORTED and finding.session_id:
            of_session.setdefault(finding.session_id, []).append(finding)
    rows = PaymentSession.all_objects.using(database_alias()).filter(pk__in=list(of_session))
    return sum(_import(session, of_session[session.pk]) for session in rows.order_by("pk"))


def _import(session: PaymentSession, findings: list[Finding]) -> bool:
    shown = see(session, actor=ledger_discrepancies.LEDGER_SCAN)
    if not isinstance(shown, Found):
        return False
    row = PaymentSession.all_objects.using(database_alias()).get(pk=session.pk)
    there = (shown.payment.held_minor, shown.payment.captured_minor)
    if (row.held_minor, row.captured_minor) != there:
        return False
    ledger_discrepancies.close(
        {
            f"{finding.ledger_class}:{finding.about}": finding.payment_reference
            for finding in findings
            if finding.about and _is_recorded(finding)
        }
    )
    return True


def _is_recorded(finding: Finding) -> bool:
    """A payment's sums are compared already; a refund must have become a row."""
    if finding.kind is not LedgerKind.REFUND:
        return True
    rows = Refund.objects.using(database_alias()).filter(provider_reference=finding.reference)
    return rows.exists()
