"""What people decide on a proposal: one word each; what enough agree to is carried out."""

from __future__ import annotations

from collections.abc import Callable

from django.db.models import QuerySet

from medusa_payments.errors import AlreadyDecided, NotAllowed, SecondWord
from medusa_payments.models import Approval, Proposal
from medusa_payments.operations.actors import Actor, refuse_unless_person
from medusa_payments.operations.database import database_alias, refuse_open_transaction
from medusa_payments.operations.locking import LockedCollection, under_lock
from medusa_payments.operations.proposal_records import decide
from medusa_payments.operations.recording import Recorded, finish
from medusa_payments.operations.session_closing import follow
from medusa_payments.operations.undoing import resolve
from medusa_payments.operations.verdict_records import record_verdict
from medusa_payments.statuses import ProposalKind, ProposalState, Resolution, Verdict


def approve_proposal(proposal: Proposal, *, actor: Actor, reason: str) -> Proposal:
    """Agree to a proposal. With the last word that it needs it is carried out.

    An undoing is planned anew from a lookup, and asked for if what is needed is at most what was
    approved; the proposal is ``done`` once the provider shows it. The kill switch does not hold
    back what a person approves, but what the sweep would finish of it.

    :raises PersonRequired, InvalidData: no person, or no reason.
    :raises AlreadyDecided: it is not open any more.
    :raises SecondWord: this person has given their word on it.
    """
    return _decided(proposal, _approve, actor=actor, reason=reason)


def reject_proposal(proposal: Proposal, *, actor: Actor, reason: str) -> Proposal:
    """Refuse a proposal; one person is enough. Nothing is asked.

    What an undoing would have given back stays where it is: the session is ``written_off``, until
    more comes in than was spoken of. A call whose verdict was refused is looked for as before.

    :raises PersonRequired, InvalidData, AlreadyDecided, SecondWord: as ``approve_proposal``.
    """
    return _decided(proposal, _reject, actor=actor, reason=reason)


_Decision = Callable[[LockedCollection, Proposal, str], Recorded]


def _decided(proposal: Proposal, decision: _Decision, *, actor: Actor, reason: str) -> Proposal:
    refuse_open_transaction()
    refuse_unless_person(actor, reason=reason)
    collection_id = proposal.payment_collection_id
    if collection_id is None:
        raise NotAllowed(f"Proposal {proposal.pk} is about no record of ours; act at the provider.")

    def work(locked: LockedCollection) -> Recorded:
        current = _rows().select_related("payment_session", "provider_call").get(pk=proposal.pk)
        if current.state != ProposalState.OPEN:
            raise AlreadyDecided(f"Proposal {current.pk} is {current.state}; nothing was changed.")
        return decision(locked, current, reason)

    cause = f"{decision.__name__.strip('_')}: {reason}"[:255]
    follow(under_lock(collection_id, work, actor=actor, cause=cause), actor=actor)
    return _rows().get(pk=proposal.pk)


def _approve(locked: LockedCollection, proposal: Proposal, reason: str) -> Recorded:
    give_word(locked, proposal, is_approved=True, reason=reason)
    if len(persons_for(proposal)) < proposal.approvals_needed:
        return Recorded()
    decide(locked, proposal, ProposalState.APPROVED)
    if proposal.kind == ProposalKind.VERDICT:
        return carry_out_verdict(locked, proposal)
    session = locked.session(str(proposal.payment_session_id))
    locked.look_at(session)
    return finish(locked, locked.initiate_of(session))


def _reject(locked: LockedCollection, proposal: Proposal, reason: str) -> Recorded:
    give_word(locked, proposal, is_approved=False, reason=reason)
    decide(locked, proposal, ProposalState.REJECTED)
    session = locked.session(str(proposal.payment_session_id))
    if proposal.kind != ProposalKind.VERDICT and not session.is_live:
        resolve(locked, session, Resolution.WRITTEN_OFF)
    return finish(locked, locked.initiate_of(session))


def give_word(
    locked: LockedCollection, proposal: Proposal, *, is_approved: bool, reason: str
) -> None:
    """Keep one person's word, in the row and in the trail.

    :raises SecondWord: they have given it before.
    """
    actor = locked.actor.id
    if has_word_of(proposal, actor):
        raise SecondWord(actor=actor)
    locked.flush()
    Approval(proposal=proposal, actor=actor, is_approved=is_approved, reason=reason).save(
        force_insert=True, using=database_alias()
    )
    locked.note("proposal.agreed" if is_approved else "proposal.refused", proposal)


def has_word_of(proposal: Proposal, actor: str) -> bool:
    """Whether this person has given their word on it."""
    words = Approval.objects.using(database_alias()).filter(proposal=proposal)
    return any(_is_same_person(each, actor) for each in words.values_list("actor", flat=True))


def _is_same_person(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()


def persons_for(proposal: Proposal) -> list[str]:
    """Who agreed, in the order in which they did."""
    words = Approval.objects.using(database_alias()).filter(proposal=proposal, is_approved=True)
    return list(words.order_by("pk").values_list("actor", flat=True))


def carry_out_verdict(locked: LockedCollection, proposal: Proposal) -> Recorded:
    session = locked.session(str(proposal.payment_session_id))
    call = next(each for each in locked.calls_of(session) if each.pk == proposal.provider_call_id)
    if call.is_final:
        raise AlreadyDecided(f"Call {call.pk} {call.state}, by {call.evidence}.")
    decide(locked, proposal, ProposalState.DONE)
    record_verdict(
        locked,
        session,
        call,
        Verdict(proposal.verdict),
        persons=", ".join(persons_for(proposal)),
    )
    return finish(locked, call)


def _rows() -> QuerySet[Proposal]:
    rows: QuerySet[Proposal] = Proposal.objects.using(database_alias())
    return rows
