"""Recognising a session that the same request has started before: one key, one session."""

from __future__ import annotations

from medusa_payments.errors import Conflict, PaymentIndeterminate, RequestKeySpent
from medusa_payments.ids import id_beside
from medusa_payments.models import PaymentSession, ProviderCall
from medusa_payments.operations.actors import Actor
from medusa_payments.operations.calls import in_flight
from medusa_payments.operations.database import DatabaseNow, database_alias
from medusa_payments.operations.performing import look
from medusa_payments.operations.session_closing import reload_session
from medusa_payments.operations.session_updates import perform_update, resolve_update
from medusa_payments.statuses import CallKind, CallState, DeletedReason, SessionStatus


def session_of_same_act(session_id: str, *, actor: Actor) -> PaymentSession | None:
    """The session of this id, if it still stands for what its request asked for.

    Another is never started under the id: its buyer could be charged long after giving up
    (docs/decisions/0010-one-key-starts-one-session.md).

    :raises PaymentIndeterminate: whether the provider made anything is not known yet.
    :raises RequestKeySpent: it came to nothing, was given back, or another took its place.
    :raises Conflict: the provider is being asked right now.
    :raises UpdateRefused, PaymentProviderUnavailable: it had changed a session, and that failed.
    """
    session = _session(session_id)
    if session is None:
        return _session_changed_by(session_id, actor=actor)
    if _looked_into(session, actor=actor):
        session.refresh_from_db()
    if session.counts_for_collection and session.status != SessionStatus.ERROR:
        return _unless_it_is_being_changed(session, actor=actor)
    if session.indeterminate and not session.resolution:
        raise PaymentIndeterminate(session_id=session.pk, provider_id=session.provider_id)
    raise RequestKeySpent(session_id=session.pk, ending=_ending(session))


def _session_changed_by(session_id: str, *, actor: Actor) -> PaymentSession | None:
    """The session that a request changed, where it would have started one of this id."""
    rows = ProviderCall.objects.using(database_alias()).select_related("payment_session")
    update = rows.filter(pk=id_beside(ProviderCall.ID_PREFIX, session_id)).first()
    if update is None:
        return None
    session = update.payment_session
    if not session.counts_for_collection:
        raise RequestKeySpent(session_id=session.pk, ending=_ending(session))
    _unless_it_is_being_changed(session, actor=actor)
    update.refresh_from_db()
    return perform_update(update, actor=actor)


def _ending(session: PaymentSession) -> str:
    if session.deleted_reason == DeletedReason.INDETERMINATE:
        return session.resolution
    return session.deleted_reason or session.status


def _session(session_id: str) -> PaymentSession | None:
    rows = PaymentSession.all_objects.using(database_alias())
    session: PaymentSession | None = rows.filter(pk=session_id).first()
    return session


def _looked_into(session: PaymentSession, *, actor: Actor) -> bool:
    """Whether a dead process had left its start open; then it is set aside, as by the sweep."""
    calls = ProviderCall.objects.using(database_alias()).annotate(database_now=DatabaseNow())
    initiate = calls.get(payment_session=session, kind=CallKind.INITIATE)
    if initiate.state != CallState.OPEN:
        return False
    if in_flight(initiate, now=initiate.database_now):
        raise Conflict
    look(initiate, actor=actor, may_send=False)
    return True


def _unless_it_is_being_changed(session: PaymentSession, *, actor: Actor) -> PaymentSession:
    """Until the outcome of an update is known a session is not handed out."""
    update = resolve_update(session, actor=actor)
    if update is None:
        return session
    update.refresh_from_db()
    if update.is_unresolved:
        raise PaymentIndeterminate(session_id=session.pk, provider_id=session.provider_id)
    return reload_session(session.pk)
