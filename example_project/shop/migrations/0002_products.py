"""A few things to buy."""

from decimal import Decimal
from typing import Any

from django.db import migrations

PRODUCTS = [
    ("mug", "Harbour mug", "Stoneware, 0.3 l, glazed by hand in sea blue.", "18.50"),
    ("notebook", "Dot-grid notebook", "160 pages of heavy paper that ink does not cross.", "12.00"),
    ("lamp", "Reading lamp", "A warm light on an oak foot; dims when you turn it.", "64.90"),
    ("plant", "Rubber plant", "In a clay pot. Forgives you a week without water.", "27.00"),
]


def add_products(apps: Any, schema_editor: Any) -> None:
    products = apps.get_model("shop", "Product").objects.using(schema_editor.connection.alias)
    for slug, name, description, price in PRODUCTS:
        products.get_or_create(
            slug=slug,
            defaults={
                "name": name,
                "description": description,
                "price": Decimal(price),
                "image": f"{slug}.svg",
            },
        )


def remove_products(apps: Any, schema_editor: Any) -> None:
    products = apps.get_model("shop", "Product").objects.using(schema_editor.connection.alias)
    products.filter(slug__in=[slug for slug, *_ in PRODUCTS]).delete()


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]

    operations = [migrations.RunPython(add_products, remove_products)]
