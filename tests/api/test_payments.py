"""Reading, capturing, refunding and canceling payments (CONTRACT 3.2, 7.4-7.6)."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from medusa_payments.models import AuditEntry, Capture, Payment, Refund, RefundReason
from medusa_payments.statuses import Door
from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.api.shop import PROVIDER, Api
from tests.api.test_store import PAYMENT_COLUMNS

PAYMENT = set(
    """id currency_code amount captured_at payment_collection_id payment_session_id captures
    refunds""".split()
)
REFUND = {"id", "amount", "note", "payment_id", "refund_reason_id", "refund_reason"}


# Reading


def test_a_payment_has_exactly_the_default_fields(api: Api) -> None:
    payment = api.authorized()

    answer = api.admin("GET", f"payments/{payment}")

    assert answer.status_code == 200
    assert set(answer.json()) == {"payment"}
    shown = answer.json()["payment"]
    assert set(shown) == PAYMENT
    assert shown["amount"] == 100.5
    assert shown["captured_at"] is None
    assert shown["captures"] == shown["refunds"] == []


def test_a_list_of_payments_says_how_it_was_paged(api: Api) -> None:
    ids = [api.authorized() for _ in range(3)]

    answer = api.admin("GET", "payments", limit="2", offset="1")

    assert {key: answer.json()[key] for key in ("count", "offset", "limit")} == {
        "count": 3,
        "offset": 1,
        "limit": 2,
    }
    assert [each["id"] for each in answer.json()["payments"]] == ids[1:]
    assert all(set(each) == PAYMENT for each in answer.json()["payments"])


def test_an_empty_page_still_counts(api: Api) -> None:
    api.authorized()

    answer = api.admin("GET", "payments", limit="0")

    assert answer.json() == {"payments": [], "count": 1, "offset": 0, "limit": 0}


def test_a_longer_list_takes_no_more_queries(api: Api) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            api.admin("GET", "payments", fields="*captures,*refunds,*payment_session")
        # A connection that is kept open is now and then asked whether it still lives.
        return sum("medusa_payments_" in query["sql"] for query in captured)

    api.admin("POST", f"payments/{api.captured()}/refund", {"amount": 1})
    few = queries()
    for _ in range(3):
        api.admin("POST", f"payments/{api.captured()}/refund", {"amount": 1})

    assert queries() == few <= 10


FILTERED = [
    ({"id": "{0}"}, [0]),
    ({"id[0]": "{0}", "id[1]": "{1}"}, [0, 1]),
    ({"id[]": ["{0}", "{1}"]}, [0, 1]),
    ({"id": ["{0}", "{1}"]}, [0, 1]),
    ({"id": "pay_x"}, []),
    ({"payment_session_id": "{session}"}, [1]),
    ({"q": "nothing is searched"}, [0, 1]),
    ({"created_at[$gte]": "2020-01-01T00:00:00.000Z"}, [0, 1]),
    ({"created_at[$lt]": "2020-01-01"}, []),
    ({"created_at[$gt]": "2020-01-01", "created_at[$lt]": "2099-01-01"}, [0, 1]),
    ({"created_at[$zzz]": "whatever"}, [0, 1]),
    ({"$or[0][id]": "{0}", "$or[1][id]": "{1}"}, [0, 1]),
    ({"$and[0][id]": "{0}", "$and[1][id]": "{1}"}, []),
    ({"order": "-created_at"}, [1, 0]),
    ({"order": "id"}, [0, 1]),
    ({"with_deleted": "true"}, [0, 1]),
]


@pytest.mark.parametrize(("query", "found"), FILTERED)
def test_payments_are_filtered_and_ordered(
    api: Api, query: dict[str, Any], found: list[int]
) -> None:
    ids = [api.authorized(), api.authorized()]
    session = Payment.objects.get(pk=ids[1]).payment_session_id

    def filled(value: Any) -> Any:
        if isinstance(value, list):
            return [filled(each) for each in value]
        return value.format(*ids, session=session)

    answer = api.admin("GET", "payments", **{key: filled(value) for key, value in query.items()})

    assert [each["id"] for each in answer.json()["payments"]] == [ids[index] for index in found]


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ("+provider_id,+data", PAYMENT | {"provider_id", "data"}),
        (" provider_id", PAYMENT | {"provider_id"}),
        ("-captures,-amount", PAYMENT - {"captures", "amount"}),
        ("id,amount", {"id", "amount"}),
        ("amount,+provider_id", {"id", "amount", "provider_id"}),
        ("*payment_session", PAYMENT | {"payment_session"}),
        ("payment_session.*", PAYMENT | {"payment_session"}),
        ("+zzz,+captures.zzz", PAYMENT),
        ("zzz", {"id"}),
        ("", PAYMENT),
    ],
)
def test_fields_choose_what_is_shown(api: Api, fields: str, shown: set[str]) -> None:
    payment = api.authorized()

    assert set(api.payment(payment, fields=fields)) == shown


def test_a_dotted_field_chooses_inside_a_relation(api: Api) -> None:
    payment = api.captured()

    shown = api.payment(payment, fields="captures.created_by,payment_collection.status,-refunds")

    assert set(shown) == {"id", "captures", "payment_collection"}
    assert set(shown["captures"][0]) == {"id", "created_by"}
    assert shown["payment_collection"]["status"] == "completed"


def test_a_starred_relation_shows_all_its_columns(api: Api) -> None:
    shown = api.payment(api.captured(), fields="*captures")

    assert shown["captures"][0].keys() >= {"raw_amount", "payment_id", "created_at", "status"}
    assert shown["captures"][0]["status"] == "succeeded"


def test_every_column_of_a_payment_can_be_asked_for(api: Api) -> None:
    fields = ",".join(PAYMENT_COLUMNS)

    assert set(api.payment(api.authorized(), fields=fields)) == PAYMENT_COLUMNS


def test_a_missing_payment_is_not_found(api: Api) -> None:
    answer = api.admin("GET", "payments/pay_x")

    assert answer.status_code == 404
    assert answer.json() == {"type": "not_found", "message": "Payment with id: pay_x was not found"}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, [PROVIDER, "pp_system_default"]),
        ({"id": PROVIDER}, [PROVIDER]),
        ({"id[0]": PROVIDER}, [PROVIDER]),
        ({"is_enabled": "TRUE"}, [PROVIDER, "pp_system_default"]),
        ({"is_enabled": "false"}, []),
    ],
)
def test_the_admin_lists_all_providers(api: Api, query: dict[str, str], found: list[str]) -> None:
    answer = api.admin("GET", "payments/payment-providers", **query)

    shown = answer.json()
    assert [each["id"] for each in shown["payment_providers"]] == found
    assert (shown["count"], shown["offset"], shown["limit"]) == (len(found), 0, 20)


# Acting


def test_a_capture_without_a_body_takes_the_whole_amount(
    api: Api, simulator: StripeSimulator
) -> None:
    payment = api.authorized()

    answer = api.admin("POST", f"payments/{payment}/capture")

    shown = answer.json()["payment"]
    assert answer.status_code == 200
    assert set(shown) == PAYMENT
    assert shown["captured_at"] is not None
    assert [set(each) for each in shown["captures"]] == [{"id", "amount"}]
    assert shown["captures"][0]["amount"] == 100.5
    (intent,) = simulator.ledger()["intents"].values()
    assert intent["amount_received"] == 10050


def test_a_second_capture_of_a_captured_payment_does_nothing(api: Api) -> None:
    payment = api.captured()

    answer = api.admin("POST", f"payments/{payment}/capture", {})

    assert answer.status_code == 200
    assert len(answer.json()["payment"]["captures"]) == 1


def test_a_refund_has_its_reason_and_note(api: Api) -> None:
    payment = api.captured()
    reason = RefundReason.objects.create(label="Pricing Error", code="pricing_error")
    body = {"amount": 20.5, "refund_reason_id": reason.pk, "note": "sorry"}

    answer = api.admin("POST", f"payments/{payment}/refund", body)

    (refund,) = answer.json()["payment"]["refunds"]
    assert answer.status_code == 200
    assert set(refund) == REFUND
    assert refund == {
        "id": refund["id"],
        "amount": 20.5,
        "note": "sorry",
        "payment_id": payment,
        "refund_reason_id": reason.pk,
        "refund_reason": {"id": reason.pk, "label": "Pricing Error", "code": "pricing_error"},
    }


def test_of_a_deleted_reason_a_refund_keeps_the_id(api: Api) -> None:
    payment = api.captured()
    reason = RefundReason.objects.create(label="Pricing Error", code="pricing_error")
    api.admin("POST", f"payments/{payment}/refund", {"refund_reason_id": reason.pk})
    reason.delete()

    (refund,) = api.payment(payment)["refunds"]

    assert (refund["refund_reason_id"], refund["refund_reason"]) == (reason.pk, None)


def test_a_refund_that_is_pending_at_the_provider_counts(
    api: Api, simulator: StripeSimulator
) -> None:
    payment = api.captured()
    simulator.next_refund_status("pending")

    answer = api.admin(
        "POST", f"payments/{payment}/refund", {"amount": 1}, fields="+refunds.status"
    )

    assert answer.status_code == 200
    assert "uncertain" not in answer.json()["payment"]
    assert answer.json()["payment"]["refunds"][0]["status"] == "pending"


def test_canceling_releases_the_hold(api: Api, simulator: StripeSimulator) -> None:
    payment = api.authorized()

    answer = api.admin("POST", f"payments/{payment}/cancel", fields="+canceled_at")

    assert answer.status_code == 200
    assert answer.json()["payment"]["canceled_at"] is not None
    (intent,) = simulator.ledger()["intents"].values()
    assert intent["status"] == "canceled"


def test_whoever_asked_is_recorded_without_the_key(api: Api) -> None:
    payment = api.captured()
    api.admin("POST", f"payments/{payment}/refund", {"amount": 1})

    capture, refund = Capture.objects.get(), Refund.objects.get()

    assert capture.created_by == refund.created_by
    assert capture.created_by is not None
    assert capture.created_by.startswith("apk_")
    assert "sk_" not in capture.created_by
    entry = AuditEntry.objects.filter(action="refund.requested").get()
    assert (entry.actor, entry.door) == (refund.created_by, Door.ADMIN_API)


REFUSED_ACTS = [
    (
        "captured",
        "refund",
        {"amount": 100.51},
        "invalid_data",
        "You are not allowed to refund more than the captured amount",
    ),
    (
        "authorized",
        "refund",
        {},
        "invalid_data",
        "You cannot refund more than what is captured on the payment.",
    ),
    (
        "authorized",
        "capture",
        {"amount": 100.51},
        "invalid_data",
        (
            "You cannot capture more than the authorized amount substracted by what is already"
            " captured."
        ),
    ),
    (
        "captured",
        "cancel",
        None,
        "not_allowed",
        "Payment {payment} was captured; refund it instead.",
    ),
    ("canceled", "capture", {}, "invalid_data", "The payment: {payment} has been canceled."),
]


@pytest.mark.parametrize(("state", "act", "body", "kind", "message"), REFUSED_ACTS)
def test_an_act_that_the_payments_state_does_not_allow_is_refused(
    api: Api, state: str, act: str, body: Any, kind: str, message: str
) -> None:
    payment = api.captured() if state == "captured" else api.authorized()
    if state == "canceled":
        api.admin("POST", f"payments/{payment}/cancel")

    answer = api.admin("POST", f"payments/{payment}/{act}", body)

    assert answer.status_code == 400
    assert answer.json() == {"type": kind, "message": message.format(payment=payment)}


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("pay_x/capture", None, "Payment with id: pay_x was not found"),
        ("pay_x/refund", {}, "Payment id not found: pay_x"),
        ("pay_x/cancel", None, "Payment id not found: pay_x"),
        ("{0}/refund", {"refund_reason_id": "refr_x"}, "RefundReason id not found: refr_x"),
    ],
)
def test_acting_on_what_does_not_exist_is_not_found(
    api: Api, path: str, body: Any, message: str
) -> None:
    payment = api.captured()

    answer = api.admin("POST", f"payments/{path.format(payment)}", body)

    assert answer.status_code == 404
    assert answer.json() == {"type": "not_found", "message": message}
    assert not Refund.objects.exists()
