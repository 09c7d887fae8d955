"""What a waiting buyer is told: what is known, and whether to wait, try again or do nothing."""

from __future__ import annotations

from typing import Any

import pytest

from medusa_payments.models import PaymentSession
from medusa_payments.operations.sessions import delete_payment_session
from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.api.shop import PAID_AT_ONCE, PROVIDER, Api, priced

STATUS = {"id", "status", "is_final", "action", "message", "retry_after"}


def status_of(api: Api, session: str | PaymentSession) -> dict[str, Any]:
    pk = session if isinstance(session, str) else session.pk
    answer = api.store("GET", f"payment-sessions/{pk}/status")
    assert answer.status_code == 200, answer.content
    assert set(answer.json()) == {"payment_session"}
    shown: dict[str, Any] = answer.json()["payment_session"]
    assert set(shown) == STATUS
    assert shown["id"] == pk
    return shown


def started(api: Api, **data: Any) -> PaymentSession:
    api.session(api.collection(), **data)
    session: PaymentSession = PaymentSession.all_objects.get()
    return session


def test_a_session_that_waits_for_its_buyer_is_gone_on_with(api: Api) -> None:
    session = started(api)

    shown = status_of(api, session)

    assert (shown["status"], shown["action"], shown["is_final"]) == ("pending", "continue", False)
    assert shown["retry_after"] is None
    assert session.data["client_secret"] not in str(shown)


def test_a_paid_session_needs_nothing(api: Api) -> None:
    shown = status_of(api, started(api, **PAID_AT_ONCE))

    assert (shown["status"], shown["action"], shown["is_final"]) == ("authorized", "none", True)


# Columns of a live session -> what its buyer is told.
LIVE = [
    ({"status": "requires_more"}, "continue", False),
    ({"status": "pending_authorization"}, "wait", False),
    ({"declined": True}, "continue", False),
    ({"status": "error"}, "try_again", True),
    ({"status": "canceled"}, "try_again", True),
    ({"status": "captured"}, "none", True),
]


@pytest.mark.parametrize(("columns", "action", "is_final"), LIVE)
def test_each_status_says_what_to_do(
    api: Api, columns: dict[str, Any], action: str, is_final: bool
) -> None:
    session = started(api)
    PaymentSession.objects.update(**columns)

    shown = status_of(api, session)

    assert (shown["action"], shown["is_final"]) == (action, is_final)
    assert (shown["retry_after"] is not None) == (action == "wait")


def test_after_a_decline_the_buyer_is_asked_for_another_method(api: Api) -> None:
    session = started(api)
    PaymentSession.objects.update(declined=True)

    assert "another payment method" in status_of(api, session)["message"]


def test_a_session_that_was_set_aside_may_be_tried_again_at_once(
    api: Api, simulator: StripeSimulator
) -> None:
    simulator.fault("drop_after", "payment_intents.create", times=None)
    lost = api.session(api.collection(), **PAID_AT_ONCE)

    shown = status_of(api, lost.json()["session_id"])

    assert (shown["action"], shown["is_final"]) == ("try_again", False)
    assert "given back automatically" in shown["message"]


def test_once_another_try_has_paid_the_buyer_does_nothing(
    api: Api, simulator: StripeSimulator
) -> None:
    collection = api.collection()
    simulator.fault("drop_before", "payment_intents.create", times=None)
    lost = api.session(collection, **PAID_AT_ONCE).json()["session_id"]
    simulator.clear_faults()
    api.session(collection, **PAID_AT_ONCE)

    shown = status_of(api, lost)

    assert shown["action"] == "none"
    assert "paid with another try" in shown["message"]


@pytest.mark.parametrize(
    ("resolution", "action", "words"),
    [
        ("not_created", "try_again", "took nothing"),
        ("closed", "try_again", "took nothing"),
        ("refunded", "try_again", "given back"),
        ("adopted", "none", "was received"),
        ("written_off", "none", "ask there"),
    ],
)
def test_what_became_of_a_set_aside_session_is_told(
    api: Api, simulator: StripeSimulator, resolution: str, action: str, words: str
) -> None:
    simulator.fault("drop_before", "payment_intents.create", times=None)
    lost = api.session(api.collection()).json()["session_id"]
    session = PaymentSession.all_objects.get()
    PaymentSession.all_objects.update(resolution=resolution, resolved_at=session.created_at)

    shown = status_of(api, lost)

    assert (shown["action"], shown["is_final"]) == (action, True)
    assert words in shown["message"]


def test_a_session_that_was_deleted_is_tried_anew(api: Api) -> None:
    session = started(api)
    delete_payment_session(session)
    PaymentSession.all_objects.update(resolution="", resolved_at=None)

    assert status_of(api, session)["action"] == "try_again"


def test_while_the_provider_is_being_asked_the_buyer_waits(api: Api) -> None:
    session = started(api)
    call = session.provider_calls.get()
    type(call).objects.update(state="open", evidence="", next_attempt_at=session.created_at)

    shown = status_of(api, session)

    assert (shown["action"], shown["retry_after"]) == ("wait", 2)


def test_while_a_new_amount_is_not_known_to_be_set_the_buyer_waits(
    api: Api, simulator: StripeSimulator
) -> None:
    priced("cart_1", "10")
    collection = api.store("POST", "payment-collections", {"cart_id": "cart_1"}).json()
    path = f"payment-collections/{collection['payment_collection']['id']}/payment-sessions"
    api.store("POST", path, {"provider_id": PROVIDER})
    session = PaymentSession.objects.get()
    priced("cart_1", "20")
    api.store("POST", "payment-collections", {"cart_id": "cart_1"})
    simulator.fault("drop_before", "payment_intents.update", times=None)
    lost = api.store("POST", path, {"provider_id": PROVIDER})

    shown = status_of(api, session)

    assert (lost.status_code, lost.json()["type"]) == (503, "payment_indeterminate")
    assert (shown["action"], shown["is_final"], shown["retry_after"]) == ("wait", False, 2)


def test_an_unknown_session_is_not_found(api: Api) -> None:
    answer = api.store("GET", "payment-sessions/payses_x/status")

    assert answer.status_code == 404
    assert answer.json() == {
        "type": "not_found",
        "message": "PaymentSession id not found: payses_x",
    }


def test_the_query_is_strict_and_the_key_needed(api: Api) -> None:
    session = started(api)

    strict = api.store("GET", f"payment-sessions/{session.pk}/status", fields="data")
    keyless = api.ask("GET", f"/api/store/payment-sessions/{session.pk}/status")

    assert (strict.status_code, keyless.status_code) == (400, 400)


def test_asking_changes_and_asks_nothing(api: Api, simulator: StripeSimulator) -> None:
    session = started(api)
    before = len(simulator.requests())

    status_of(api, session)

    assert len(simulator.requests()) == before
    assert session.provider_id == PROVIDER
