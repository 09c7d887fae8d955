"""Everything about one collection, as its page shows it. Reads only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from medusa_payments.admin.base import deletion_marks
from medusa_payments.admin.calls import call_amount
from medusa_payments.admin.discrepancies import discrepancy_badge, severity_badge
from medusa_payments.admin.display import NOTHING, badge, identifier, money, record_link, scrub
from medusa_payments.admin.movement_rows import movement_rows
from medusa_payments.admin.proposals import proposal_badge
from medusa_payments.admin.recorded_calls import attempts
from medusa_payments.admin.sentences import KINDS
from medusa_payments.admin.timeline import Moment, moments
from medusa_payments.models import (
    Discrepancy,
    Payment,
    PaymentCollection,
    PaymentSession,
    Proposal,
    ProviderCall,
)
from medusa_payments.operations import audit
from medusa_payments.operations.database import database_alias
from medusa_payments.operations.totals import (
    CollectionTotals,
    PaymentTotals,
    set_aside,
    totals_of_payments,
)

# More entries than anybody reads; the rest is a click away in the list of audit entries.
MOST_ENTRIES = 500


@dataclass(frozen=True)
class Uncertain:
    """Something whose outcome is not known, and what happens next."""

    link: str
    text: str
    next_look: datetime | None


class CollectionPage:
    def __init__(self, collection: PaymentCollection, *, site: str) -> None:
        self.collection = collection
        self._site = site
        self._code = collection.currency_code
        self._sessions = self._read(PaymentSession.all_objects)
        self._payments = self._read(Payment.objects)
        self._calls = self._read(ProviderCall.objects)
        self._discrepancies = self._read(Discrepancy.objects)
        self._proposals = self._read(Proposal.objects.prefetch_related("approvals"))
        self._movements = movement_rows(self._payments, site=site)

    def _read(self, manager: Any) -> list[Any]:
        rows = manager.using(database_alias()).filter(payment_collection=self.collection)
        return list(rows.order_by("pk"))

    # What the template asks for

    def breaks(self) -> list[audit.Break]:
        return list(audit.verify(self.collection))

    def totals(self) -> list[tuple[str, str]]:
        collection = self.collection
        return [
            ("Owed", money(collection.amount_minor, self._code)),
            ("Authorized", money(collection.authorized_minor, self._code)),
            ("Captured", money(collection.captured_minor, self._code)),
            ("Refunded", money(collection.refunded_minor, self._code)),
        ]

    def set_aside(self) -> list[tuple[str, str]]:
        """Empty when no money passed under a soft-deleted session."""
        sums = set_aside(self.collection)
        if sums == CollectionTotals(0, 0, 0):
            return []
        return [
            ("Authorized", money(sums.authorized_minor, self._code)),
            ("Captured", money(sums.captured_minor, self._code)),
            ("Refunded", money(sums.refunded_minor, self._code)),
        ]

    def uncertain(self) -> list[Uncertain]:
        return [*self._uncertain_calls(), *self._unresolved_sessions()]

    def _uncertain_calls(self) -> Iterator[Uncertain]:
        for call in self._calls:
            if call.is_unresolved:
                yield Uncertain(
                    link=self._link(call),
                    text=f"{_subject(call)}: {_doubt(call)}",
                    next_look=call.next_attempt_at,
                )

    def _unresolved_sessions(self) -> Iterator[Uncertain]:
        clocks = {
            call.payment_session_id: call.next_attempt_at
            for call in self._calls
            if call.kind == "initiate"
        }
        for session in self._sessions:
            if session.deleted is not None and not session.resolution:
                amount = money(session.amount_minor, session.currency_code)
                yield Uncertain(
                    link=self._link(session),
                    text=f"Soft-deleted session over {amount}: it is not known yet that nothing is"
                    " payable, held or kept under it.",
                    next_look=clocks.get(session.pk),
                )

    def sessions(self) -> list[dict[str, Any]]:
        payments = {payment.payment_session_id: payment for payment in self._payments}
        return [
            {
                "link": self._link(session),
                "created_at": session.created_at,
                "amount": money(session.amount_minor, session.currency_code),
                "status": badge(session.status),
                "marks": deletion_marks(session),
                "provider": session.provider_id,
                "reference": identifier(session.provider_reference),
                "state": badge(session.provider_state, session.provider_state or "never seen"),
                "payment": self._link(payments[session.pk]) if session.pk in payments else NOTHING,
                "is_deleted": session.deleted is not None,
            }
            for session in self._sessions
        ]

    def payments(self) -> list[dict[str, Any]]:
        sums = totals_of_payments(self._payments)
        sessions = {session.pk: session for session in self._sessions}
        return [
            {
                "link": self._link(payment),
                "created_at": payment.created_at,
                "amount": money(payment.amount_minor, payment.currency_code),
                "sums": self._sums(payment, sums[payment.pk]),
                "state": payment_badge(payment),
                "marks": deletion_marks(sessions[payment.payment_session_id]),
                "movements": self._movements[payment.pk],
            }
            for payment in self._payments
        ]

    def _sums(self, payment: Payment, sums: PaymentTotals) -> list[tuple[str, str]]:
        code = payment.currency_code
        return [
            ("captured", money(sums.captured_minor, code)),
            ("refunded", money(sums.refunded_minor, code)),
            ("refundable", money(sums.refundable_minor, code)),
        ]

    def calls(self) -> list[dict[str, Any]]:
        return [
            {
                "link": self._link(call),
                "created_at": call.created_at,
                "kind": call.kind,
                "is_undoing": call.is_undoing,
                "amount": call_amount(call),
                "state": badge(call.state),
                "evidence": call.evidence,
                "is_provisional": call.is_provisional,
                "attempts": attempts(call),
                "next_look": call.next_attempt_at,
            }
            for call in self._calls
        ]

    def proposals(self) -> list[dict[str, Any]]:
        return [
            {
                "link": self._link(row),
                "created_at": row.created_at,
                "kind": badge(row.kind),
                "state": proposal_badge(row),
                "amount": money(row.amount_minor, row.currency_code),
                "reason": scrub(row.reason),
                "words": [
                    f"{each.actor} {'agreed' if each.is_approved else 'refused'}:"
                    f" {scrub(each.reason)}"
                    for each in sorted(row.approvals.all(), key=lambda word: word.pk)
                ],
            }
            for row in self._proposals
        ]

    def discrepancies(self) -> list[dict[str, Any]]:
        return [
            {
                "link": self._link(row),
                "created_at": row.created_at,
                "kind": badge(row.kind),
                "severity": severity_badge(row),
                "state": discrepancy_badge(row),
                "amount": money(row.amount_minor, row.currency_code),
                "detail": scrub(row.detail),
                "not_known": scrub(row.not_known),
                "closed": scrub(f"{row.closed_by}: {row.closing_reason}") if row.closed_by else "",
            }
            for row in self._discrepancies
        ]

    def moments(self) -> list[Moment]:
        """The last moments, oldest first."""
        rows = self.collection.audit_entries.using(database_alias())
        entries = list(rows.order_by("-number")[:MOST_ENTRIES])
        return list(
            moments(
                reversed(entries),
                currencies=self._currencies(),
                amounts={call.pk: call.arguments.get("amount_minor") for call in self._calls},
                site=self._site,
            )
        )

    def left_out(self) -> int:
        return max(0, self.collection.audit_length - MOST_ENTRIES)

    def _currencies(self) -> dict[str, str]:
        """Currency code by a record's id; the collection's own may have changed over time."""
        codes = {row.pk: row.currency_code for row in (*self._sessions, *self._payments)}
        codes |= {row.pk: row.currency_code for row in (*self._discrepancies, *self._proposals)}
        for payment_id, rows in self._movements.items():
            codes |= {row["id"]: codes[payment_id] for row in rows}
        codes |= {call.pk: codes[call.payment_session_id] for call in self._calls}
        return codes

    def _link(self, row: Any) -> str:
        return record_link(type(row), row.pk, site=self._site)


def payment_badge(payment: Payment) -> str:
    if payment.is_canceled:
        return badge("canceled")
    return badge("captured") if payment.is_captured else badge("held")


def _subject(call: ProviderCall) -> str:
    text = KINDS.get(call.kind, call.kind).capitalize()
    return f"{text} of {call_amount(call)}" if "amount_minor" in call.arguments else text


def _doubt(call: ProviderCall) -> str:
    if call.state == "open":
        return "it was asked, and no answer is recorded yet."
    text = "the provider's answer was lost, so it may have happened."
    if call.kind in ("capture", "refund"):
        text += " The amount stays reserved."
    return text
