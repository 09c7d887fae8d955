"""Importing what a scan found to stand otherwise at the provider than it is recorded here.

Captured, canceled, refunded or disputed there, and the event was lost: each is recorded with the
audit entries and signals of an act of ours. What that demands is done, so money may go back that
nobody asked for (law 7).
"""

from __future__ import annotations

import logging
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

logger = logging.getLogger("medusa_payments")

_OTHERWISE = (LedgerClass.AMOUNT, LedgerClass.STATUS)


def import_findings(findings: Iterable[Finding], *, provider: PaymentProvider) -> dict[str, str]:
    """Read the sessions of these findings and record how they stand.

    A ghost gets a record, and is undone, where a policy of the kind ``"ghost"`` says so.

    Returns what ``ledger_discrepancies.close`` takes: the keys of what is recorded as it is there.
    One that cannot be imported keeps its finding, and holds up no other.
    """
    recorded: dict[str, str] = {}
    for session_mark, own in _by_session(findings).items():
        try:
            is_recorded = _import(session_mark, own, provider=provider)
        except Exception:
            logger.exception("Session %s could not be imported; the scan goes on", session_mark)
            continue
        if is_recorded:
            recorded |= {
                f"{finding.ledger_class}:{finding.about}": finding.payment_reference
                for finding in own
                if finding.about and _is_row(finding)
            }
    return recorded


def _by_session(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    of_session: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.ledger_class in (*_OTHERWISE, LedgerClass.GHOST):
            mark = finding.session_id or finding.session_mark
            of_session.setdefault(mark, []).append(finding)
    return of_session


def _import(session_id: str, findings: list[Finding], *, provider: PaymentProvider) -> bool:
    """Whether the record shows what is there, and nothing is left to do about it."""
    rows = PaymentSession.all_objects.using(database_alias())
    session: PaymentSession | None = rows.filter(pk=session_id).first()
    is_ghost = session is None
    if session is None:
        session = _restored(findings, provider=provider)
    if session is None:
        return False
    shown = see(session, actor=ledger_discrepancies.LEDGER_SCAN)
    session = rows.get(pk=session.pk)
    if is_ghost:
        return bool(session.resolution)
    return isinstance(shown, Found) and (session.held_minor, session.captured_minor) == (
        shown.payment.held_minor,
        shown.payment.captured_minor,
    )


def _restored(findings: list[Finding], *, provider: PaymentProvider) -> PaymentSession | None:
    """As a session that was set aside, of which law 7 gives back what it holds."""
    ghost = next((each for each in findings if each.kind is LedgerKind.PAYMENT), None)
    if ghost is None:
        return None
    request = LookupRequest(
        session_id=ghost.session_mark, reference=ghost.payment_reference, with_refunds=True
    )
    shown = provider.lookup(request)
    if not isinstance(shown, Found):
        return None
    seen, made_at = shown.payment, _made_at(shown.payment)
    mode = ghost_mode_for(
        provider_id=provider.id,
        amount_minor=seen.captured_minor or seen.held_minor or seen.amount_minor,
        currency_code=seen.currency_code,
        age=timezone.now() - made_at,
    )
    if mode == PolicyMode.OBSERVE:
        return None
    return restore_ghost(
        ghost.session_mark,
        seen,
        provider_id=provider.id,
        created_at=made_at,
        actor=ledger_discrepancies.LEDGER_SCAN,
    )


def _made_at(seen: ProviderPayment) -> datetime:
    """Where the provider does not tell, it counts as made just before now."""
    created = seen.data.get("created")
    return datetime.fromtimestamp(created, UTC) if isinstance(created, int) else timezone.now()


def _is_row(finding: Finding) -> bool:
    """A payment's sums are compared already; a refund must have become a row."""
    if finding.kind is not LedgerKind.REFUND:
        return True
    rows = Refund.objects.using(database_alias()).filter(provider_reference=finding.reference)
    return rows.exists()
