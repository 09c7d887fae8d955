"""What a person says became of a call whose outcome the provider does not tell."""

from __future__ import annotations

from medusa_payments.errors import AlreadyDecided, Conflict, NotAllowed
from medusa_payments.models import PaymentSession, Proposal, ProviderCall
from medusa_payments.operations.actors import Actor, refuse_unless_person
from medusa_payments.operations.database import database_alias, refuse_open_transaction
from medusa_payments.operations.locking import LockedCollection, under_lock
from medusa_payments.operations.proposal_records import decide, open_proposal
from medusa_payments.operations.proposals import carry_out_verdict, give_word
from medusa_payments.operations.recording import Recorded, finish
from medusa_payments.operations.session_closing import follow
from medusa_payments.operations.verdict_records import note_as_uncertain
from medusa_payments.statuses import CallKind, ProposalKind, ProposalState, Verdict


def give_verdict(
    call: ProviderCall, *, verdict: Verdict, actor: Actor, reason: str, proof: str
) -> Proposal:
    """Say that a call of unknown outcome happened, or did not, and on what that rests.

    It is recorded at once; above the limit of two persons it waits for another's approval, and
    the giver counts as the first. It is provisional: what the provider shows later overrides it,
    and where that differs a discrepancy opens.

    :raises PersonRequired, InvalidData: no person, no reason, or no proof.
    :raises AlreadyDecided: the outcome is known.
    :raises Conflict: the provider is being asked right now.
    :raises NotAllowed: a verdict waits already, or says nothing about this kind of call.
    """
    refuse_open_transaction()
    refuse_unless_person(actor, reason=reason, proof=proof)

    def work(locked: LockedCollection) -> tuple[str, Recorded]:
        session = locked.session(call.payment_session_id)
        mine = next(each for each in locked.calls_of(session) if each.pk == call.pk)
        _refuse_unless_uncertain(locked, session, mine)
        note_as_uncertain(locked, session, mine)
        proposal = open_proposal(
            locked,
            f"verdict:{mine.pk}",
            session,
            kind=ProposalKind.VERDICT,
            provider_call=mine,
            amount_minor=at_stake(session, mine),
            verdict=verdict,
            detail=f"The {mine.kind} {mine.pk} {_WORDS[verdict]}.",
            reason=reason,
            proof=proof,
            proposed_by=actor.id,
        )
        give_word(locked, proposal, is_approved=True, reason=reason)
        if proposal.approvals_needed > 1:
            return proposal.pk, finish(locked, mine)
        decide(locked, proposal, ProposalState.APPROVED)
        return proposal.pk, carry_out_verdict(locked, proposal)

    cause = f"verdict: {reason}"[:255]
    pk, recorded = under_lock(call.payment_collection_id, work, actor=actor, cause=cause)
    follow(recorded, actor=actor)
    given: Proposal = Proposal.objects.using(database_alias()).get(pk=pk)
    return given


_WORDS = {Verdict.HAPPENED: "happened", Verdict.NOT_HAPPENED: "did not happen"}


def _refuse_unless_uncertain(
    locked: LockedCollection, session: PaymentSession, call: ProviderCall
) -> None:
    if call.is_final:
        raise AlreadyDecided(f"Call {call.pk} {call.state}, by {call.evidence}.")
    if call.leased_until is not None and call.leased_until > locked.now:
        raise Conflict(f"The provider is being asked about call {call.pk} now; try again soon.")
    if call.kind == CallKind.UPDATE:
        raise NotAllowed("An update moves no money: start another session in its place instead.")
    if call.last_sent_at is None:
        raise NotAllowed(f"Call {call.pk} was never sent; reconcile_payments sends it.")
    waiting = Proposal.objects.using(database_alias()).filter(open_key=f"verdict:{call.pk}")
    if found := waiting.first():
        raise NotAllowed(f"A verdict waits for another person: approve or reject {found.pk}.")


def at_stake(session: PaymentSession, call: ProviderCall) -> int:
    """What a verdict is about, in smallest units; what a cancel releases is what is held."""
    amount_minor: int = call.arguments.get("amount_minor") or session.held_minor
    return amount_minor or session.amount_minor
