"""The pages of the shop. None of them asks a payment provider: the buyer's browser calls the
payments API, and the signals tell the shop what became of it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from example_project.shop.carts import add_to_cart, cart_of
from example_project.shop.models import Cart, Order, Product
from example_project.shop.orders import collection_of, order_of

PROVIDER_ID = "pp_stripe_stripe"


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    return _page(request, "index", products=Product.objects.all())


@require_GET
@never_cache
def cart(request: HttpRequest) -> HttpResponse:
    return _page(request, "cart")


@require_POST
def add(request: HttpRequest, slug: str) -> HttpResponse:
    add_to_cart(request, get_object_or_404(Product, slug=slug))
    return redirect("shop:cart")


@require_POST
def remove(request: HttpRequest, line: int) -> HttpResponse:
    if found := cart_of(request):
        found.lines.filter(pk=line).delete()
    return redirect("shop:cart")


@require_GET
@never_cache
def checkout(request: HttpRequest, cart_id: str) -> HttpResponse:
    found = get_object_or_404(Cart.objects.select_related("order"), pk=cart_id)
    if hasattr(found, "order") and found.order.is_paid:
        return redirect(found.order)
    if not found.total:
        return redirect("shop:cart")
    return _page(
        request,
        "checkout",
        cart=found,
        stripe_js_url=settings.STRIPE_JS_URL,
        checkout_settings={
            "cartId": found.pk,
            "amount": float(found.total),
            "providerId": PROVIDER_ID,
            "paymentsUrl": "/api/store",
            "publishableApiKey": settings.MEDUSA_PAYMENTS["PUBLISHABLE_KEYS"][0],
            "stripePublishableKey": settings.STRIPE_PUBLISHABLE_KEY,
            "doneUrl": request.build_absolute_uri(reverse("shop:done", args=[found.pk])),
        },
    )


@require_GET
@never_cache
def done(request: HttpRequest, cart_id: str) -> HttpResponse:
    """Where Stripe.js sends the buyer. What the address says of success is not believed."""
    return redirect(order_of(get_object_or_404(Cart, pk=cart_id)))


@require_GET
@never_cache
def order(request: HttpRequest, order_id: str) -> HttpResponse:
    found = get_object_or_404(Order.objects.select_related("cart"), pk=order_id)
    return _page(request, "order", order=found, collection=collection_of(found))


@require_GET
@never_cache
def order_status(request: HttpRequest, order_id: str) -> HttpResponse:
    return JsonResponse({"is_paid": get_object_or_404(Order, pk=order_id).is_paid})


def _page(request: HttpRequest, name: str, **context: Any) -> HttpResponse:
    context.setdefault("cart", cart_of(request))
    return render(request, f"shop/{name}.html", context)
