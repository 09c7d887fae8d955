"""Whether a step of undoing may be asked now without a person, and what happens where it may not.

Nothing is asked by mistake: each step is put here, under the lock, right before it is written.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from medusa_payments import settings
from medusa_payments.models import Discrepancy, PaymentSession
from medusa_payments.operations import caps
from medusa_payments.operations.automation import holds_back, is_stopped
from medusa_payments.operations.caps import Cap
from medusa_payments.operations.database import database_alias
from medusa_payments.operations.discrepancies import open_discrepancy
from medusa_payments.operations.locking import LockedCollection
from medusa_payments.operations.policies import ghost_mode_for, mode_for
from medusa_payments.operations.proposal_records import (
    Step,
    covers,
    proposals_about,
    propose_undoing,
)
from medusa_payments.operations.restored import is_restored
from medusa_payments.operations.schedule import next_look
from medusa_payments.statuses import DiscrepancyKind, PolicyMode, ProposalState, Severity

_FROM_STRICT = (PolicyMode.OBSERVE, PolicyMode.PROPOSE, PolicyMode.ACT)


def wait_for_permit(
    locked: LockedCollection, session: PaymentSession, step: Step
) -> datetime | None:
    """When to look again, because the step may not be asked now; None: ask it.

    A step that may be asked has been taken out of the caps: write it in this transaction.
    """
    decision = decision_on(session, step)
    if decision == ProposalState.APPROVED:
        return _unless_stopped(locked, session)
    if decision == ProposalState.REJECTED:
        return _tomorrow(locked)
    if is_stopped(session.provider_id):
        return _soon(locked, session)
    if decision == ProposalState.OPEN:
        return _tomorrow(locked)
    return _by_policy(locked, session, step)


def decision_on(session: PaymentSession, step: Step) -> ProposalState | None:
    """What people have said of the step; ``open``: nothing yet, and they are asked. None: nobody
    was asked, or no more is left to decide.

    A rejection counts here for a live session only, whose declined object is left alone then; one
    that was soft-deleted is written off.
    """
    asked = proposals_about(session, step.kind).exclude(state=ProposalState.DONE)
    latest = next((each for each in asked.order_by("-pk") if covers(each, step)), None)
    if latest is None or (latest.state == ProposalState.REJECTED and not session.is_live):
        return None
    return ProposalState(latest.state)


def mode_of(session: PaymentSession, step: Step, *, now: datetime) -> PolicyMode:
    """What policy says of a step, whatever else holds it back; of a ghost, the stricter word."""
    facts: dict[str, Any] = {
        "provider_id": session.provider_id,
        "amount_minor": step.amount_minor,
        "currency_code": step.currency_code,
        "age": now - session.created_at,
    }
    mode = mode_for(kind=step.kind, **facts)
    if not is_restored(session):
        return mode
    return min(mode, ghost_mode_for(**facts), key=_FROM_STRICT.index)


def is_written_off(session: PaymentSession, step: Step) -> bool:
    """Whether a person's decision to leave the money where it is covers this step too.

    Money that came in afterwards, or that was taken where only a hold was spoken of, is another.
    """
    decided_at, paid_at = session.resolved_at, session.authorized_at
    if decided_at is not None and paid_at is not None and paid_at > decided_at:
        return False
    rejected = proposals_about(session, step.kind).filter(state=ProposalState.REJECTED)
    return any(covers(each, step) for each in rejected)


def _unless_stopped(locked: LockedCollection, session: PaymentSession) -> datetime | None:
    if holds_back(locked.actor, session.provider_id):
        return _soon(locked, session)
    return None


def _by_policy(locked: LockedCollection, session: PaymentSession, step: Step) -> datetime | None:
    mode = mode_of(session, step, now=locked.now)
    if mode == PolicyMode.OBSERVE:
        _tell_once(locked, session, step)
        return _tomorrow(locked)
    if mode == PolicyMode.PROPOSE:
        propose_undoing(locked, session, step, reason="The policy is to propose, not to act.")
        return _tomorrow(locked)
    locked.flush()
    amount, code = step.amount_minor, step.currency_code
    exceeded = caps.take(amount_minor=amount, currency_code=code, now=locked.now)
    if exceeded is None:
        return None
    if exceeded == Cap.RUN and not caps.fits_no_run(amount_minor=amount, currency_code=code):
        return next_look(0, now=locked.now)  # by the next run
    propose_undoing(
        locked, session, step, reason=f"It is beyond the cap of one {exceeded.lower()}."
    )
    return _tomorrow(locked)


def _tell_once(locked: LockedCollection, session: PaymentSession, step: Step) -> None:
    """Also when a person has closed what was told: looking goes on, telling does not.

    Of a live session nobody is told: a declined card is no news.
    """
    told = Discrepancy.objects.using(database_alias()).filter(
        kind=DiscrepancyKind.UNDO_BLOCKED, payment_session=session
    )
    if session.is_live or told.exists():
        return
    open_discrepancy(
        locked,
        DiscrepancyKind.UNDO_BLOCKED,
        about=session.pk,
        detail=f"The policy is to observe, so this was not asked: {step.request}.",
        not_known="Whether a person wants it done: do it at the provider, or change the policy.",
        severity=Severity.WARNING if session.has_money else Severity.INFO,
        session=session,
        amount_minor=step.amount_minor,
    )


def _tomorrow(locked: LockedCollection) -> datetime:
    return locked.now + timedelta(seconds=settings.PENDING_INTERVAL)


def _soon(locked: LockedCollection, session: PaymentSession) -> datetime:
    return next_look(locked.initiate_of(session).looks, now=locked.now)
