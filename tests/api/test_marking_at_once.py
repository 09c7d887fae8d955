"""Several clerks mark one collection as paid in the same moment."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from medusa_payments.models import Capture, Payment, PaymentCollection, PaymentSession
from tests.conftest import LiveApi

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_collection_is_paid_once_however_many_mark_it(live_api: LiveApi) -> None:
    body = {"order_id": "order_1", "amount": 10, "currency_code": "eur"}
    made = live_api.admin("POST", "payment-collections", body).json()["payment_collection"]
    path = f"payment-collections/{made['id']}/mark-as-paid"

    def mark(_: int) -> int:
        return int(live_api.admin("POST", path, {"order_id": "order_1"}).status_code)

    with ThreadPoolExecutor(5) as clerks:
        statuses = list(clerks.map(mark, range(5)))
    last = live_api.admin("POST", path, {"order_id": "order_1"})

    assert set(statuses) <= {200, 400, 409}
    assert 200 in [*statuses, last.status_code]
    assert PaymentCollection.objects.get().status == "completed"
    assert Capture.objects.get().payment.payment_session == PaymentSession.objects.get()
    # One whose session was replaced while it was authorized is given back.
    assert Payment.objects.filter(canceled_at__isnull=True).count() == 1
