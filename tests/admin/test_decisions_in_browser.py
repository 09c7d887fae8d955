"""People who decide, in a real browser. ``UPDATE_SCREENSHOTS=1`` renews docs/screenshots."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User

from medusa_payments.models import Discrepancy, PaymentSession, Proposal
from tests.admin.conftest import Shop
from tests.admin.test_in_browser import desk, fits, live_shop, take
from tests.operations.ghosts import amend

__all__ = ["desk", "live_shop"]

pytestmark = pytest.mark.browser


def log_in_as(desk: Any, live_server: Any, name: str) -> None:
    desk.context.clear_cookies()
    desk.goto(f"{live_server.url}/admin/")
    desk.fill("#id_username", name)
    desk.fill("#id_password", "wonderland")
    desk.click("input[type=submit]")


def test_two_persons_approve_a_proposal(
    desk: Any, live_shop: Shop, live_server: Any, stripe_settings: Any
) -> None:
    User.objects.create_superuser("bob", password="wonderland")
    amend(
        stripe_settings,
        POLICIES=({"MODE": "propose"},),
        TWO_PERSONS_ABOVE={"eur": Decimal("1000")},
    )
    session = live_shop.taken_ghost("1250.00")
    live_shop.taken_ghost("30.00")

    desk.goto(f"{live_server.url}/admin/medusa_payments/proposal/")
    assert fits(desk)
    desk.check("#action-toggle")
    desk.select_option("select[name=action]", "approve_proposals")
    desk.click("button[name=index]")
    desk.wait_for_selector("text=Nothing is done until another person agrees too.")
    desk.fill("#id_reason", "Nobody ordered these; the buyers started again.")
    assert fits(desk)
    take(desk, "admin-approve.png")
    desk.click("input[type=submit].default")
    desk.wait_for_selector(".mp-result-waits")
    assert desk.locator(".mp-result-succeeded").count() == 1
    assert live_shop.refunds_at_stripe() == [3000]

    log_in_as(desk, live_server, "bob")
    proposal = Proposal.objects.get(payment_session=session)
    desk.goto(f"{live_server.url}/admin/medusa_payments/proposal/{proposal.pk}/change/")
    assert "1 of 2" in desk.locator("#content").inner_text()
    assert fits(desk)
    desk.click("text=Approve")
    desk.fill("#id_reason", "I see it in the dashboard too.")
    desk.click("input[type=submit].default")

    desk.wait_for_selector(".mp-result-succeeded")
    assert sorted(live_shop.refunds_at_stripe()) == [3000, 125000]
    assert PaymentSession.all_objects.get(pk=session.pk).resolution == "refunded"


@pytest.mark.slow
def test_discrepancies_are_closed_while_automatic_acts_are_stopped(
    desk: Any, live_shop: Shop, live_server: Any
) -> None:
    for amount_minor in (1000, 2500):
        payment = live_shop.captured("100.00")
        live_shop.simulator.dispute(payment.payment_session.provider_reference, amount_minor)
    live_shop.send_events()

    desk.goto(f"{live_server.url}/admin/medusa_payments/automationstop/")
    desk.click("text=Stop automatic acts")
    desk.fill("#id_reason", "The provider answers oddly since noon.")
    assert fits(desk)
    desk.click("input[type=submit].default")
    desk.wait_for_selector("text=Automatic acts are stopped at every provider.")
    desk.goto(f"{live_server.url}/admin/medusa_payments/discrepancy/")
    assert desk.locator(".mp-banner").is_visible()
    assert fits(desk)
    desk.check("#action-toggle")
    desk.select_option("select[name=action]", "close_discrepancies")
    desk.click("button[name=index]")
    desk.wait_for_selector("text=Closing moves no money")
    desk.fill("#id_reason", "Answered at Stripe with the tracking numbers.")
    assert fits(desk)
    take(desk, "admin-close.png")
    desk.fill("#id_reason", "")
    desk.click("input[type=submit].default")
    desk.wait_for_selector("text=Nothing was changed.")
    assert Discrepancy.objects.filter(state="open").count() == 2
    desk.fill("#id_reason", "Answered at Stripe with the tracking numbers.")
    desk.click("input[type=submit].default")

    desk.wait_for_selector(".mp-result-succeeded")
    assert not Discrepancy.objects.filter(state="open").exists()


@pytest.mark.slow
def test_a_call_is_resolved_by_hand(desk: Any, live_shop: Shop, live_server: Any) -> None:
    call = live_shop.uncertain_refund("49.90")

    desk.goto(f"{live_server.url}/admin/medusa_payments/providercall/{call.pk}/change/")
    desk.click("text=Resolve by hand")
    desk.check('label:has-text("It happened") input')
    desk.fill("#id_reason", "The customer waits for an answer today.")
    desk.fill("#id_proof", "Stripe support, case 4711")
    assert fits(desk)
    take(desk, "admin-resolve.png")
    desk.click("input[type=submit].default")

    desk.wait_for_selector(".mp-result-succeeded")
    call.refresh_from_db()
    assert (call.state, call.evidence) == ("succeeded", "operator")
