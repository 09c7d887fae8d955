"""A person at the admin, in a real browser. ``UPDATE_SCREENSHOTS=1`` renews docs/screenshots."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from medusa_payments.models import Payment, Refund, RefundReason
from medusa_payments.operations.actors import Actor
from medusa_payments.operations.refunds import refund_payment
from medusa_payments.operations.sessions import create_payment_session
from medusa_payments.reconciliation.sweep import reconcile_all
from medusa_payments.statuses import Door, MovementStatus
from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.admin.conftest import STRIPE, Shop

SCREENSHOTS = Path(__file__).parents[2] / "docs" / "screenshots"

pytestmark = pytest.mark.browser


@pytest.fixture
def live_shop(live_server: Any, simulator: StripeSimulator, stripe_settings: Any) -> Shop:
    User.objects.create_superuser("alice", password="wonderland")
    return Shop(simulator)


@pytest.fixture
def desk(page: Any, live_shop: Shop, live_server: Any) -> Any:
    """A browser window in which alice is logged in."""
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(f"{live_server.url}/admin/")
    page.fill("#id_username", "alice")
    page.fill("#id_password", "wonderland")
    page.click("input[type=submit]")
    return page


def take(desk: Any, name: str) -> None:
    if os.environ.get("UPDATE_SCREENSHOTS") == "1":
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        # The list of all other apps is beside the point.
        desk.add_style_tag(
            content="#nav-sidebar, #toggle-nav-sidebar { display: none }"
            " .main > .content { max-width: 100% !important }"
        )
        desk.evaluate("window.scrollTo(0, 0)")
        height = min(2400, desk.evaluate("document.documentElement.scrollHeight"))
        clip = {"x": 0, "y": 0, "width": 1280, "height": height}
        desk.screenshot(path=str(SCREENSHOTS / name), full_page=True, clip=clip)


def fits(desk: Any) -> bool:
    """No long id makes the page wider than the window."""
    return bool(
        desk.evaluate(
            "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
        )
    )


def eventful_payment(shop: Shop) -> Payment:
    """A collection with a lost answer, the same money taken twice, one given back, and a refund."""
    collection = shop.collection("100.00", cart_reference="cart_42", order_reference="order_42")
    shop.simulator.fault("drop_after", operation="payment_intents.create", times=None)
    with pytest.raises(Exception, match="did not answer"):
        create_payment_session(collection, provider_id=STRIPE)
    shop.simulator.clear_faults()
    ghost = next(iter(shop.simulator.ledger()["intents"]))
    shop.simulator.pay(ghost)
    shop.simulator.dashboard_capture(ghost)
    payment = shop.pay(collection)
    shop.send_events()
    reconcile_all()
    shop.simulator.fault("drop_after", operation="refunds.create", times=None)
    for operation in ("refunds.list", "payment_intents.retrieve"):
        shop.simulator.fault("drop_before", operation=operation, times=None)
    clerk = Actor("user_1 (alice)", Door.ADMIN)
    refund_payment(payment, amount=Decimal("12.50"), actor=clerk, note="One glass was broken")
    shop.simulator.clear_faults()
    return payment


def test_timeline_of_a_collection(desk: Any, live_shop: Shop, live_server: Any) -> None:
    payment = eventful_payment(live_shop)

    desk.goto(f"{live_server.url}/admin/medusa_payments/payment/{payment.pk}/change/")
    desk.click("text=Audit trail")

    timeline = desk.locator("#timeline")
    timeline.wait_for()
    assert "Session set aside: nobody knew whether 100.00 EUR was taken" in timeline.inner_text()
    assert "Refund of 12.50 EUR is uncertain" in timeline.inner_text()
    assert "audit trail verified" in desk.locator(".mp-story").inner_text()
    for width in (600, 1280):
        desk.set_viewport_size({"width": width, "height": 900})
        assert fits(desk)
    take(desk, "admin-timeline.png")


def test_bulk_refund(desk: Any, live_shop: Shop, live_server: Any) -> None:
    for amount in ("49.90", "120.00", "1250.00"):
        live_shop.captured(amount)
    live_shop.authorized("15.00")
    RefundReason.objects.create(label="Damaged in transit", code="damaged")

    desk.goto(f"{live_server.url}/admin/medusa_payments/payment/")
    desk.check("#action-toggle")
    desk.select_option("select[name=action]", "refund_payments")
    desk.click("button[name=index]")
    desk.wait_for_selector("text=Nothing was captured yet.")
    desk.fill("#id_rows-0-amount", "250.00")
    desk.select_option("#id_reason", label="Damaged in transit")
    desk.fill("#id_note", "Carrier lost a pallet")
    assert fits(desk)
    take(desk, "admin-bulk-refund.png")
    desk.fill("#id_rows-0-amount", "2000")
    desk.click("input[type=submit].default")
    desk.wait_for_selector("text=At most 1,250.00 EUR can be refunded.")
    assert Refund.objects.count() == 0
    desk.fill("#id_rows-0-amount", "250.00")
    live_shop.simulator.fault("drop_after", operation="refunds.create", times=None, after=2)
    for operation in ("refunds.list", "payment_intents.retrieve"):
        live_shop.simulator.fault("drop_before", operation=operation, times=None)
    desk.click("input[type=submit].default")

    desk.wait_for_selector(".mp-result-uncertain")
    assert desk.locator(".mp-result-succeeded").count() == 2
    assert desk.locator(".mp-result-uncertain").count() == 1
    assert fits(desk)
    take(desk, "admin-bulk-refund-result.png")
    live_shop.simulator.clear_faults()
    desk.reload()
    assert desk.locator(".mp-result-succeeded").count() == 3
    assert sorted(live_shop.refunds_at_stripe()) == [4990, 12000, 25000]
    assert set(Refund.objects.values_list("status", flat=True)) == {MovementStatus.SUCCEEDED}
