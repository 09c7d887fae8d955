"""Our records for a page of the ledger: a few queries for a hundred objects."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from medusa_payments.models import PaymentSession, ProviderCall, Refund
from medusa_payments.operations.database import database_alias
from medusa_payments.providers.ledger_types import LedgerEntry
from medusa_payments.statuses import UNRESOLVED_CALLS, CallKind, LedgerKind

_BATCH = 500


class LedgerRecords:
    """What is recorded of the objects of a page, in the providers that share the account."""

    def __init__(self, entries: Iterable[LedgerEntry], *, provider_ids: Collection[str]) -> None:
        listed = list(entries)
        self._own = provider_ids
        self.sessions: dict[str, PaymentSession] = {}
        self.by_reference: dict[str, PaymentSession] = {}
        marks = {entry.session_id for entry in listed} - {""}
        references = {entry.payment_reference for entry in listed} - {""}
        self._keep(_sessions(self._own).filter(pk__in=marks) if marks else ())
        known = set(self.by_reference)
        if unknown := references - known:
            self._keep(_sessions(self._own).filter(provider_reference__in=unknown))
        self._read_refunds([each for each in listed if each.kind is LedgerKind.REFUND])
        self.unresolved, self.busy = work_on(self.sessions)

    def session_of(self, entry: LedgerEntry) -> PaymentSession | None:
        """By the provider's id, which proves more than a mark."""
        return self.by_reference.get(entry.payment_reference) or self.sessions.get(entry.session_id)

    def refund_of(self, entry: LedgerEntry) -> Refund | None:
        marked = self.refunds.get(entry.refund_id)
        return marked or self.refunds_by_reference.get(entry.reference)

    def asked_amounts(self, session: PaymentSession) -> set[int]:
        """Every amount that the session's object was ever asked to be for."""
        calls = ProviderCall.objects.using(database_alias()).filter(
            payment_session=session, kind__in=(CallKind.INITIATE, CallKind.UPDATE)
        )
        return {call.arguments.get("amount_minor") for call in calls}

    def _keep(self, rows: Iterable[PaymentSession]) -> None:
        for session in rows:
            self.sessions[session.pk] = session
            if session.provider_reference:
                self.by_reference[session.provider_reference] = session

    def _read_refunds(self, entries: list[LedgerEntry]) -> None:
        self.refunds: dict[str, Refund] = {}
        self.refunds_by_reference: dict[str, Refund] = {}
        if not entries:
            return
        marks = {entry.refund_id for entry in entries} - {""}
        rows = [
            *_refunds(self._own).filter(payment__payment_session__in=list(self.sessions)),
            *_refunds(self._own).filter(pk__in=marks),
        ]
        for refund in rows:
            self.refunds[refund.pk] = refund
            if refund.provider_reference:
                self.refunds_by_reference[refund.provider_reference] = refund


def work_on(session_ids: Iterable[str]) -> tuple[set[str], set[str]]:
    """Sessions with a call of unknown outcome, and those on which anything is left to do."""
    calls = ProviderCall.objects.using(database_alias()).filter(
        payment_session__in=list(session_ids), next_attempt_at__isnull=False
    )
    states = list(calls.values_list("payment_session_id", "state"))
    unresolved = {pk for pk, state in states if state in UNRESOLVED_CALLS}
    return unresolved, {pk for pk, _ in states}


def sessions_made(
    first: datetime, last: datetime, *, provider_ids: Collection[str]
) -> Iterable[PaymentSession]:
    """Sessions that were made from ``first`` until just before ``last``."""
    rows = _sessions(provider_ids).filter(created_at__gte=first, created_at__lt=last)
    return rows.order_by("created_at", "pk").iterator(chunk_size=_BATCH)


def refunds_made(
    first: datetime, last: datetime, *, provider_ids: Collection[str]
) -> Iterable[Refund]:
    rows = _refunds(provider_ids).filter(created_at__gte=first, created_at__lt=last)
    return rows.order_by("created_at", "pk").iterator(chunk_size=_BATCH)


def _sessions(provider_ids: Collection[str]) -> QuerySet[PaymentSession]:
    rows: QuerySet[Any] = PaymentSession.all_objects.using(database_alias())
    return rows.filter(provider_id__in=provider_ids).defer("data", "context", "metadata")


def _refunds(provider_ids: Collection[str]) -> QuerySet[Refund]:
    rows: QuerySet[Any] = Refund.objects.using(database_alias())
    return rows.filter(payment__provider_id__in=provider_ids).select_related(
        "payment__payment_session"
    )
