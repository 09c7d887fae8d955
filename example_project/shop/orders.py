"""Orders: made when a buyer comes back from paying, or when the money arrives first."""

from __future__ import annotations

from django.utils import timezone

from example_project.shop.models import Cart, Order
from medusa_payments.models import PaymentCollection
from medusa_payments.statuses import CollectionStatus

_COVERED = (CollectionStatus.AUTHORIZED, CollectionStatus.COMPLETED)


def order_of(cart: Cart) -> Order:
    """The order of a cart; the same one however often and from wherever it is asked for."""
    return Order.objects.get_or_create(cart=cart)[0]


def follow_payments(collection: PaymentCollection) -> None:
    """Mark the collection's order paid, or unpaid, as its money says. Safe to repeat.

    The collection's status counts only what pays for the order: not the money of a session that
    was set aside, which goes back to the buyer. What the buyer put into the cart after beginning
    to pay is not paid.
    """
    cart = Cart.objects.filter(pk=collection.cart_reference).first()
    if cart is None:
        return  # made for something that this shop does not sell
    order = order_of(cart)
    orders = Order.objects.filter(pk=order.pk)
    orders.update(payment_collection_id=collection.pk)
    if collection.status in _COVERED and _pays_for(collection, cart):
        orders.filter(paid_at__isnull=True).update(paid_at=timezone.now())
    else:
        orders.update(paid_at=None)


def _pays_for(collection: PaymentCollection, cart: Cart) -> bool:
    return collection.currency_code == cart.currency_code and collection.amount >= cart.total


def collection_of(order: Order) -> PaymentCollection | None:
    collection: PaymentCollection | None = PaymentCollection.objects.filter(
        cart_reference=order.cart_id
    ).first()
    return collection
