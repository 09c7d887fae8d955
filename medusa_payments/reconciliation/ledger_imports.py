"""Importing what a scan found to stand otherwise at the provider than it is recorded here.

Captured, canceled, refunded or disputed there, and the event was lost: each is recorded with the
audit entries and signals of an act of ours. What that demands is done, so money may go back that
nobody asked for (law 7).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from django.utils import timezone

from medusa_payments.models import PaymentSession, Refund
from medusa_payments.operations.database import database_alias
from medusa_payments.operations.ghosts import restore_ghost
from medusa_payments.operations.policies import ghost_mode_for
from medusa_payments.operations.sightings import see
from medusa_payments.providers.base import PaymentProvider
from medusa_payments.providers.types import Found, LookupRequest, ProviderPayment
from medusa_payments.reconciliation import ledger_discrepancies
from medusa_payments.reconciliation.ledger_findings import Finding
from medusa_payments.statuses import LedgerClass, LedgerKind, PolicyMode

_IMPORTED = (LedgerClass.AMOUNT, LedgerClass.STATUS)


def import_findings(findings: Iterable[Finding], *, provider: PaymentProvider) -> int:
    """Read the sessions of these findings and record how they stand. Returns how many.

    A ghost gets a record, and is undone, where a policy of the kind ``"ghost"`` says so.

    The discrepancies of what is recorded as it is there are closed by that.
    """
    of_session: dict[str, list[Finding]] = {}
    ghosts: list[Finding] = []
    for finding in findings:
        if finding.ledger_class in _IMPORTED and finding.session_id:
            of_session.setdefault(finding.session_id, []).append(finding)
        if finding.ledger_class is LedgerClass.GHOST and finding.kind is LedgerKind.PAYMENT:
            ghosts.append(finding)
    rows = PaymentSession.all_objects.using(database_alias()).filter(pk__in=list(of_session))
    imported = sum(_import(session, of_session[session.pk]) for session in rows.order_by("pk"))
    return imported + sum(_undo_ghost(provider, finding) for finding in ghosts)


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


def _undo_ghost(provider: PaymentProvider, finding: Finding) -> bool:
    """Restored as a session that was set aside, of which law 7 gives back what it holds."""
    request = LookupRequest(
        session_id=finding.session_mark,
        reference=finding.payment_reference or finding.reference,
        with_refunds=True,
    )
    shown = provider.lookup(request)
    if not isinstance(shown, Found):
        return False
    seen, made_at = shown.payment, _made_at(shown.payment)
    mode = ghost_mode_for(
        provider_id=provider.id,
        amount_minor=seen.captured_minor or seen.held_minor or seen.amount_minor,
        currency_code=seen.currency_code,
        age=timezone.now() - made_at,
    )
    if mode == PolicyMode.OBSERVE:
        return False
    session = restore_ghost(
        finding.session_mark,
        seen,
        provider_id=provider.id,
        created_at=made_at,
        actor=ledger_discrepancies.LEDGER_SCAN,
    )
    if session is None:
        return False
    see(session, actor=ledger_discrepancies.LEDGER_SCAN)
    session = PaymentSession.all_objects.using(database_alias()).get(pk=session.pk)
    if session.resolution:
        ledger_discrepancies.close(
            {f"{LedgerClass.GHOST}:{finding.about}": finding.payment_reference}
        )
    return True


def _made_at(seen: ProviderPayment) -> datetime:
    """Where the provider does not tell, it counts as made just before now."""
    created = seen.data.get("created")
    return datetime.fromtimestamp(created, UTC) if isinstance(created, int) else timezone.now()


def _is_recorded(finding: Finding) -> bool:
    """A payment's sums are compared already; a refund must have become a row."""
    if finding.kind is not LedgerKind.REFUND:
        return True
    rows = Refund.objects.using(database_alias()).filter(provider_reference=finding.reference)
    return rows.exists()
