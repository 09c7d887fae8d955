"""Approving and rejecting proposals: what the question says, and what became of it."""

from __future__ import annotations

from typing import Any

from medusa_payments.admin.decision_pages import Decision, Line, Result
from medusa_payments.admin.display import badge, money, record_link, scrub
from medusa_payments.models import Proposal
from medusa_payments.operations.actors import Actor
from medusa_payments.operations.database import database_alias
from medusa_payments.operations.proposals import (
    approve_proposal,
    has_word_of,
    persons_for,
    reject_proposal,
)
from medusa_payments.statuses import ProposalKind, ProposalState, Verdict

_WOULD_BE_DONE = {
    ProposalKind.CANCEL: (
        "The payment is looked up at the provider. Then what is held or can still be paid there is"
        " released, at most {amount}."
    ),
    ProposalKind.REFUND: (
        "The payment is looked up at the provider. Then what was taken is given back to the"
        " customer, at most {amount}."
    ),
}
_WOULD_COUNT = {
    Verdict.HAPPENED: "The call counts as one that happened, until the provider shows otherwise.",
    Verdict.NOT_HAPPENED: (
        "The call counts as one that did not happen, until the provider shows otherwise."
    ),
}


class _OnProposal(Decision):
    permission = "approve_proposal"

    def label(self, row: Proposal) -> str:
        return self.button if row.state == ProposalState.OPEN else ""

    def line(self, row: Proposal, *, actor: Actor, site: str) -> Line:
        agreed = persons_for(row)
        return Line(
            marks=[badge(row.kind), *_progress(row, agreed)],
            amount=money(row.amount_minor, row.currency_code),
            known=[
                scrub(each) for each in (row.reason, row.proof and f"Proof: {row.proof}") if each
            ],
            request=scrub(row.detail),
            will_happen=self.will_happen(row, agreed),
            why_not=_why_not(row, actor),
        )

    def will_happen(self, proposal: Proposal, agreed: list[str]) -> list[str]:
        raise NotImplementedError


def _progress(proposal: Proposal, agreed: list[str]) -> list[str]:
    if proposal.approvals_needed == 1:
        return []
    text = f"{len(agreed)} of {proposal.approvals_needed} persons agreed"
    return [badge(proposal.state, text, tone="doubt")]


def _why_not(proposal: Proposal, actor: Actor) -> str:
    if proposal.state != ProposalState.OPEN:
        return f"It is {proposal.state} already."
    if has_word_of(proposal, actor.id):
        return "You have given your word on it; it takes another person's."
    return ""


class Approve(_OnProposal):
    name = "approve"
    title = "Approve proposals"
    button = "Approve"
    intro = (
        "Each proposal is decided by itself: what becomes of one does not touch the others."
        " You cannot take your word back."
    )
    cancel = "Cancel, approve nothing"

    def will_happen(self, proposal: Proposal, agreed: list[str]) -> list[str]:
        missing = proposal.approvals_needed - len(agreed) - 1
        if missing > 0:
            return [
                "Your word is kept. Nothing is done until another person agrees too.",
                f"Then: {_deed(proposal)}",
            ]
        return [_deed(proposal)]

    def perform(self, row: Proposal, *, actor: Actor, site: str, **words: Any) -> Result:
        return _outcome(approve_proposal(row, actor=actor, reason=words["reason"]), site=site)


def _deed(proposal: Proposal) -> str:
    if proposal.kind == ProposalKind.VERDICT:
        return _WOULD_COUNT[Verdict(proposal.verdict)]
    amount = money(proposal.amount_minor, proposal.currency_code)
    return _WOULD_BE_DONE[ProposalKind(proposal.kind)].format(amount=amount)


def _outcome(proposal: Proposal, *, site: str) -> Result:
    if proposal.state == ProposalState.OPEN:
        agreed, needed = len(persons_for(proposal)), proposal.approvals_needed
        return Result(
            "waits",
            f"{agreed} of {needed} persons have agreed. Nothing was done yet: it takes another's"
            " word.",
        )
    if successor := _successor(proposal):
        return Result(
            "waits",
            "More is needed than was approved, so nothing was asked: another proposal waits.",
            more=record_link(Proposal, successor.pk, site=site),
        )
    if proposal.state == ProposalState.APPROVED:
        return Result(
            "uncertain",
            "Approved. The provider does not show it as done yet; reconciliation goes on by"
            " itself, so do not do it another way.",
        )
    if proposal.kind == ProposalKind.VERDICT:
        return Result("succeeded", "Recorded with your name. Later proof overrides it.")
    return Result("succeeded", "Done: the provider shows it.")


def _successor(proposal: Proposal) -> Proposal | None:
    """What is asked for in its place, where a look showed that it was not enough."""
    rows = Proposal.objects.using(database_alias()).filter(
        payment_session=proposal.payment_session_id, state=ProposalState.OPEN
    )
    found: Proposal | None = rows.exclude(pk=proposal.pk).exclude(kind="verdict").first()
    return None if proposal.kind == ProposalKind.VERDICT else found


class Reject(_OnProposal):
    name = "reject"
    title = "Reject proposals"
    button = "Reject"
    intro = (
        "One person is enough to reject, and nothing is asked of any provider. You cannot take"
        " your word back."
    )
    cancel = "Cancel, reject nothing"

    def will_happen(self, proposal: Proposal, agreed: list[str]) -> list[str]:
        return [_stays(proposal)]

    def perform(self, row: Proposal, *, actor: Actor, site: str, **words: Any) -> Result:
        rejected = reject_proposal(row, actor=actor, reason=words["reason"])
        return Result("succeeded", f"Rejected. {_stays(rejected)}")


def _stays(proposal: Proposal) -> str:
    if proposal.kind == ProposalKind.VERDICT:
        return "The call stays one of unknown outcome, and is looked for as before."
    amount = money(proposal.amount_minor, proposal.currency_code)
    session = proposal.payment_session
    if session is not None and session.is_live:
        return f"What the provider has of it stays as it is: {amount}."
    return (
        f"The money stays where it is, {amount}, and its session is written off with your name."
        " More that comes in later is decided anew."
    )
