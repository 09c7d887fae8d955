"""The shop's pages and its side of the payments."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command

from example_project.shop.carts import price_cart, resolve_cart
from example_project.shop.models import Cart, Order, Product
from example_project.shop.orders import follow_payments, order_of
from example_project.shop.receivers import on_payment
from example_project.shop.templatetags.prices import price
from medusa_payments.errors import InvalidData
from medusa_payments.models import Payment, PaymentCollection
from medusa_payments.operations.authorizations import authorize_payment_session
from medusa_payments.operations.cancellations import cancel_payment
from medusa_payments.operations.collections import create_payment_collection
from medusa_payments.operations.sessions import create_payment_session

pytestmark = pytest.mark.django_db

_ANY_REQUEST = None


# Pages


@pytest.mark.parametrize("debug", [True, False])
def test_front_page_shows_what_is_for_sale(client, settings, lamp, debug):
    settings.DEBUG = debug

    response = client.get("/")

    assert response.status_code == 200
    assert "Reading lamp" in response.text
    assert "€64.90" in response.text


def test_front_page_answers_without_products(client):
    Product.objects.all().delete()

    assert client.get("/").status_code == 200


def test_products_come_with_the_migrations():
    assert {"mug", "lamp"} <= set(Product.objects.values_list("slug", flat=True))


def test_what_is_added_twice_is_one_line_of_the_cart(client, lamp):
    client.post("/cart/add/lamp/")
    response = client.post("/cart/add/lamp/", follow=True)

    (line,) = Cart.objects.get().lines.all()
    assert line.quantity == 2
    assert "€129.80" in response.text


def test_what_is_removed_leaves_the_cart(client, lamp):
    client.post("/cart/add/lamp/")
    line = Cart.objects.get().lines.get()

    response = client.post(f"/cart/remove/{line.pk}/", follow=True)

    assert "It is empty" in response.text


def test_nobody_removes_from_another_cart(client, cart):
    line = cart.lines.get()

    client.post(f"/cart/remove/{line.pk}/")

    assert cart.lines.exists()


def test_checkout_loads_stripe_from_where_the_settings_say(client, settings, cart):
    settings.STRIPE_JS_URL = "http://stripe.example/v3/"

    response = client.get(f"/checkout/{cart.pk}/")

    assert '<script src="http://stripe.example/v3/">' in response.text
    assert cart.pk in response.text


@pytest.mark.parametrize("path", ["/checkout/no/", "/checkout/no/done/", "/orders/no/"])
def test_unknown_is_not_found(client, path):
    assert client.get(path).status_code == 404


def test_buyer_who_comes_back_has_an_order_that_is_not_paid_by_coming_back(client, cart):
    response = client.get(f"/checkout/{cart.pk}/done/?redirect_status=succeeded", follow=True)

    assert "Not paid yet" in response.text
    assert client.get(f"/orders/{order_of(cart).pk}/status/").json() == {"is_paid": False}


def test_admin_shows_the_shop(admin_client, cart):
    order_of(cart)

    for name in ("product", "cart", "order"):
        assert admin_client.get(f"/admin/shop/{name}/").status_code == 200


@pytest.mark.parametrize(
    ("amount", "currency_code", "shown"),
    [("1204.5", "eur", "€1,204.50"), ("500", "jpy", "¥500"), ("10.13", "kwd", "10.130 KWD")],
)
def test_prices_have_the_places_of_their_currency(amount, currency_code, shown):
    assert price(Decimal(amount), currency_code) == shown


# What the payments library asks


def test_resolver_tells_what_a_cart_costs(cart):
    assert resolve_cart(cart.pk, _ANY_REQUEST) == {
        "amount": Decimal("64.900"),
        "currency_code": "eur",
    }


def test_resolver_knows_no_cart_that_is_not_there():
    assert resolve_cart("cart_no", _ANY_REQUEST) is None


def test_nothing_is_asked_for_an_empty_cart():
    with pytest.raises(InvalidData, match="is empty"):
        resolve_cart(Cart.objects.create().pk, _ANY_REQUEST)


# What the payments library tells


@pytest.fixture
def collection(transactional_db, cart) -> PaymentCollection:
    return create_payment_collection(amount=cart.total, currency_code="eur", cart_reference=cart.pk)


@pytest.fixture
def payment(collection) -> Payment:
    session = create_payment_session(collection, provider_id="pp_system_default")
    payment = authorize_payment_session(session)
    assert payment is not None
    return payment


def test_signal_marks_the_order_paid(client, payment, cart):
    order = order_of(cart)

    assert order.is_paid
    assert order.payment_collection_id == payment.payment_collection_id
    assert "Thank you" in client.get(f"/orders/{order.pk}/").text
    assert client.get(f"/checkout/{cart.pk}/").url == f"/orders/{order.pk}/"


def test_signal_may_come_twice(payment, cart):
    paid_at = order_of(cart).paid_at

    on_payment(sender=Payment, payment=payment)

    assert order_of(cart).paid_at == paid_at
    assert Order.objects.count() == 1


def test_order_is_not_paid_any_more_once_its_payment_is_canceled(payment, cart):
    cancel_payment(payment)

    assert not order_of(cart).is_paid


def test_what_came_into_the_cart_after_paying_began_is_not_paid(collection, cart):
    session = create_payment_session(collection, provider_id="pp_system_default")
    price_cart(amount=Decimal(100), currency_code="eur", cart_id=cart.pk)

    authorize_payment_session(session)

    assert not order_of(cart).is_paid


def test_collection_of_nothing_that_the_shop_sells_is_left_alone():
    follow_payments(SimpleNamespace(cart_reference="cart_of_another", pk="pay_col_1"))

    assert not Order.objects.exists()


# create_demo_cart


def test_demo_cart_is_named_alone_on_the_last_line(capsys):
    call_command("create_demo_cart", amount="100.50", currency="eur")

    cart_id = capsys.readouterr().out.splitlines()[-1]
    assert Cart.objects.get(pk=cart_id).total == Decimal("100.50")


def test_demo_cart_with_an_id_is_repriced():
    call_command("create_demo_cart", amount="100.50", currency="eur", id="Cart_1")
    call_command("create_demo_cart", amount="1000", currency="JPY", id="Cart_1")

    cart = Cart.objects.get(pk="Cart_1")
    assert (cart.total, cart.currency_code) == (Decimal(1000), "jpy")


@pytest.mark.parametrize(
    ("amount", "currency"), [("ten", "eur"), ("10.505", "eur"), ("0", "eur"), ("10", "xyz")]
)
def test_demo_cart_that_cannot_be_paid_is_refused(amount, currency):
    with pytest.raises(CommandError):
        call_command("create_demo_cart", amount=amount, currency=currency)

    assert not Cart.objects.exists()


def test_carts_of_ids_that_differ_in_case_are_two():
    price_cart(amount=Decimal(1), currency_code="eur", cart_id="a")
    price_cart(amount=Decimal(2), currency_code="eur", cart_id="A")

    assert Cart.objects.count() == 2
