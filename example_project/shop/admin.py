from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin

from example_project.shop.models import Cart, CartLine, Order, Product

if TYPE_CHECKING:
    _ProductAdmin = admin.ModelAdmin[Product]
    _CartAdmin = admin.ModelAdmin[Cart]
    _OrderAdmin = admin.ModelAdmin[Order]
    _LineInline = admin.TabularInline[CartLine, Cart]
else:
    _ProductAdmin = _CartAdmin = _OrderAdmin = admin.ModelAdmin
    _LineInline = admin.TabularInline


@admin.register(Product)
class ProductAdmin(_ProductAdmin):
    list_display = ["name", "price", "currency_code"]
    prepopulated_fields = {"slug": ["name"]}


class CartLineInline(_LineInline):
    model = CartLine
    extra = 0


@admin.register(Cart)
class CartAdmin(_CartAdmin):
    list_display = ["id", "total", "currency_code", "created_at"]
    inlines = [CartLineInline]


@admin.register(Order)
class OrderAdmin(_OrderAdmin):
    """Whether an order is paid is for its payments to say."""

    list_display = ["id", "cart", "payment_collection_id", "paid_at", "created_at"]
    list_filter = ["paid_at"]
    readonly_fields = ["id", "cart", "payment_collection_id", "paid_at", "created_at"]
