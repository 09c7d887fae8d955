"""The bulk refund: a page that shows what will happen, then one act for each row."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import connections
from django.test import Client
from django.urls import reverse

from medusa_payments.admin.refund_action import confirmation
from medusa_payments.models import AuditEntry, Payment, Refund, RefundReason
from medusa_payments.operations.refunds import refund_payment
from medusa_payments.reconciliation.sweep import reconcile_all
from medusa_payments.statuses import MovementStatus
from tests.admin.conftest import Shop, form_of, grant

LIST = "/admin/medusa_payments/payment/"
ACT = f"{LIST}refund/"


def open_page(client: Client, *payments: Payment, **more: Any) -> Any:
    """Select the payments in the list and choose the action."""
    chosen = {"action": "refund_payments", "_selected_action": [each.pk for each in payments]}
    return client.post(LIST, {**chosen, **more})


def states_of(response: Any) -> list[str]:
    assert response.status_code == 200
    return [each.state for each in response.context["results"]]


def errors_of(response: Any) -> list[dict[str, Any]]:
    assert response.status_code == 200
    return [line["form"].errors for line in response.context["lines"]]


def test_selected_payments_are_refunded_row_by_row(
    shop: Shop, clerk_client: Client, clerk: User
) -> None:
    first, second = shop.captured("100.00"), shop.captured("1234.50")
    reason = RefundReason.objects.create(label="Damaged", code="damaged")

    page = open_page(clerk_client, first, second)
    form = form_of(page)
    assert form["rows-0-amount"] == ["1234.50"]
    assert form["rows-1-amount"] == ["100.00"]
    assert Refund.objects.count() == 0
    form |= {"rows-0-amount": "34.50", "reason": reason.pk, "note": "Box was open"}
    result = clerk_client.post(ACT, form)

    assert states_of(result) == ["succeeded", "succeeded"]
    assert sorted(shop.refunds_at_stripe()) == [3450, 10000]
    for refund in Refund.objects.all():
        assert refund.status == MovementStatus.SUCCEEDED
        assert refund.refund_reason == reason
        assert refund.note == "Box was open"
        assert refund.created_by == f"user_{clerk.pk} (clerk)"
    entry = AuditEntry.objects.filter(action="refund.requested").first()
    assert entry is not None
    assert (entry.actor, entry.door) == (f"user_{clerk.pk} (clerk)", "admin")


def test_what_cannot_be_refunded_is_skipped_and_says_why(shop: Shop, clerk_client: Client) -> None:
    good, held, done = shop.captured("10.00"), shop.authorized("20.00"), shop.captured("30.00")
    refund_payment(done)

    page = open_page(clerk_client, good, held, done)

    assert [line["candidate"].payment for line in page.context["lines"]] == [good]
    assert {each["pk"]: each["why"] for each in page.context["skipped"]} == {
        held.pk: "Nothing was captured yet.",
        done.pk: "Everything was refunded already.",
    }
    result = clerk_client.post(ACT, form_of(page))
    assert states_of(result) == ["succeeded"]
    assert len(result.context["skipped"]) == 2


def test_sending_the_page_twice_refunds_once(shop: Shop, clerk_client: Client) -> None:
    payment = shop.captured("100.00")
    form = form_of(open_page(clerk_client, payment)) | {"rows-0-amount": "40.00"}

    first = clerk_client.post(ACT, form)
    second = clerk_client.post(ACT, form)

    assert states_of(first) == states_of(second) == ["succeeded"]
    assert shop.refunds_at_stripe() == [4000]
    assert Refund.objects.count() == 1


def test_sending_the_page_again_when_nothing_is_left_is_the_same_act(
    shop: Shop, clerk_client: Client
) -> None:
    form = form_of(open_page(clerk_client, shop.captured("100.00")))

    clerk_client.post(ACT, form)
    again = clerk_client.post(ACT, form)

    assert states_of(again) == ["succeeded"]
    assert shop.refunds_at_stripe() == [10000]


def test_same_page_with_another_amount_is_a_conflict(shop: Shop, clerk_client: Client) -> None:
    form = form_of(open_page(clerk_client, shop.captured("100.00"))) | {"rows-0-amount": "40.00"}
    clerk_client.post(ACT, form)

    again = clerk_client.post(ACT, form | {"rows-0-amount": "50.00"})

    assert states_of(again) == ["conflict"]
    assert shop.refunds_at_stripe() == [4000]


def test_lost_answer_is_shown_as_not_known_yet_and_reloading_finds_out(
    shop: Shop, clerk_client: Client
) -> None:
    lost, good = shop.captured("100.00"), shop.captured("20.00")
    form = form_of(open_page(clerk_client, lost, good))
    shop.simulator.fault("drop_after", operation="refunds.create", times=None)
    shop.simulator.fault("drop_before", operation="refunds.list", times=None)
    shop.simulator.fault("drop_before", operation="payment_intents.retrieve", times=None)

    result = clerk_client.post(ACT, form)

    assert states_of(result) == ["uncertain", "uncertain"]
    text = result.content.decode()
    assert "Do not refund it another way" in text
    assert "Next look" in text
    shop.simulator.clear_faults()
    assert states_of(clerk_client.post(ACT, form)) == ["succeeded", "succeeded"]
    assert sorted(shop.refunds_at_stripe()) == [2000, 10000]


def test_uncertain_refund_reserves_its_amount_on_the_next_page(
    shop: Shop, clerk_client: Client
) -> None:
    payment = shop.captured("100.00")
    form = form_of(open_page(clerk_client, payment))
    shop.simulator.fault("drop_after", operation="refunds.create", times=None)
    shop.simulator.fault("drop_before", operation="refunds.list", times=None)
    shop.simulator.fault("drop_before", operation="payment_intents.retrieve", times=None)
    clerk_client.post(ACT, form)

    page = open_page(clerk_client, payment)

    assert page.context["skipped"][0]["why"].startswith("A refund of 100.00 EUR is not known yet")
    shop.simulator.clear_faults()
    reconcile_all()
    assert Refund.objects.get().status == MovementStatus.SUCCEEDED


def test_one_refused_row_does_not_touch_the_others(shop: Shop, clerk_client: Client) -> None:
    refused, good = shop.captured("100.00"), shop.captured("20.00")
    form = form_of(open_page(clerk_client, refused, good))
    shop.simulator.dispute(refused.payment_session.provider_reference)

    result = clerk_client.post(ACT, form)

    by_payment = dict(zip(form_payments(form), states_of(result), strict=True))
    assert by_payment == {refused.pk: "refused", good.pk: "succeeded"}
    assert "charge disputed" in result.content.decode()
    assert shop.refunds_at_stripe() == [2000]


def form_payments(form: dict[str, Any]) -> list[str]:
    return [form[name][0] for name in sorted(form) if name.endswith("-payment")]


def test_pending_refund_is_shown_as_accepted(shop: Shop, clerk_client: Client) -> None:
    form = form_of(open_page(clerk_client, shop.captured("100.00")))
    shop.simulator.next_refund_status("pending")

    assert states_of(clerk_client.post(ACT, form)) == ["pending"]


def test_unreachable_provider_refunds_nothing(shop: Shop, clerk_client: Client) -> None:
    form = form_of(open_page(clerk_client, shop.captured("100.00")))
    shop.simulator.stop()

    result = clerk_client.post(ACT, form)

    shop.simulator.start()
    assert states_of(result) == ["refused"]
    assert "could not be reached" in result.content.decode()
    assert shop.refunds_at_stripe() == []


@pytest.mark.parametrize(
    ("amount", "error"),
    [
        ("100.01", "At most 100.00 EUR can be refunded."),
        ("1.005", "decimal places"),
        ("-5", "must be positive"),
        ("0", "must be positive"),
        ("ten", "Enter a number"),
        ("1e2", "Enter a number"),
        ("12,50", "Enter a number"),
        ("NaN", "Enter a number"),
        ("", "Enter an amount"),
        ("99999999999999999999999999", "no more than"),
    ],
)
def test_wrong_amount_shows_on_its_row_and_nothing_is_asked(
    shop: Shop, clerk_client: Client, amount: str, error: str
) -> None:
    first, second = shop.captured("100.00"), shop.captured("100.00")
    form = form_of(open_page(clerk_client, first, second)) | {"rows-1-amount": amount}

    page = clerk_client.post(ACT, form)

    good, wrong = errors_of(page)
    assert good == {}
    assert error in wrong["amount"][0]
    assert Refund.objects.count() == 0
    assert shop.simulator.requests("refunds.create") == []
    assert form_of(page)["rows-0-request_key"] == form["rows-0-request_key"]


def test_page_without_its_keys_refunds_nothing(shop: Shop, clerk_client: Client) -> None:
    form = form_of(open_page(clerk_client, shop.captured("100.00")))

    for broken in (
        form | {"rows-0-request_key": ""},
        form | {"rows-0-request_key": "chosen by somebody"},
        form | {"rows-0-payment": "pay_unknown"},
        form | {"rows-0-payment": "", "rows-0-amount": "", "rows-INITIAL_FORMS": "0"},
        {"rows-TOTAL_FORMS": "1"},
        {},
    ):
        assert clerk_client.post(ACT, broken).status_code == 200

    assert Refund.objects.count() == 0


def test_without_the_permission_neither_menu_nor_page_nor_act(shop: Shop) -> None:
    payment = shop.captured("100.00")
    user = User.objects.create_user("viewer", password="pw", is_staff=True)
    viewer = Client()
    viewer.force_login(grant(user, "view_payment"))
    clerk = User.objects.create_user("other_clerk", password="pw", is_staff=True)
    other = Client()
    other.force_login(grant(clerk, "view_payment", "refund_payment"))
    form = form_of(open_page(other, payment))

    assert "refund_payments" not in viewer.get(LIST).content.decode()
    assert 'id="refund_form"' not in open_page(viewer, payment).content.decode()
    assert viewer.post(ACT, form).status_code == 403
    assert viewer.get(ACT).status_code == 403
    assert Refund.objects.count() == 0


def test_page_itself_checks_the_permission(shop: Shop, rf: Any) -> None:
    request = rf.post(LIST)
    request.user = User.objects.create_user("stranger", is_staff=True)
    model_admin = admin.site.get_model_admin(Payment)

    with pytest.raises(PermissionDenied):
        confirmation(model_admin, request, Payment.objects.all())


def test_permission_taken_away_while_the_page_is_open_counts(
    shop: Shop, clerk_client: Client, clerk: User
) -> None:
    form = form_of(open_page(clerk_client, shop.captured("100.00")))
    clerk.user_permissions.clear()

    assert clerk_client.post(ACT, form).status_code == 403
    assert Refund.objects.count() == 0


def test_anonymous_is_sent_to_the_log_in(db: None, client: Client) -> None:
    assert client.post(ACT, {}).status_code == 302
    assert reverse("admin:login") in client.post(ACT, {})["Location"]


def test_get_of_the_act_leads_back_to_the_list(shop: Shop, clerk_client: Client) -> None:
    response = clerk_client.get(ACT)

    assert (response.status_code, response["Location"]) == (302, LIST)


def test_too_many_payments_at_once_are_refused(
    shop: Shop, clerk_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("medusa_payments.admin.refund_action.MOST_ROWS", 1)

    response = open_page(clerk_client, shop.captured("1.00"), shop.captured("2.00"))

    assert response.status_code == 302
    assert Refund.objects.count() == 0


@pytest.fixture
def atomic_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", True)


def test_atomic_requests_change_nothing(
    shop: Shop, clerk_client: Client, atomic_requests: None
) -> None:
    good, lost = shop.captured("100.00"), shop.captured("30.00")
    form = form_of(open_page(clerk_client, good, lost))
    shop.simulator.fault("drop_after", operation="refunds.create", times=None, after=1)
    shop.simulator.fault("drop_before", operation="refunds.list", times=None)
    shop.simulator.fault("drop_before", operation="payment_intents.retrieve", times=None)

    result = clerk_client.post(ACT, form)

    assert sorted(states_of(result)) == ["succeeded", "uncertain"]
    assert Refund.objects.count() == 2
    assert len(shop.refunds_at_stripe()) == 2


def test_equal_uncertain_refund_is_taken_up_by_another_page(
    shop: Shop, clerk_client: Client
) -> None:
    payment = shop.captured("100.00")
    first = form_of(open_page(clerk_client, payment)) | {"rows-0-amount": "40.00"}
    second = form_of(open_page(clerk_client, payment)) | {"rows-0-amount": "40.00"}
    shop.simulator.fault("drop_after", operation="refunds.create", times=None)
    shop.simulator.fault("drop_before", operation="refunds.list", times=None)
    shop.simulator.fault("drop_before", operation="payment_intents.retrieve", times=None)
    clerk_client.post(ACT, first)
    shop.simulator.clear_faults()

    result = clerk_client.post(ACT, second)

    assert states_of(result) == ["succeeded"]
    assert "taken up" in result.content.decode()
    assert shop.refunds_at_stripe() == [4000]
    assert Refund.objects.get().amount == Decimal(40)


def test_secrets_are_on_no_refund_page(shop: Shop, clerk_client: Client) -> None:
    payment = shop.captured("100.00")
    secret = payment.payment_session.data["client_secret"]

    page = open_page(clerk_client, payment)
    result = clerk_client.post(ACT, form_of(page))

    assert secret not in page.content.decode()
    assert secret not in result.content.decode()
