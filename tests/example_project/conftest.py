from __future__ import annotations

from decimal import Decimal

import pytest

from example_project.shop.carts import price_cart
from example_project.shop.models import Cart, Product


@pytest.fixture
def lamp(db: None) -> Product:
    """Made here, because a transactional test empties what the migrations put in."""
    product, _ = Product.objects.get_or_create(
        slug="lamp",
        defaults={
            "name": "Reading lamp",
            "description": "A warm light.",
            "price": Decimal("64.90"),
            "image": "lamp.svg",
        },
    )
    return product


@pytest.fixture
def cart(db: None) -> Cart:
    return price_cart(amount=Decimal("64.90"), currency_code="eur")
