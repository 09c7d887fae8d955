"""Every record can be seen and searched, none can be rewritten, nothing secret is shown."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from medusa_payments.models import (
    AuditEntry,
    Discrepancy,
    Payment,
    PaymentCollection,
    PaymentProvider,
    PaymentSession,
    ProviderCall,
    Refund,
    WebhookEvent,
)
from medusa_payments.operations.refunds import refund_payment
from tests.admin.conftest import STRIPE, Shop, grant

MODELS = list(apps.get_app_config("medusa_payments").get_models())
RECORDS = [model for model in MODELS if model is not PaymentProvider]


def url_of(model: Any, page: str, *args: Any) -> str:
    return reverse(f"admin:medusa_payments_{model._meta.model_name}_{page}", args=args)


def all_rows(model: Any) -> list[Any]:
    rows = list(model._base_manager.all())
    assert rows, f"the shop has no {model.__name__}"
    return rows


def test_every_model_is_registered() -> None:
    assert [model for model in MODELS if not admin.site.is_registered(model)] == []


def test_every_page_of_every_model_renders_without_a_secret(
    everything: Shop, admin_client: Client
) -> None:
    PaymentSession.all_objects.filter(deleted__isnull=True).update(
        context={"note": "pi_1AbC_secret_hiDDen and whsec_hidden", "number": "4242424242424242"},
        metadata={
            "client_secret": "hidden-by-key",
            "at": "https://x.test/?client_secret=hidden-too",
        },
    )
    secrets = [
        *(session.data["client_secret"] for session in PaymentSession.objects.all()),
        "secret_hiDDen",
        "whsec_hidden",
        "4242424242424242",
        "hidden-by-key",
        "hidden-too",
        "very-secret-key",
        "sk_test_of_the_tests",
    ]

    for model in MODELS:
        pages = [url_of(model, "changelist")]
        pages += [url_of(model, "change", row.pk) for row in all_rows(model)]
        for page in pages:
            response = admin_client.get(page)
            assert response.status_code == 200, page
            text = response.content.decode()
            assert [secret for secret in secrets if secret in text] == [], page


def test_index_and_list_of_the_app_render(everything: Shop, admin_client: Client) -> None:
    assert admin_client.get(reverse("admin:index")).status_code == 200
    assert admin_client.get(reverse("admin:app_list", args=["medusa_payments"])).status_code == 200


def test_nobody_can_add_change_or_delete_a_record(everything: Shop, admin_client: Client) -> None:
    for model in RECORDS:
        _assert_read_only(admin_client, model)


def _assert_read_only(admin_client: Client, model: Any) -> None:
    row = all_rows(model)[0]
    before = model._base_manager.filter(pk=row.pk).values().get()

    assert admin_client.get(url_of(model, "add")).status_code == 403
    assert admin_client.post(url_of(model, "add"), {}).status_code == 403
    assert admin_client.get(url_of(model, "delete", row.pk)).status_code == 403
    assert admin_client.post(url_of(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert admin_client.get(url_of(model, "history", row.pk)).status_code == 403
    assert (
        admin_client.post(url_of(model, "change", row.pk), {"amount_minor": 1}).status_code == 403
    )
    assert model._base_manager.filter(pk=row.pk).values().get() == before


def test_bulk_deletion_is_not_offered_and_does_nothing(
    everything: Shop, admin_client: Client
) -> None:
    for model in MODELS:
        page = admin_client.get(url_of(model, "changelist"))
        ids = [row.pk for row in all_rows(model)]

        admin_client.post(
            url_of(model, "changelist"),
            {"action": "delete_selected", "_selected_action": ids, "post": "yes"},
        )

        assert "delete_selected" not in page.content.decode()
        assert len(all_rows(model)) == len(ids)


def test_soft_deleted_session_is_shown_with_its_reason_and_resolution(
    everything: Shop, admin_client: Client
) -> None:
    session = PaymentSession.deleted_objects.get()

    listed = admin_client.get(url_of(PaymentSession, "changelist")).content.decode()
    page = admin_client.get(url_of(PaymentSession, "change", session.pk)).content.decode()

    for text in (listed, page):
        assert session.pk in text
        assert "deleted: indeterminate" in text
        assert "not resolved yet" in text


def test_amounts_are_in_major_units_with_the_decimals_of_their_currency(
    shop: Shop, admin_client: Client
) -> None:
    shop.collection("1234.50")
    shop.collection("5000", currency_code="jpy")
    shop.collection("7.250", currency_code="kwd")

    text = admin_client.get(url_of(PaymentCollection, "changelist")).content.decode()

    assert "1,234.50 EUR" in text
    assert "5,000 JPY" in text
    assert "7.250 KWD" in text


def _searches(shop: Shop) -> list[tuple[Any, str, str]]:
    """Model, what is searched for, id of the row that must be found."""
    payment = Payment.objects.get()
    session = payment.payment_session
    collection = payment.payment_collection
    refund = Refund.objects.get(request_key="act_of_the_test")
    call = refund.provider_call
    event = WebhookEvent.objects.filter(payment_session=session).first()
    discrepancy = Discrepancy.objects.first()
    assert event is not None
    assert discrepancy is not None
    return [
        *(
            (PaymentCollection, term, collection.pk)
            for term in (
                collection.pk,
                "cart_1",
                "order_1",
                session.pk,
                session.provider_reference,
                payment.pk,
            )
        ),
        *(
            (PaymentSession, term, session.pk)
            for term in (
                session.pk,
                session.provider_reference,
                collection.pk,
                "cart_1",
                payment.pk,
            )
        ),
        *(
            (Payment, term, payment.pk)
            for term in (
                payment.pk,
                session.pk,
                session.provider_reference,
                collection.pk,
                "order_1",
                refund.pk,
            )
        ),
        *(
            (Refund, term, refund.pk)
            for term in (refund.pk, payment.pk, refund.provider_reference, "act_of_the_test")
        ),
        *((ProviderCall, term, call.pk) for term in (call.pk, refund.pk, session.pk)),
        *((WebhookEvent, term, event.pk) for term in (event.pk, event.event_id, session.pk)),
        *((AuditEntry, term, "") for term in (refund.pk, "refund.requested", "system")),
        (Discrepancy, discrepancy.pk, discrepancy.pk),
    ]


def test_records_are_found_by_their_ids_and_references(
    everything: Shop, admin_client: Client
) -> None:
    for model, term, found in _searches(everything):
        response = admin_client.get(url_of(model, "changelist"), {"q": term})
        results = response.context["cl"].result_list
        assert len(results) >= 1, (model, term)
        if found:
            assert found in [row.pk for row in results], (model, term)
    nothing = admin_client.get(url_of(Payment, "changelist"), {"q": "pay_unknown"})
    assert len(nothing.context["cl"].result_list) == 0


@pytest.mark.slow
def test_every_filter_can_be_used(everything: Shop, admin_client: Client) -> None:
    for model in MODELS:
        _use_every_filter(admin_client, model)


def _use_every_filter(admin_client: Client, model: Any) -> None:
    page = admin_client.get(url_of(model, "changelist"))
    changelist = page.context["cl"]
    queries = [
        choice["query_string"]
        for spec in changelist.filter_specs
        for choice in spec.choices(changelist)
    ]

    for query in queries:
        response = admin_client.get(url_of(model, "changelist") + query)
        assert response.status_code == 200
        assert "e=1" not in response.request["QUERY_STRING"]


def test_filters_find_what_is_uncertain(everything: Shop, admin_client: Client) -> None:
    session = PaymentSession.deleted_objects.get()

    calls = admin_client.get(url_of(ProviderCall, "changelist"), {"outcome": "unknown"})
    sessions = admin_client.get(url_of(PaymentSession, "changelist"), {"undoing": "unresolved"})

    assert [row.payment_session_id for row in calls.context["cl"].result_list] == [session.pk]
    assert [row.pk for row in sessions.context["cl"].result_list] == [session.pk]


def test_a_longer_list_takes_no_more_queries(everything: Shop, admin_client: Client) -> None:
    _queries_of_lists(admin_client)  # caches content types, writes the providers' rows
    before = _queries_of_lists(admin_client)
    for _ in range(3):
        refund_payment(everything.captured("20.00"), amount=Decimal(1))

    after = _queries_of_lists(admin_client)

    assert after == before
    assert max(before.values()) <= 12


def _queries_of_lists(admin_client: Client) -> dict[str, int]:
    counts = {}
    for model in MODELS:
        with CaptureQueriesContext(connection) as queries:
            admin_client.get(url_of(model, "changelist"))
        counts[model.__name__] = len(queries)
    return counts


def test_every_change_page_takes_few_queries(everything: Shop, admin_client: Client) -> None:
    for model in MODELS:
        for row in all_rows(model):
            with CaptureQueriesContext(connection) as queries:
                admin_client.get(url_of(model, "change", row.pk))
            assert len(queries) <= (30 if model is PaymentCollection else 12), model


def test_provider_can_be_switched_off_and_that_is_logged(shop: Shop, admin_client: Client) -> None:
    admin_client.get(url_of(PaymentProvider, "changelist"))

    admin_client.post(url_of(PaymentProvider, "change", STRIPE), {})

    assert not PaymentProvider.objects.get(pk=STRIPE).is_enabled
    entry = LogEntry.objects.get()
    assert entry.object_id == STRIPE
    assert entry.get_change_message() == "Changed Is enabled."


def test_list_of_providers_shows_every_one_in_the_settings(
    shop: Shop, admin_client: Client
) -> None:
    text = admin_client.get(url_of(PaymentProvider, "changelist")).content.decode()

    assert STRIPE in text
    assert "pp_system_default" in text


def test_switching_a_provider_needs_the_change_permission(shop: Shop) -> None:
    PaymentProvider.objects.create(pk=STRIPE)
    user = User.objects.create_user("viewer", password="pw", is_staff=True)
    client = Client()
    client.force_login(grant(user, "view_paymentprovider"))

    response = client.post(url_of(PaymentProvider, "change", STRIPE), {})

    assert response.status_code == 403
    assert PaymentProvider.objects.get(pk=STRIPE).is_enabled
    assert client.get(url_of(PaymentProvider, "changelist")).status_code == 200
    for model in RECORDS:
        assert client.get(url_of(model, "changelist")).status_code == 403
