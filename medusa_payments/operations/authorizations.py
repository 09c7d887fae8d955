"""Authorizing a session: reading where it stands, and recording the payment it became."""

from __future__ import annotations

from medusa_payments.errors import NotAllowed, NotFound, PaymentProviderUnavailable
from medusa_payments.models import Payment, PaymentSession
from medusa_payments.operations.actors import SYSTEM, Actor
from medusa_payments.operations.database import database_alias, refuse_open_transaction
from medusa_payments.operations.findings import record_sighting
from medusa_payments.operations.lookups import lookup_request, read
from medusa_payments.operations.performing import perform_demanded
from medusa_payments.operations.telling import tell_shop
from medusa_payments.providers.registry import get_provider
from medusa_payments.providers.types import Found, LookupResult, NoAnswer
from medusa_payments.statuses import SessionStatus


def authorize_payment_session(session: PaymentSession, *, actor: Actor = SYSTEM) -> Payment | None:
    """Ask the provider whether the session is paid, and record it. Safe to repeat.

    Returns the payment, or None while the provider says that the result comes later.

    :raises NotAllowed: the provider did not authorize the session (yet), as Medusa says it.
    :raises PaymentProviderUnavailable: no answer; the session is as it was.
    :raises NotFound: the session was deleted.
    """
    refuse_open_transaction()
    session = _live(session)
    if payment := _payment(session):
        return _in_currency_asked(payment, session)
    result = _ask(session)
    if not isinstance(result, Found):
        raise PaymentProviderUnavailable(session_id=session.pk)
    recorded = record_sighting(session, result.payment, actor=actor)
    tell_shop(recorded.carrier)
    perform_demanded(recorded.demanded, actor=actor)
    return _authorized(session)


def _live(session: PaymentSession) -> PaymentSession:
    """The session as it is now: the money of one deleted meanwhile goes back, and pays nothing."""
    rows = PaymentSession.all_objects.using(database_alias())
    current: PaymentSession = rows.get(pk=session.pk)
    if not current.counts_for_collection:
        raise NotFound(f"PaymentSession id not found: {session.pk}")
    return current


def _payment(session: PaymentSession) -> Payment | None:
    rows = Payment.objects.using(database_alias())
    return rows.filter(payment_session_id=session.pk).first()


def _ask(session: PaymentSession) -> LookupResult:
    if not session.provider_reference:
        return NoAnswer(code="no_reference")
    request = lookup_request(session)
    return read(session, lambda: get_provider(session.provider_id).authorize_payment(request))


def _authorized(session: PaymentSession) -> Payment | None:
    session = _live(session)
    if payment := _payment(session):
        return _in_currency_asked(payment, session)
    if session.status == SessionStatus.PENDING_AUTHORIZATION:
        return None
    raise NotAllowed(f"Session: {session.pk} was not authorized with the provider.")


def _in_currency_asked(payment: Payment, session: PaymentSession) -> Payment:
    """Money in another currency is recorded, and pays for nothing."""
    if payment.currency_code == session.currency_code:
        return payment
    raise NotAllowed(
        f"Session: {session.pk} holds money in {payment.currency_code}, not in"
        f" {session.currency_code}; a person must decide what becomes of it."
    )
