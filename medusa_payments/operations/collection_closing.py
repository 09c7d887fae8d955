"""Completing a collection, and canceling what was not taken of it."""

from __future__ import annotations

import logging
from contextlib import suppress

from medusa_payments.errors import (
    MedusaPaymentsError,
    NotAllowed,
    NotFound,
    PaymentProviderUnavailable,
)
from medusa_payments.models import Payment, PaymentCollection
from medusa_payments.operations.actors import SYSTEM, Actor
from medusa_payments.operations.cancellations import cancel_payment
from medusa_payments.operations.database import database_alias, refuse_open_transaction
from medusa_payments.operations.locking import LockedCollection, under_lock
from medusa_payments.operations.recording import Recorded
from medusa_payments.operations.session_closing import (
    close_session,
    follow,
    see_before_closing,
)
from medusa_payments.statuses import CollectionStatus, DeletedReason

logger = logging.getLogger("medusa_payments")


def complete_payment_collection(
    collection: PaymentCollection, *, actor: Actor = SYSTEM
) -> PaymentCollection:
    """Note that the shop is done with it. Sets ``completed_at`` only; safe to repeat.

    :raises NotFound: it was deleted.
    """

    def work(locked: LockedCollection) -> PaymentCollection:
        current = _live(locked)
        if current.completed_at is None:
            locked.change(current, "collection.completed", completed_at=locked.now)
        return current

    return under_lock(collection.pk, work, actor=actor)


def cancel_payment_collection(
    collection: PaymentCollection, *, actor: Actor = SYSTEM
) -> PaymentCollection:
    """Release what is held for a collection, and let nobody pay it any more.

    What was captured stays captured: refund it. A payment that cannot be canceled now is logged,
    as in Medusa, and the status stays what it is until nothing is held; calling again tries again.
    A provider that does not answer keeps nothing open: its session is closed behind it (law 7).

    :raises NotAllowed: it is completed, or canceled already.
    :raises NotFound: it was deleted.
    """
    refuse_open_transaction()
    for session in collection.payment_sessions.using(database_alias()):
        with suppress(PaymentProviderUnavailable):
            see_before_closing(session, actor=actor)

    def work(locked: LockedCollection) -> Recorded:
        current = _live(locked)
        if current.status in (CollectionStatus.COMPLETED, CollectionStatus.CANCELED):
            raise NotAllowed(f"The payment collection is {current.status} and cannot be canceled.")
        if current.canceled_at is None:
            locked.totals_changed = True
            locked.change(
                current,
                "collection.cancel_requested",
                canceled_at=locked.now,
                live_cart_reference=None,  # the cart may be paid by another collection
            )
        session = locked.live_session()
        if session is None or session.authorized_at is not None or session.has_money:
            return Recorded()
        return close_session(locked, session, DeletedReason.DELETED)

    follow(under_lock(collection.pk, work, actor=actor), actor=actor)
    _release(collection, actor=actor)
    canceled: PaymentCollection = PaymentCollection.objects.using(database_alias()).get(
        pk=collection.pk
    )
    return canceled


def _live(locked: LockedCollection) -> PaymentCollection:
    if locked.collection.deleted is not None:
        raise NotFound(f"PaymentCollection id not found: {locked.collection.pk}")
    return locked.collection


def _release(collection: PaymentCollection, *, actor: Actor) -> None:
    payments = Payment.objects.using(database_alias()).filter(payment_collection=collection)
    for payment in payments.filter(captured_at__isnull=True, canceled_at__isnull=True):
        try:
            cancel_payment(payment, actor=actor)
        except MedusaPaymentsError as error:
            logger.warning("Payment %s could not be canceled: %s", payment.pk, error.code)
