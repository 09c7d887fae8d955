"""What a scan found wrong becomes a discrepancy; what it finds right again is closed by that.

One thing has one open discrepancy, also when a webhook or a lookup has shown it before. A scan
moves no money: it opens, closes, and leaves the rest to people and policies.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db import transaction

from medusa_payments.models import Discrepancy, PaymentSession
from medusa_payments.operations.actors import Actor
from medusa_payments.operations.database import DatabaseNow, database_alias, patiently
from medusa_payments.operations.discrepancies import (
    NOT_KNOWN,
    SEVERITY,
    close_by_evidence,
    open_discrepancy,
)
from medusa_payments.operations.locking import LockedCollection, under_lock
from medusa_payments.operations.recording import Recorded, finish
from medusa_payments.operations.telling import tell_shop
from medusa_payments.reconciliation.ledger_findings import Finding
from medusa_payments.signals import discrepancy_opened
from medusa_payments.statuses import (
    DiscrepancyKind,
    DiscrepancyState,
    Door,
    LedgerClass,
    LedgerKind,
    Severity,
)

LEDGER_SCAN = Actor("ledger_scan", Door.SWEEP)
_CAUSE = "ledger scan"
_OBJECTS_TOO_MANY = (LedgerClass.GHOST, LedgerClass.DUPLICATE)
_RIGHT = "A later scan of the provider's ledger found both sides equal."
_OVER = "It is recorded, or nothing of it can be paid, is held or is kept any more."
_OF_OWN_THING = ("amount", "currency", "status", "missing", "ghost", "duplicate")


def report(finding: Finding, *, scan_began_at: datetime) -> Discrepancy | None:
    """The open discrepancy about what a scan found wrong; None: nobody has to decide.

    Safe to repeat. The shop is told at least once, as by any record.
    """
    if not finding.needs_person:
        return None
    session = _session(finding)
    if session is None:
        return _report_outside_of_chains(finding, scan_began_at=scan_began_at)
    return _report_of_session(finding, session)


def keys_to_close(finding: Finding) -> list[str]:
    """The keys of discrepancies that a finding shows to be over."""
    if finding.ledger_class in (LedgerClass.NOT_COMPARABLE, LedgerClass.FOREIGN):
        return []
    if finding.ledger_class in _OBJECTS_TOO_MANY:
        return [f"{finding.ledger_class}:{finding.about}"] if finding.is_harmless else []
    keys = [f"{kind}:{finding.about}" for kind in _OF_OWN_THING if finding.about]
    if finding.kind is LedgerKind.PAYMENT and finding.ledger_class == LedgerClass.MATCHED:
        keys.append(f"{LedgerClass.GHOST}:{finding.session_id}")
        keys.append(f"{LedgerClass.DUPLICATE}:{finding.session_id}:{finding.reference}")
    kept = f"{finding.ledger_class}:{finding.about}"
    return [key for key in keys if key != kept]


def open_keys(findings: Iterable[Finding]) -> dict[str, str]:
    """Those of the findings' keys that are open, each with the id of the object that shows it
    to be over. Reads only."""
    shown = {key: each.payment_reference for each in findings for key in keys_to_close(each)}
    rows = Discrepancy.objects.using(database_alias()).filter(open_key__in=list(shown))
    return {key: shown[key] for key in rows.values_list("open_key", flat=True)}


def close(keys: Mapping[str, str]) -> None:
    """Close what is open under these keys; of several objects too many each has its own end."""
    rows = Discrepancy.objects.using(database_alias()).filter(open_key__in=list(keys))
    for discrepancy in rows.order_by("pk"):
        key = str(discrepancy.open_key)
        kind, _, about = key.partition(":")
        is_too_many = kind in _OBJECTS_TOO_MANY
        if is_too_many and discrepancy.provider_reference not in ("", keys[key]):
            continue
        reason = _OVER if is_too_many else _RIGHT
        if discrepancy.payment_collection_id:
            _close_of_session(discrepancy, kind, about, reason)
        else:
            _close_outside_of_chains(discrepancy, reason)


def _report_of_session(finding: Finding, session: PaymentSession) -> Discrepancy:
    def work(locked: LockedCollection) -> tuple[Discrepancy, Recorded]:
        row = locked.session(session.pk)
        discrepancy = _already_open(finding, row) or open_discrepancy(
            locked,
            DiscrepancyKind(finding.ledger_class),
            about=finding.about,
            detail=_detail(finding),
            severity=_severity(finding),
            session=row,
            amount_minor=finding.risk_minor,
            **_facts(finding),
        )
        return discrepancy, finish(locked, locked.initiate_of(row))

    discrepancy, recorded = under_lock(
        session.payment_collection_id, work, actor=LEDGER_SCAN, cause=_CAUSE
    )
    tell_shop(recorded.carrier)
    return discrepancy


def _already_open(finding: Finding, session: PaymentSession) -> Discrepancy | None:
    """Shown by a webhook or a lookup before, under a name of theirs."""
    if finding.kind is LedgerKind.REFUND or finding.ledger_class in _OBJECTS_TOO_MANY:
        return None
    rows = Discrepancy.objects.using(database_alias()).filter(
        kind=finding.ledger_class, state=DiscrepancyState.OPEN, payment_session=session
    )
    return rows.order_by("pk").first()


def _report_outside_of_chains(finding: Finding, *, scan_began_at: datetime) -> Discrepancy:
    """About an object of which there is no record, so that the row itself is all there is.

    Told again when the process died before its window was saved: then this comes here again.
    """

    def transact() -> Discrepancy:
        with transaction.atomic(using=database_alias(), durable=True):
            return _open_outside_of_chains(finding)

    discrepancy = patiently(transact)
    if discrepancy.created_at >= scan_began_at:
        discrepancy_opened.send_robust(sender=Discrepancy, discrepancy=discrepancy)
    return discrepancy


def _open_outside_of_chains(finding: Finding) -> Discrepancy:
    kind = DiscrepancyKind(finding.ledger_class)
    opened: Discrepancy
    opened, _ = Discrepancy.objects.using(database_alias()).get_or_create(
        open_key=f"{kind}:{finding.about}",
        defaults={
            "kind": kind,
            "severity": _severity(finding) or SEVERITY[kind],
            "amount_minor": finding.risk_minor,
            "detail": _detail(finding),
            "not_known": NOT_KNOWN[kind],
            **_facts(finding),
        },
    )
    return opened


def _close_of_session(discrepancy: Discrepancy, kind: str, about: str, reason: str) -> None:
    def work(locked: LockedCollection) -> None:
        close_by_evidence(locked, DiscrepancyKind(kind), about=about, reason=reason)

    under_lock(discrepancy.payment_collection_id, work, actor=LEDGER_SCAN, cause=_CAUSE)


def _close_outside_of_chains(discrepancy: Discrepancy, reason: str) -> None:
    still_open = Discrepancy.objects.using(database_alias()).filter(
        pk=discrepancy.pk, state=DiscrepancyState.OPEN
    )
    patiently(
        lambda: still_open.update(
            state=DiscrepancyState.CLOSED,
            open_key=None,
            closed_at=DatabaseNow(),
            updated_at=DatabaseNow(),
            closed_by=LEDGER_SCAN.id,
            closing_reason=reason,
        )
    )


def _session(finding: Finding) -> PaymentSession | None:
    if not finding.session_id:
        return None
    rows = PaymentSession.all_objects.using(database_alias())
    session: PaymentSession | None = rows.filter(pk=finding.session_id).first()
    return session


def _facts(finding: Finding) -> dict[str, str]:
    is_too_many = finding.ledger_class in _OBJECTS_TOO_MANY
    named = finding.payment_reference if is_too_many else ""
    facts = {"provider_reference": named or finding.reference}
    if code := finding.currency_code[:3]:
        facts["currency_code"] = code
    return facts


def _severity(finding: Finding) -> Severity | None:
    """That of the kind, unless money was taken or given back that one side knows nothing of."""
    return Severity.CRITICAL if finding.is_moved_money else None


def _detail(finding: Finding) -> str:
    return f"Scan of the provider's ledger: {finding.kind} {finding.reference}. {finding.detail}"
