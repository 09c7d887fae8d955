"""The same Idempotency-Key is the same request: run once, and answered the same."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, connection
from django.http import HttpRequest
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.request import Request

from medusa_payments.api.keyed_posts import KeyedPosts
from medusa_payments.api.request_keys import request_digest
from medusa_payments.models import (
    KeyedRequest,
    PaymentCollection,
    PaymentSession,
    Refund,
    RefundReason,
)
from medusa_payments.operations import keyed_requests
from medusa_payments.reconciliation.sweep import reconcile_all, reconcile_due
from medusa_payments.testing.stripe_simulator import StripeSimulator
from tests.api.keyed import BY_NAME, POSTS, Post, forget_answer
from tests.api.routes import routes
from tests.api.shop import PAID_AT_ONCE, Api, basic, rows

every_post = pytest.mark.parametrize("post", POSTS, ids=str)
LATER, EARLIER = timedelta(hours=1), timedelta(hours=-1)


def records() -> dict[str, Any]:
    return {name: found for name, found in rows().items() if name != "KeyedRequest"}


def counts(*models: str) -> list[int]:
    return [len(rows()[model]) for model in models]


# One request, one answer


@every_post
def test_the_same_request_is_answered_the_same_and_done_once(api: Api, post: Post) -> None:
    asked = post.asked(api)
    before = counts(*post.makes)
    first = asked.send()
    done = records()

    second = asked.send()

    assert (first.status_code, second.status_code) == (200, 200)
    assert second.content == first.content
    assert (first.get("Idempotent-Replayed"), second["Idempotent-Replayed"]) == (None, "true")
    assert records() == done
    assert counts(*post.makes) == [count + 1 for count in before]


@every_post
@pytest.mark.parametrize("other", ["body", "query", "route"])
def test_the_key_of_another_request_conflicts(api: Api, post: Post, other: str) -> None:
    asked = post.asked(api)
    asked.send()
    elsewhere = "payment-collections/elsewhere/payment-sessions"
    done = rows()

    if other == "body":
        answer = asked.send(asked.body | {"cart_id": "other"})
    elif other == "query":
        answer = asked.send(fields="id")
    else:
        answer = getattr(api, post.door)("POST", elsewhere, asked.body, key=asked.key)

    assert answer.status_code == 409
    assert answer.json()["type"] == "conflict"
    assert "was used before" in answer.json()["message"]
    assert "Retry-After" not in answer
    assert rows() == done


def test_the_layout_of_the_body_is_no_other_request(api: Api) -> None:
    body = '{"label": "Late", "code": "late"}'
    first = api.admin("POST", "refund-reasons", body, key="key-1")

    second = api.admin("POST", "refund-reasons/", '{"code":"late","label":"Late"}', key="key-1")

    assert second.content == first.content


@pytest.mark.parametrize(
    ("first", "second", "is_same"),
    [
        ("5.5", "5.50", True),
        ("5.5", "0.55e1", True),
        ("5", "5.0", True),
        ("50", "5e1", True),
        ("5.5", '"5.5"', False),
        ("5", '"5"', False),
        ("5", "50", False),
        ("5.5", "5.50000000000000000000000000000000000001", False),
        ("1", "true", False),
        ("0", "-0.00", True),
        ("null", '"null"', False),
    ],
)
@pytest.mark.parametrize("form", ["%s", "[%s]", '{"a": [1, %s]}'])
def test_equal_numbers_are_one_request_and_text_is_another(
    rf: RequestFactory, first: str, second: str, form: str, is_same: bool
) -> None:
    digests = [
        request_digest(Request(rf.post("/", form % body, "application/json")))
        for body in (first, second)
    ]

    assert (digests[0] == digests[1]) is is_same


def test_an_amount_as_text_is_not_taken_for_the_refund_that_was_made(api: Api) -> None:
    asked = BY_NAME["refund"].asked(api)

    answers = [asked.send(f'{{"amount": {amount}}}') for amount in ("5.5", '"5.5"', "5.50")]

    assert [each.status_code for each in answers] == [200, 409, 200]
    assert answers[2]["Idempotent-Replayed"] == "true"


@every_post
def test_without_a_key_nothing_is_kept(api: Api, post: Post) -> None:
    asked = post.asked(api, key=None)

    asked.send()

    assert KeyedRequest.objects.count() == 0


def test_another_callers_equal_key_is_another_request(api: Api, change: Any) -> None:
    change(SECRET_KEYS=("sk_of_the_tests", "sk_of_another_server"))
    asked = BY_NAME["refund reason"].asked(api)
    asked.send()
    headers = {"Authorization": basic("sk_of_another_server"), "Idempotency-Key": "key-1"}

    answer = api.ask("POST", "/api/admin/refund-reasons", asked.body, headers=headers)

    assert "Idempotent-Replayed" not in answer
    assert RefundReason.objects.filter(code="too_late").count() == 2


@pytest.mark.parametrize(
    ("name", "setting", "refuses"),
    [
        ("store session", "ACCESS_RESOLVER", "tests.api.test_access.refuse"),
        ("store collection", "CART_RESOLVER", "tests.api.test_idempotency_keys.no_cart"),
    ],
)
def test_an_answer_is_not_sent_again_to_a_buyer_who_may_not_ask(
    api: Api, change: Any, name: str, setting: str, refuses: str
) -> None:
    asked = BY_NAME[name].asked(api)
    asked.send()
    change(**{setting: refuses})

    answer = asked.send()

    assert answer.status_code == 404
    assert "Idempotent-Replayed" not in answer


def no_cart(cart_id: str, request: HttpRequest) -> None:
    return None


def test_every_post_of_the_store_and_the_admin_honours_the_header() -> None:
    honours = {
        str(route): issubclass(route.view, KeyedPosts)
        for route in routes()
        if route.method == "post"
    }

    assert len(honours) > len(POSTS)
    assert honours == {
        str(route): route.area in ("store", "admin") for route in routes() if route.method == "post"
    }


# The header


@pytest.mark.parametrize("key", ["k" * 256, "schlüssel", "tab\tinside", "del\x7f"])
@pytest.mark.parametrize("name", ["refund", "store session"])
def test_a_key_that_not_every_database_compares_exactly_is_refused(
    api: Api, key: str, name: str
) -> None:
    post = BY_NAME[name]
    asked = post.asked(api, key=key)
    before = rows()

    answer = asked.send()

    assert (answer.status_code, answer.json()["type"]) == (400, "invalid_data")
    assert "Idempotency-Key" in answer.json()["message"]
    assert rows() == before


def test_keys_compare_case_by_case(api: Api) -> None:
    asked = BY_NAME["refund reason"].asked(api, key="Key-1")
    asked.send()

    answer = BY_NAME["refund reason"].asked(api, key="key-1").send()

    assert "Idempotent-Replayed" not in answer


# While it runs, and after somebody died


@every_post
def test_a_request_in_flight_is_waited_for(api: Api, post: Post) -> None:
    asked = post.asked(api)
    asked.send()
    forget_answer(leased_until=timezone.now() + LATER)
    done = records()

    answer = asked.send()

    assert (answer.status_code, answer.json()["type"]) == (409, "conflict")
    assert int(answer["Retry-After"]) > 0
    assert records() == done


@every_post
def test_an_answer_that_died_with_its_process_is_found_again(
    api: Api, simulator: StripeSimulator, post: Post
) -> None:
    asked = post.asked(api)
    first = asked.send()
    made = counts(*post.makes)
    forget_answer(leased_until=timezone.now() + EARLIER)

    answers = [asked.send(), asked.send()]

    assert [each.status_code for each in answers] == [200, 200]
    assert answers[0].json().keys() == first.json().keys()
    assert answers[1]["Idempotent-Replayed"] == "true"
    assert counts(*post.makes) == made
    assert len(simulator.ledger()["intents"]) <= 1
    assert KeyedRequest.objects.get().leased_until is None


def test_no_row_is_answered_and_in_flight(api: Api) -> None:
    BY_NAME["refund reason"].asked(api).send()

    with pytest.raises(IntegrityError, match="keyed_request_answered_or_in_flight"):
        KeyedRequest.objects.update(status=200, leased_until=timezone.now())


def test_whoever_lost_the_lease_does_not_write_the_answer(api: Api) -> None:
    BY_NAME["refund reason"].asked(api).send()
    forget_answer(leased_until=timezone.now() + EARLIER)
    mine = KeyedRequest.objects.get()
    KeyedRequest.objects.update(lease_token=mine.lease_token + 1)

    keyed_requests.store_answer(mine, status=200, body='"mine"')
    keyed_requests.leave_open(mine)
    keyed_requests.give_back(mine)

    assert KeyedRequest.objects.get().status is None
    assert KeyedRequest.objects.get().leased_until is not None


def test_whoever_comes_second_with_a_sessions_id_is_told_to_wait(api: Api) -> None:
    def taken(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith("INSERT") and "medusa_payments_paymentsession" in sql:
            raise IntegrityError("a session of this id was made a moment ago")
        return execute(sql, *rest)

    asked = BY_NAME["store session"].asked(api)
    with connection.execute_wrapper(taken):
        answer = asked.send()

    assert (answer.status_code, answer["Retry-After"]) == (409, "1")


@pytest.mark.django_db(transaction=True)
def test_an_answer_that_cannot_be_kept_is_still_told(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    def break_down(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith("UPDATE") and "keyedrequest" in sql:
            raise OperationalError("the disk is full")
        return execute(sql, *rest)

    asked = BY_NAME["refund"].asked(api)
    with connection.execute_wrapper(break_down):
        answer = asked.send()

    assert answer.status_code == 200
    assert Refund.objects.get().status == "succeeded"
    assert "could not be kept" in caplog.text


# What was refused, and what is not certain


@every_post
def test_a_refused_body_can_be_corrected_under_its_key(api: Api, post: Post) -> None:
    asked = post.asked(api)
    before = counts(*post.makes)

    refused = asked.send(asked.body | {"unknown": 1})
    corrected = asked.send()

    assert (refused.status_code, corrected.status_code) == (400, 200)
    assert "Idempotent-Replayed" not in corrected
    assert counts(*post.makes) == [count + 1 for count in before]


def test_only_the_first_run_gives_its_key_back(api: Api) -> None:
    asked = BY_NAME["store session"].asked(api)
    asked.send()
    forget_answer(leased_until=timezone.now() + EARLIER)
    KeyedRequest.objects.update(lease_token=1)
    PaymentCollection.objects.update(deleted=timezone.now())

    missing = asked.send()

    assert missing.status_code == 404
    assert KeyedRequest.objects.count() == 1


def test_a_declined_card_is_told_again_and_not_asked_again(
    api: Api, simulator: StripeSimulator
) -> None:
    path = f"payment-collections/{api.collection()}/payment-sessions"
    declined = PAID_AT_ONCE | {"payment_method": "pm_card_chargeDeclined"}
    body = {"provider_id": "pp_stripe_stripe", "data": declined}

    answers = [api.admin("POST", path, body, key="key-1") for _ in range(2)]

    assert [each.status_code for each in answers] == [422, 422]
    assert answers[0].content == answers[1].content
    assert len(simulator.requests("payment_intents.create")) == 1


@pytest.mark.parametrize("name", ["capture", "refund", "cancel", "admin session"])
def test_a_provider_that_was_not_reached_gives_the_key_back(
    api: Api, simulator: StripeSimulator, name: str
) -> None:
    asked = BY_NAME[name].asked(api)
    simulator.fault("rate_limit", "*", times=None)
    unavailable = asked.send()
    simulator.clear_faults()

    answer = asked.send()

    assert (unavailable.status_code, answer.status_code) == (503, 200)
    assert unavailable.json()["type"] == "payment_provider_unavailable"
    assert "Idempotent-Replayed" not in answer


OPERATION = {
    "capture": "payment_intents.capture",
    "refund": "refunds.create",
    "cancel": "payment_intents.cancel",
}


@pytest.mark.parametrize("act", OPERATION)
def test_an_uncertain_act_is_told_as_it_stands_until_it_is_known(
    api: Api, simulator: StripeSimulator, act: str
) -> None:
    asked = BY_NAME[act].asked(api)
    simulator.fault("drop_before", OPERATION[act], times=None)
    uncertain = [asked.send(), asked.send()]
    simulator.clear_faults()

    known = [asked.send(), asked.send()]

    assert [each.status_code for each in (*uncertain, *known)] == [202, 202, 200, 200]
    assert "Idempotent-Replayed" not in uncertain[1]
    assert known[1]["Idempotent-Replayed"] == "true"
    assert known[1].content == known[0].content
    assert len({each["idempotency_key"] for each in simulator.requests(OPERATION[act])}) == 1


@pytest.mark.parametrize("name", ["store session", "admin session"])
def test_an_uncertain_start_is_told_as_it_stands_and_never_repeated(
    api: Api, simulator: StripeSimulator, change: Any, name: str
) -> None:
    change(NOT_FOUND_HORIZON=0.0)
    asked = BY_NAME[name].asked(api)
    simulator.fault("drop_after", "payment_intents.create", times=None)
    lost = [asked.send(), asked.send()]
    simulator.clear_faults()
    sent = len(simulator.requests("payment_intents.create"))
    still = asked.send()
    reconcile_all()

    over = asked.send()
    new = getattr(api, asked.door)("POST", asked.path, asked.body, key="key-2")

    session = PaymentSession.all_objects.order_by("pk")[0]
    assert [each.status_code for each in (*lost, still)] == [503, 503, 503]
    assert {each.json()["session_id"] for each in (*lost, still)} == {session.pk}
    assert still.json()["type"] == "payment_indeterminate"
    assert int(still["Retry-After"]) > 0
    assert (over.status_code, over.json()["type"]) == (409, "conflict")
    assert session.pk in over.json()["message"]
    assert session.resolution in over.json()["message"]
    assert "Retry-After" not in over
    assert new.status_code == 200
    assert len(simulator.requests("payment_intents.create")) == sent + 1
    kept = [each for each in simulator.ledger()["intents"].values() if each["status"] != "canceled"]
    assert len(kept) == 1


def test_a_start_that_its_process_left_open_is_set_aside_by_the_same_key(
    api: Api, simulator: StripeSimulator
) -> None:
    asked = BY_NAME["admin session"].asked(api)
    asked.send()
    session = PaymentSession.objects.get()
    call = session.provider_calls.get(kind="initiate")
    type(call).objects.filter(pk=call.pk).update(
        state="open",
        evidence="",
        leased_until=timezone.now() + EARLIER,
        next_attempt_at=timezone.now() + EARLIER,
    )
    forget_answer(leased_until=timezone.now() + EARLIER)

    asked.send()

    assert PaymentSession.all_objects.count() == 1
    assert len(simulator.requests("payment_intents.create")) == 1
    call.refresh_from_db()
    assert call.state != "open"


def test_a_session_whose_change_is_uncertain_is_not_handed_out(
    api: Api, simulator: StripeSimulator
) -> None:
    asked = BY_NAME["store session"].asked(api)
    first = asked.send()
    forget_answer(leased_until=timezone.now() + EARLIER)
    PaymentCollection.objects.update(amount_minor=99_00)
    simulator.fault("drop_before", "payment_intents.update", times=None)
    changed = api.store("POST", asked.path, asked.body, key="key-2")

    answer = asked.send()
    simulator.clear_faults()
    known = asked.send()

    assert (first.status_code, changed.status_code, answer.status_code) == (200, 503, 503)
    assert changed.json()["type"] == answer.json()["type"] == "payment_indeterminate"
    assert known.status_code == 200
    assert PaymentSession.objects.get().data["client_secret"] in known.content.decode()


def test_a_session_that_another_replaced_is_not_started_again(
    api: Api, simulator: StripeSimulator
) -> None:
    asked = BY_NAME["store session"].asked(api)
    asked.send()
    forget_answer(leased_until=timezone.now() + EARLIER)
    api.store("POST", asked.path, asked.body)
    live = PaymentSession.objects.get().pk

    answer = asked.send()

    assert answer.status_code == 409
    assert "replaced" in answer.json()["message"]
    assert PaymentSession.objects.get().pk == live


# What is kept, and how long


def test_no_clients_secret_is_kept_and_a_live_sessions_comes_back(api: Api) -> None:
    asked = BY_NAME["store session"].asked(api)
    first = asked.send()
    secret = PaymentSession.objects.get().data["client_secret"]

    second = asked.send()

    kept = KeyedRequest.objects.values().get()
    assert secret in first.content.decode()
    assert second.content == first.content
    assert secret not in str(kept)
    assert "key-1" not in str(kept)


@pytest.mark.parametrize("bait", ["x", None])
def test_a_buyer_cannot_ask_for_the_secret_of_another_session(api: Api, bait: Any) -> None:
    """By data of their own that looks like what a secret stands beside."""
    (theirs,) = api.session(api.collection()).json()["payment_collection"]["payment_sessions"]
    path = f"payment-collections/{api.collection()}/payment-sessions"
    stolen = {"id": theirs["data"]["id"], "client_secret": bait}
    body = {"provider_id": "pp_system_default", "data": {"metadata": stolen, "data": stolen}}

    first, again = (api.store("POST", path, body, key="k") for _ in range(2))

    assert again["Idempotent-Replayed"] == "true"
    assert theirs["data"]["client_secret"] not in again.content.decode()
    assert again.json() == first.json()


def test_the_secret_of_a_session_that_is_over_does_not_come_back(api: Api) -> None:
    asked = BY_NAME["store session"].asked(api)
    asked.send()
    secret = PaymentSession.objects.get().data["client_secret"]
    api.store("POST", asked.path, asked.body, key="key-2")

    answer = asked.send()

    (session,) = answer.json()["payment_collection"]["payment_sessions"]
    assert answer["Idempotent-Replayed"] == "true"
    assert "client_secret" not in session["data"]
    assert secret not in answer.content.decode()


def test_an_expired_answer_is_forgotten_but_a_refund_stays_the_same(api: Api) -> None:
    refund = BY_NAME["refund"].asked(api, key="key-1")
    reason = BY_NAME["refund reason"].asked(api, key="key-2")
    for asked in (refund, reason):
        asked.send()
    KeyedRequest.objects.update(expires_at=timezone.now() + EARLIER)

    answers = [refund.send(), reason.send()]

    assert [each.get("Idempotent-Replayed") for each in answers] == [None, None]
    assert [each.status_code for each in answers] == [200, 200]
    assert Refund.objects.count() == 1
    assert RefundReason.objects.filter(code="too_late").count() == 2


def test_an_answer_is_kept_as_long_as_the_setting_says(api: Api, change: Any) -> None:
    change(IDEMPOTENCY_RETENTION=60.0)

    BY_NAME["refund reason"].asked(api).send()

    left = KeyedRequest.objects.get().expires_at - timezone.now()
    assert timedelta(seconds=50) < left <= timedelta(seconds=60)


def test_the_sweep_purges_what_is_expired_in_batches(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyed_requests, "_PURGED_AT_ONCE", 2)
    for number in range(5):
        BY_NAME["refund reason"].asked(api, key=f"key-{number}").send()
    KeyedRequest.objects.update(expires_at=timezone.now() + EARLIER)
    BY_NAME["refund reason"].asked(api, key="fresh").send()
    fresh = KeyedRequest.objects.latest("created_at").pk

    with CaptureQueriesContext(connection) as queries:
        reconcile_due()

    assert KeyedRequest.objects.get().pk == fresh
    table = connection.ops.quote_name(KeyedRequest._meta.db_table)
    deletes = [each for each in queries if each["sql"].startswith(f"DELETE FROM {table}")]
    assert len(deletes) == 3


# What it costs


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("refund reason", ["INSERT", "UPDATE"]),
        ("refund", ["INSERT", "UPDATE"]),
        ("admin collection", ["INSERT", "UPDATE"]),
        ("store session", ["INSERT", "UPDATE"]),
    ],
)
def test_a_key_costs_two_statements_and_its_absence_none(
    api: Api, name: str, expected: list[str]
) -> None:
    def verbs(key: str | None) -> tuple[list[str], int]:
        asked = BY_NAME[name].asked(api, key=key)
        with CaptureQueriesContext(connection) as queries:
            asked.send()
        own = [each["sql"] for each in queries if "keyedrequest" in each["sql"]]
        others = [each for each in queries if "SAVEPOINT" not in each["sql"]]
        return [sql.split()[0] for sql in own], len(others) - len(own)

    without, usual = verbs(None)
    with_key, beside = verbs("key-1")

    assert without == []
    assert with_key == expected
    # A session is looked for by its id, and so is the change of one that was there.
    assert beside - usual == (2 if name == "store session" else 0)


def test_sending_again_costs_a_refused_insert_and_a_read(api: Api) -> None:
    asked = BY_NAME["refund reason"].asked(api)
    asked.send()

    with CaptureQueriesContext(connection) as queries:
        asked.send()

    statements = [each["sql"] for each in queries if "SAVEPOINT" not in each["sql"]]
    # PyMySQL tells no text of a statement that was refused.
    assert [each.split()[0] for each in statements] in (["INSERT", "SELECT"], ["None", "SELECT"])
