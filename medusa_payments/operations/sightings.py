"""Reading a session's object outside the work on any one call, and importing what it shows."""

from __future__ import annotations

from medusa_payments.models import PaymentSession
from medusa_payments.operations.actors import Actor
from medusa_payments.operations.doubts import UNLIKE_ASKED
from medusa_payments.operations.findings import record_sighting
from medusa_payments.operations.lookups import look_up
from medusa_payments.operations.performing import perform_demanded
from medusa_payments.operations.telling import tell_shop
from medusa_payments.providers.types import Found, LookupResult, NoAnswer


def see(session: PaymentSession, *, actor: Actor) -> LookupResult:
    """Read how the session stands at its provider, record it and do what that demands.

    What was done there behind our back (captured, canceled, refunded, disputed) is imported, with
    the audit entries and signals that an act of ours has. Safe at any time, for any session, live
    or not. Another object than the session's is no answer.
    """
    result = look_up(session)
    if not isinstance(result, Found):
        return result
    recorded = record_sighting(session, result.payment, actor=actor)
    tell_shop(recorded.carrier)
    perform_demanded(recorded.demanded, actor=actor)
    is_own = result.payment.reference == session.provider_reference
    is_marked = result.payment.session_id in ("", session.pk)
    return result if is_own and is_marked else NoAnswer(code=UNLIKE_ASKED)
