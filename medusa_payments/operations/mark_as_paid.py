"""Marking a collection as paid: the shop has the money, and a provider of its choice says so."""

from __future__ import annotations

from medusa_payments.errors import Conflict, NotAllowed, NotFound
from medusa_payments.models import AuditEntry, Capture, Payment, PaymentCollection, PaymentSession
from medusa_payments.operations.actors import SYSTEM, Actor
from medusa_payments.operations.authorizations import authorize_payment_session
from medusa_payments.operations.captures import capture_payment
from medusa_payments.operations.database import database_alias, refuse_open_transaction
from medusa_payments.operations.locking import LockedCollection, under_lock
from medusa_payments.operations.same_session import session_of_same_act
from medusa_payments.operations.sessions import create_payment_session
from medusa_payments.statuses import CollectionStatus, SessionStatus

_CLOSED = (SessionStatus.ERROR, SessionStatus.CANCELED)
_BEGUN = "session.marked_as_paid"
# Where a marking that was cut short can have left its collection.
_UNFINISHED = (
    CollectionStatus.NOT_PAID,
    CollectionStatus.AWAITING,
    CollectionStatus.AUTHORIZED,
    CollectionStatus.PARTIALLY_AUTHORIZED,
)


def mark_as_paid(
    collection: PaymentCollection,
    *,
    provider_id: str = "pp_system_default",
    session_id: str = "",
    actor: Actor = SYSTEM,
) -> Capture | None:
    """Replace the collection's session by one that is authorized and captured in full.

    Which session is meant to be captured is written down before it is authorized, so that a call
    repeated after a crash or a lost answer finishes the same marking and starts no second one.

    ``session_id``: for the session, made with ``ids.new_id``; a second call with it returns the
    first's capture.

    Returns the capture, ``indeterminate`` while its outcome is not known; None when the provider
    had taken the money with the authorization.

    :raises NotAllowed: the collection is not ``not_paid``; or the provider does not authorize.
    :raises PaymentIndeterminate: the answer to the start was lost; a repeated call starts again.
    :raises PaymentProviderUnavailable: no answer; a repeated call goes on.
    :raises Conflict: another request is paying the collection right now.
    """
    refuse_open_transaction()
    current = _current(collection)
    session = _of_same_act(session_id, actor=actor) or _begun(current, provider_id=provider_id)
    if session is None:
        if current.status != CollectionStatus.NOT_PAID:
            raise NotAllowed("Can only mark 'not_paid' payment collection as paid")
        session = _begin(current, provider_id=provider_id, session_id=session_id, actor=actor)
    payment = _authorize(session, actor=actor)
    return capture_payment(payment, request_key=f"mark-as-paid:{session.pk}", actor=actor)


def _begun(collection: PaymentCollection, *, provider_id: str) -> PaymentSession | None:
    """The session of a marking that was cut short, if its collection waits for that alone and
    has not been repriced since."""
    if collection.status not in _UNFINISHED:
        return None
    rows = PaymentSession.objects.using(database_alias())
    session: PaymentSession | None = rows.filter(
        live_collection_id=collection.pk, provider_id=provider_id
    ).first()
    if session is None or session.status in _CLOSED:
        return None
    is_repriced = session.amount_minor != collection.amount_minor
    if is_repriced and collection.status == CollectionStatus.NOT_PAID:
        return None
    entries = AuditEntry.objects.using(database_alias())
    is_marked = entries.filter(action=_BEGUN, subject_id=session.pk).exists()
    return session if is_marked else None


def _of_same_act(session_id: str, *, actor: Actor) -> PaymentSession | None:
    """The session that this request began to mark with."""
    return session_of_same_act(session_id, actor=actor) if session_id else None


def _begin(
    collection: PaymentCollection, *, provider_id: str, session_id: str, actor: Actor
) -> PaymentSession:
    session = create_payment_session(
        collection, provider_id=provider_id, session_id=session_id, actor=actor
    )

    def work(locked: LockedCollection) -> None:
        locked.note(_BEGUN, locked.session(session.pk))

    under_lock(collection.pk, work, actor=actor)
    return session


def _authorize(session: PaymentSession, *, actor: Actor) -> Payment:
    try:
        payment = authorize_payment_session(session, actor=actor)
    except NotFound as error:  # another request replaced it meanwhile
        raise Conflict(session_id=session.pk) from error
    if payment is None:
        raise NotAllowed(f"Session: {session.pk} was not authorized with the provider.")
    return payment


def _current(collection: PaymentCollection) -> PaymentCollection:
    rows = PaymentCollection.objects.using(database_alias())
    current: PaymentCollection | None = rows.filter(pk=collection.pk).first()
    if current is None:
        raise NotFound(f"PaymentCollection id not found: {collection.pk}")
    return current
