"""Payment collections: what is owed for a cart or an order."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction

from medusa_payments.errors import Conflict, NotAllowed, NotFound
from medusa_payments.models import PaymentCollection
from medusa_payments.money import to_minor
from medusa_payments.operations import audit
from medusa_payments.operations.actors import SYSTEM, Actor
from medusa_payments.operations.calls import in_flight
from medusa_payments.operations.database import database_alias, refuse_open_transaction
from medusa_payments.operations.locking import LockedCollection, under_lock
from medusa_payments.operations.recording import Recorded
from medusa_payments.operations.session_closing import close_session, follow, see_before_closing
from medusa_payments.statuses import CollectionStatus, DeletedReason, ProviderState


def create_payment_collection(
    *,
    amount: Decimal,
    currency_code: str,
    cart_reference: str = "",
    order_reference: str = "",
    metadata: dict[str, Any] | None = None,
    collection_id: str = "",
    actor: Actor = SYSTEM,
) -> PaymentCollection:
    """Create a collection for ``amount`` in major units.

    A cart has one live collection: a second call for the same cart returns it, repriced.
    ``collection_id``: made with ``ids.new_id``; a second call with it returns the first's.

    :raises InvalidAmount: not positive, or not a whole number of smallest units.
    :raises UnsupportedCurrency: not an ISO 4217 code that we know.
    :raises NotAllowed: the cart's collection is in another currency and has been paid into.
    """
    amount_minor = to_minor(amount, currency_code)
    refuse_open_transaction()
    for _ in range(3):
        if cart_reference and (existing := _live_of_cart(cart_reference)):
            asked = (amount_minor, currency_code.lower())
            if (existing.amount_minor, existing.currency_code) == asked:
                return existing
            return reprice_payment_collection(
                existing, amount=amount, currency_code=currency_code, actor=actor
            )
        collection = PaymentCollection(
            id=collection_id,
            amount_minor=amount_minor,
            currency_code=currency_code.lower(),
            cart_reference=cart_reference,
            live_cart_reference=cart_reference or None,
            order_reference=order_reference,
            metadata=metadata,
        )
        try:
            return _insert(collection, actor=actor)
        except IntegrityError:  # another request made the cart's collection, or this one
            if collection_id and (same := _of_id(collection_id)):
                return same
            if not cart_reference:
                raise
    raise NotAllowed(f"The payment collection of cart {cart_reference} keeps changing; try again.")


def upsert_payment_collection(
    *, collection_id: str = "", actor: Actor = SYSTEM, **values: Any
) -> PaymentCollection:
    """Update the collection of this id, or create one where no id is given.

    ``values`` are those of ``update_payment_collection`` or ``create_payment_collection``.

    :raises NotFound: an id was given, and there is no such live collection.
    """
    if not collection_id:
        return create_payment_collection(actor=actor, **values)
    rows = PaymentCollection.objects.using(database_alias())
    collection: PaymentCollection | None = rows.filter(pk=collection_id).first()
    if collection is None:
        raise NotFound(f"PaymentCollection id not found: {collection_id}")
    return update_payment_collection(collection, actor=actor, **values)


def update_payment_collection(
    collection: PaymentCollection,
    *,
    amount: Decimal | None = None,
    currency_code: str = "",
    order_reference: str | None = None,
    metadata: dict[str, Any] | None = None,
    actor: Actor = SYSTEM,
) -> PaymentCollection:
    """Change what is owed (major units), or what the shop keeps beside it.

    :raises InvalidAmount, UnsupportedCurrency, NotAllowed, PaymentProviderUnavailable: as
        ``reprice_payment_collection`` does.
    """
    if amount is not None or currency_code:
        collection = reprice_payment_collection(
            collection,
            amount=collection.amount if amount is None else amount,
            currency_code=currency_code,
            actor=actor,
        )
    given = {"order_reference": order_reference, "metadata": metadata}
    values = {name: value for name, value in given.items() if value is not None}
    if not values:
        return collection

    def work(locked: LockedCollection) -> PaymentCollection:
        locked.change(_not_deleted(locked), "collection.described", **values)
        return locked.collection

    return under_lock(collection.pk, work, actor=actor)


def _live_of_cart(cart_reference: str) -> PaymentCollection | None:
    rows = PaymentCollection.objects.using(database_alias())
    found: PaymentCollection | None = rows.filter(live_cart_reference=cart_reference).first()
    return found


def _of_id(collection_id: str) -> PaymentCollection | None:
    rows = PaymentCollection.all_objects.using(database_alias())
    found: PaymentCollection | None = rows.filter(pk=collection_id).first()
    return found


def _insert(collection: PaymentCollection, *, actor: Actor) -> PaymentCollection:
    """Nobody can know its id yet, so there is nothing to lock."""
    with transaction.atomic(using=database_alias(), durable=True):
        first = audit.entry(
            "collection.created",
            collection,
            before={},
            actor=actor,
            cause="",
            now=collection.created_at,
        )
        collection.save(force_insert=True, using=database_alias())
        audit.append(collection, [first])
        collection.save(update_fields=["audit_length", "audit_head"], using=database_alias())
    return collection


def reprice_payment_collection(
    collection: PaymentCollection,
    *,
    amount: Decimal,
    currency_code: str = "",
    actor: Actor = SYSTEM,
) -> PaymentCollection:
    """Set what is owed, in major units. Sessions are untouched until the next one is asked for,
    but when the currency changes: what could still be paid in the old one is closed.

    :raises NotAllowed: another currency, when money has already been held or taken.
    :raises PaymentProviderUnavailable: the session in the old currency cannot be read.
    """
    code = (currency_code or collection.currency_code).lower()
    amount_minor = to_minor(amount, code)
    refuse_open_transaction()
    if code != collection.currency_code:
        for session in collection.payment_sessions.all():
            see_before_closing(session, actor=actor)

    def work(locked: LockedCollection) -> tuple[PaymentCollection, Recorded]:
        current = _not_deleted(locked)
        closed = Recorded()
        if code != current.currency_code:
            closed = _close_other_currency(locked)
        if (code, amount_minor) == (current.currency_code, current.amount_minor):
            return current, closed
        locked.totals_changed = current.authorized_minor is not None
        locked.change(current, "collection.repriced", amount_minor=amount_minor, currency_code=code)
        return current, closed

    repriced, closed = under_lock(collection.pk, work, actor=actor)
    follow(closed, actor=actor)
    return repriced


def _not_deleted(locked: LockedCollection) -> PaymentCollection:
    if locked.collection.deleted is not None:
        raise NotFound(f"PaymentCollection id not found: {locked.collection.pk}")
    return locked.collection


def _close_other_currency(locked: LockedCollection) -> Recorded:
    session = locked.live_session()
    if session is None:
        return Recorded()
    if session.has_money or session.provider_state == ProviderState.PROCESSING:
        raise NotAllowed("The currency of a collection that was paid into cannot change.")
    return close_session(locked, session, DeletedReason.REPLACED)


def delete_payment_collection(
    collection: PaymentCollection, *, actor: Actor = SYSTEM
) -> PaymentCollection:
    """Soft-delete a collection that was not paid into, and close its session at the provider.

    :raises NotAllowed: its status is not ``not_paid``, or its session turns out to be paid.
    :raises NotFound: it was deleted before.
    :raises PaymentProviderUnavailable: its session cannot be read there; nothing was changed.
    :raises Conflict: its payment is being started right now.
    """
    refuse_open_transaction()
    if collection.deleted is not None:
        raise NotFound(f"PaymentCollection id not found: {collection.pk}")
    _refuse_unless_not_paid(collection)
    for session in collection.payment_sessions.all():
        see_before_closing(session, actor=actor)

    def work(locked: LockedCollection) -> tuple[PaymentCollection, Recorded]:
        current = locked.collection
        if current.deleted is not None:
            return current, Recorded()
        _refuse_unless_not_paid(current)
        closed = _close_unpaid(locked)
        locked.change(current, "collection.deleted", deleted=locked.now, live_cart_reference=None)
        locked.note("collection.deleted", current)
        return current, closed

    deleted, closed = under_lock(collection.pk, work, actor=actor)
    follow(closed, actor=actor)
    return deleted


def _refuse_unless_not_paid(collection: PaymentCollection) -> None:
    if collection.status != CollectionStatus.NOT_PAID:
        raise NotAllowed("Can only delete payment collections where status is not_paid")


def _close_unpaid(locked: LockedCollection) -> Recorded:
    """What was looked at before the lock was taken may have changed meanwhile."""
    session = locked.live_session()
    if session is None:
        return Recorded()
    if session.has_money:
        raise NotAllowed("Can only delete payment collections where status is not_paid")
    if in_flight(locked.initiate_of(session), now=locked.now):
        raise Conflict
    return close_session(locked, session, DeletedReason.DELETED)
