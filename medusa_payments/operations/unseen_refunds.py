"""Refunds that a person said were made, and that the provider's complete list does not hold."""

from __future__ import annotations

from medusa_payments.models import PaymentSession, Refund
from medusa_payments.operations import movements
from medusa_payments.operations.call_keys import is_past_horizon
from medusa_payments.operations.database import database_alias
from medusa_payments.operations.locking import LockedCollection
from medusa_payments.statuses import CallKind, CallState, Evidence


def overturn_unseen_refunds(locked: LockedCollection, session: PaymentSession) -> None:
    """Take them for not made, loudly; the provider's own list was merged just before.

    As whatever rests on not finding something it is believed after the horizon, and provisional.
    """
    for call in locked.calls_of(session):
        is_claimed = call.is_provisional and call.state == CallState.SUCCEEDED
        if call.kind != CallKind.REFUND or not is_claimed:
            continue
        rows = Refund.objects.using(database_alias()).select_related("payment")
        refund: Refund = rows.get(pk=call.refund_id)
        if not refund.provider_reference and is_past_horizon(call, now=locked.now):
            refund.payment.payment_session = session
            movements.fail_movement(locked, refund, evidence=Evidence.LOOKUP, is_provisional=True)
