"""Proposals as rows: opened under the lock, and closed by evidence when nothing is left to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from medusa_payments.models import PaymentSession, Proposal, ProviderCall
from medusa_payments.operations.database import database_alias
from medusa_payments.operations.locking import LockedCollection
from medusa_payments.operations.policies import persons_needed
from medusa_payments.statuses import ProposalKind, ProposalState

UNDECIDED = (ProposalState.OPEN, ProposalState.APPROVED)
_UNDOINGS = (ProposalKind.CANCEL, ProposalKind.REFUND)


@dataclass(frozen=True)
class Step:
    """One thing that would be asked to undo what a session left at its provider.

    ``amount_minor``: what it releases or gives back; of a payment that nobody has paid, what can
    no longer be paid afterwards.
    """

    kind: ProposalKind
    amount_minor: int
    currency_code: str
    arguments: dict[str, Any]

    @property
    def method(self) -> str:
        """Of the provider."""
        return "refund_payment" if self.kind == ProposalKind.REFUND else "delete_payment"

    @property
    def request(self) -> str:
        """The exact request, for people."""
        return f"{self.method}({', '.join(f'{k}={v!r}' for k, v in self.arguments.items())})"


def propose_undoing(
    locked: LockedCollection, session: PaymentSession, step: Step, *, reason: str
) -> Proposal:
    """Open a proposal, or return the one that is undecided and covers the step.

    One that covers less is closed: what it asked for is no longer what is needed.
    """
    existing = proposals_about(session, step.kind).filter(state__in=UNDECIDED).first()
    if existing is not None and covers(existing, step):
        return existing
    if existing is not None:
        _close(locked, existing, "proposal.outgrown")
    return open_proposal(
        locked,
        f"{step.kind}:{session.pk}",
        session,
        kind=step.kind,
        amount_minor=step.amount_minor,
        detail=step.request,
        reason=reason,
        proposed_by=locked.actor.id,
    )


def open_proposal(
    locked: LockedCollection, open_key: str, session: PaymentSession, **values: Any
) -> Proposal:
    proposal: Proposal = locked.add(
        Proposal(
            open_key=open_key,
            payment_collection=locked.collection,
            payment_session=session,
            provider_id=session.provider_id,
            provider_reference=session.provider_reference,
            currency_code=session.money_currency_code,
            approvals_needed=persons_needed(
                amount_minor=values["amount_minor"], currency_code=session.money_currency_code
            ),
            **values,
        ),
        "proposal.opened",
    )
    return proposal


def covers(proposal: Proposal, step: Step) -> bool:
    """Whether what is needed is at most what was put to people."""
    return proposal.amount_minor is not None and step.amount_minor <= proposal.amount_minor


def proposals_about(session: PaymentSession, kind: ProposalKind) -> QuerySet[Proposal]:
    rows: QuerySet[Proposal] = Proposal.objects.using(database_alias())
    return rows.filter(payment_session=session, kind=kind).order_by("pk")


def close_undoings(
    locked: LockedCollection,
    session: PaymentSession,
    kinds: tuple[ProposalKind, ...] = _UNDOINGS,
) -> None:
    """What was proposed is done, by whomever: the provider's object shows it."""
    rows: QuerySet[Proposal] = Proposal.objects.using(database_alias())
    for proposal in rows.filter(payment_session=session, kind__in=kinds, state__in=UNDECIDED):
        _close(locked, proposal, "proposal.done")


def close_verdicts(locked: LockedCollection, call: ProviderCall) -> None:
    """What became of the call is known otherwise; a person's word is not needed any more."""
    rows: QuerySet[Proposal] = Proposal.objects.using(database_alias())
    for proposal in rows.filter(
        provider_call=call, kind=ProposalKind.VERDICT, state=ProposalState.OPEN
    ):
        _close(locked, proposal, "proposal.done")


def decide(locked: LockedCollection, proposal: Proposal, state: ProposalState) -> None:
    is_over = state not in UNDECIDED
    locked.change(
        proposal,
        f"proposal.{state}",
        state=state,
        open_key=None if is_over else proposal.open_key,
        decided_at=proposal.decided_at or locked.now,
    )


def _close(locked: LockedCollection, proposal: Proposal, action: str) -> None:
    locked.change(
        proposal,
        action,
        state=ProposalState.DONE,
        open_key=None,
        decided_at=proposal.decided_at or locked.now,
    )
