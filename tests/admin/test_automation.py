"""The kill switch, the providers' state and the jobs in the admin."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from medusa_payments.models import (
    AutomationStop,
    Payment,
    PaymentSession,
    ProviderGate,
    RecurringJob,
)
from medusa_payments.operations.automation import is_stopped
from medusa_payments.reconciliation.sweep import reconcile_all
from tests.admin.conftest import STRIPE, Shop, send, staff_client, states_of, url_of, words_of

BANNER = "Automatic acts are stopped."


@pytest.fixture
def ann(db: None) -> Client:
    return staff_client(
        "ann",
        "view_automationstop",
        "stop_automation",
        "view_payment",
        "view_providergate",
        "view_recurringjob",
    )


def stop(
    client: Client, provider_id: str = "", reason: str = "It answers oddly."
) -> AutomationStop:
    words = {"provider_id": provider_id, "reason": reason}
    result = client.post(url_of(AutomationStop, "stop"), words)
    assert states_of(result) == ["succeeded"]
    return AutomationStop.objects.latest("pk")


def test_nothing_is_given_back_while_stopped_and_at_once_when_resumed(
    shop: Shop, ann: Client
) -> None:
    listed = ann.get(url_of(AutomationStop, "changelist")).content.decode()
    made = stop(ann)
    session = shop.taken_ghost()
    while_stopped = shop.refunds_at_stripe()

    result = send(ann, AutomationStop, "resume", made)
    reconcile_all()

    assert url_of(AutomationStop, "stop") in listed
    assert while_stopped == []
    assert states_of(result) == ["succeeded"]
    assert shop.refunds_at_stripe() == [3000]
    assert PaymentSession.all_objects.get(pk=session.pk).resolution == "refunded"
    made.refresh_from_db()
    assert made.stopped_by == made.lifted_by
    assert made.stopped_by.endswith("(ann)")


def test_banner_tells_of_an_active_stop_on_our_pages(shop: Shop, ann: Client) -> None:
    payment = shop.captured()
    pages = [
        url_of(Payment, "changelist"),
        url_of(Payment, "change", payment.pk),
        url_of(AutomationStop, "stop"),
    ]
    before = [BANNER in words_of(ann.get(page)) for page in pages]

    made = stop(ann, STRIPE)
    during = [words_of(ann.get(page)) for page in pages]
    send(ann, AutomationStop, "resume", made)
    after = [BANNER in words_of(ann.get(page)) for page in pages]

    assert (before, after) == ([False] * 3, [False] * 3)
    assert all(f"At {STRIPE}, since" in text and BANNER in text for text in during)


def test_active_stops_come_first_and_stand_out(shop: Shop, ann: Client) -> None:
    active = stop(ann, STRIPE)
    lifted = stop(ann)
    send(ann, AutomationStop, "resume", lifted)

    response = ann.get(url_of(AutomationStop, "changelist"))

    assert [row.pk for row in response.context["cl"].result_list] == [active.pk, lifted.pk]
    assert f"{active.pk} stopped now {STRIPE} It answers oddly." in words_of(response)


def test_stopping_twice_or_without_a_reason_or_at_no_provider_is_refused(
    shop: Shop, ann: Client
) -> None:
    stop(ann)
    url = url_of(AutomationStop, "stop")

    again = ann.post(url, {"provider_id": "", "reason": "Once more."})
    silent = ann.post(url, {"provider_id": STRIPE, "reason": " "})
    unknown = ann.post(url, {"provider_id": "pp_unknown", "reason": "r"})

    assert states_of(again) == ["refused"]
    assert "stopped everywhere already" in words_of(again)
    for page in (silent, unknown):
        assert "Nothing was changed." in words_of(page)
    assert AutomationStop.objects.count() == 1


def test_an_old_page_does_not_lift_a_later_stop(shop: Shop, ann: Client) -> None:
    first = stop(ann)
    send(ann, AutomationStop, "resume", first)
    stop(ann, reason="Again.")

    result = send(ann, AutomationStop, "resume", first)

    assert states_of(result) == ["refused"]
    assert "It was lifted already" in words_of(result)
    assert is_stopped(STRIPE)


def test_who_may_only_look_neither_stops_nor_resumes(shop: Shop, ann: Client) -> None:
    made = stop(ann)
    viewer = staff_client("viewer", "view_automationstop", "add_automationstop")

    listed = viewer.get(url_of(AutomationStop, "changelist")).content.decode()
    refused = [
        viewer.get(url_of(AutomationStop, "stop")),
        viewer.post(url_of(AutomationStop, "stop"), {"provider_id": STRIPE, "reason": "r"}),
        send(viewer, AutomationStop, "resume", made),
    ]

    assert url_of(AutomationStop, "stop") not in listed
    assert [page.status_code for page in refused] == [403, 403, 403]
    assert AutomationStop.objects.get().active_key


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "not asked yet"),
        ({"last_answer_at": timedelta()}, "answers"),
        ({"open_until": timedelta(minutes=5)}, "does not answer, paused"),
        ({"open_until": -timedelta(minutes=5)}, "does not answer, next sweep tries"),
    ],
)
def test_state_of_a_provider_in_words(
    values: dict[str, timedelta], words: str, ann: Client
) -> None:
    moments = {name: timezone.now() + span for name, span in values.items()}
    ProviderGate.objects.create(credentials="acct_1", provider_id=STRIPE, **moments)

    assert f"acct_1 {STRIPE} {words}" in words_of(ann.get(url_of(ProviderGate, "changelist")))


def test_list_of_jobs_tells_the_last_sweep_and_its_figures(shop: Shop, ann: Client) -> None:
    shop.taken_ghost()

    text = words_of(ann.get(url_of(RecurringJob, "changelist")))

    job = RecurringJob.objects.get()
    assert job.finished_at is not None
    assert f"{job.pk} ended" in text
    assert timezone.localtime(job.finished_at).strftime("%Y-%m-%d %H:%M:%S") in text
