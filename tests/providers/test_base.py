from __future__ import annotations

from datetime import UTC, datetime

import pytest

from medusa_payments.errors import NotAllowed
from medusa_payments.providers.system import SystemProvider
from medusa_payments.providers.types import (
    InitiateRequest,
    PaymentMethodRequest,
    ProviderPayment,
    Succeeded,
    VerifiedWebhook,
)
from medusa_payments.statuses import ProviderState


@pytest.fixture
def provider() -> SystemProvider:
    return SystemProvider("pp_system_default", {})


def test_an_optional_method_is_supported_where_it_is_overridden(provider: SystemProvider) -> None:
    assert provider.supports("update_payment")
    assert not provider.supports("save_payment_method")


def test_an_optional_method_that_is_lacking_refuses(provider: SystemProvider) -> None:
    request = PaymentMethodRequest(idempotency_key="k", account_holder="customer_1")

    with pytest.raises(NotAllowed, match="pp_system_default"):
        provider.save_payment_method(request)


def test_no_repr_shows_what_may_be_secret() -> None:
    secret = {"client_secret": "pi_1_secret_2", "email": "pi_1_secret_2"}
    now = datetime.now(UTC)
    payment = ProviderPayment(
        reference="pi_1",
        state=ProviderState.PAYABLE,
        amount_minor=1,
        currency_code="eur",
        observed_at=now,
        data=secret,
    )
    things = [
        payment,
        Succeeded(payment=payment, data=secret),
        VerifiedWebhook(event_id="e", event_type="t", payload=secret, occurred_at=now),
        InitiateRequest(
            idempotency_key="k",
            session_id="s",
            amount_minor=1,
            currency_code="eur",
            data=secret,
            customer=secret,
        ),
    ]

    assert "pi_1_secret_2" not in "".join(map(repr, things))
