"""Carts: what is in them, and what the payments library asks about them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import transaction
from django.http import HttpRequest

from example_project.shop.models import Cart, CartLine, Product
from medusa_payments.errors import InvalidData
from medusa_payments.money import to_minor

SESSION_KEY = "cart_id"


def resolve_cart(cart_id: str, request: HttpRequest) -> dict[str, Any] | None:
    """What a cart costs: the setting CART_RESOLVER. The price never comes from the browser.

    :raises InvalidData: there is nothing in it to pay for.
    """
    cart = Cart.objects.filter(pk=cart_id).prefetch_related("lines").first()
    if cart is None:
        return None
    if not cart.total:
        raise InvalidData(f"Cart {cart.pk} is empty.")
    return {"amount": cart.total, "currency_code": cart.currency_code}


def cart_of(request: HttpRequest) -> Cart | None:
    """The visitor's cart, unless it has become an order that is paid."""
    cart_id = request.session.get(SESSION_KEY)
    cart = Cart.objects.filter(pk=cart_id).select_related("order").first() if cart_id else None
    if cart is None or (hasattr(cart, "order") and cart.order.is_paid):
        return None
    return cart


def add_to_cart(request: HttpRequest, product: Product) -> Cart:
    cart = cart_of(request)
    if cart is None or cart.currency_code != product.currency_code:
        cart = Cart.objects.create(currency_code=product.currency_code)
        request.session[SESSION_KEY] = cart.pk
    line, is_new = cart.lines.get_or_create(
        product=product, defaults={"title": product.name, "unit_price": product.price}
    )
    if not is_new:
        line.quantity += 1
        line.save(update_fields=["quantity"])
    return cart


def price_cart(*, amount: Decimal, currency_code: str, cart_id: str = "") -> Cart:
    """A cart that costs exactly this; an existing one is repriced.

    :raises InvalidData: the amount or the currency cannot be paid.
    """
    to_minor(amount, currency_code)
    with transaction.atomic():
        given = {"pk": cart_id} if cart_id else {}
        cart = Cart.objects.filter(**given).first() if given else None
        cart = cart or Cart(**given)
        cart.currency_code = currency_code.lower()
        cart.save()
        cart.lines.all().delete()
        CartLine.objects.create(cart=cart, title="Demo article", unit_price=amount)
    return cart
