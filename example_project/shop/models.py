"""What the shop sells, to whom, and whether it is paid. Of payments it keeps one reference."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.urls import reverse
from ulid import ULID

from medusa_payments.models.fields import IdentifierField


def new_cart_id() -> str:
    return f"cart_{ULID()}"


def new_order_id() -> str:
    return f"order_{ULID()}"


def _price() -> models.DecimalField[Decimal, Decimal]:
    """Three places, because some currencies have them."""
    return models.DecimalField(max_digits=19, decimal_places=3)


class Product(models.Model):
    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=100)
    description = models.CharField(max_length=255)
    currency_code = models.CharField(max_length=3, default="eur")
    price = _price()
    image = models.CharField(max_length=100, help_text="A file below static/shop/images.")

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.name


class Cart(models.Model):
    id = IdentifierField(primary_key=True, default=new_cart_id)
    currency_code = models.CharField(max_length=3, default="eur")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return str(self.id)

    @property
    def total(self) -> Decimal:
        return sum((line.amount for line in self.lines.all()), start=Decimal(0))


class CartLine(models.Model):
    cart = models.ForeignKey(Cart, on_delete=models.CASCADE, related_name="lines")
    product = models.ForeignKey(Product, null=True, blank=True, on_delete=models.SET_NULL)
    title = models.CharField(max_length=100)
    unit_price = _price()
    quantity = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.title}"

    @property
    def amount(self) -> Decimal:
        return self.unit_price * self.quantity


class Order(models.Model):
    """A cart that somebody began to pay for. It is paid once ``paid_at`` says so."""

    id = IdentifierField(primary_key=True, max_length=64, default=new_order_id)
    cart = models.OneToOneField(Cart, on_delete=models.PROTECT, related_name="order")
    payment_collection_id = IdentifierField(max_length=64, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    paid_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return str(self.id)

    def get_absolute_url(self) -> str:
        return reverse("shop:order", args=[self.pk])

    @property
    def is_paid(self) -> bool:
        return self.paid_at is not None
