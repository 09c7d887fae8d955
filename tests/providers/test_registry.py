from __future__ import annotations

from typing import Any

import pytest
from django.test import override_settings

from medusa_payments.errors import ConfigurationError, UnknownProvider
from medusa_payments.providers import registry
from medusa_payments.providers.stripe import StripeProvider
from medusa_payments.providers.system import SystemProvider

SYSTEM = {"BACKEND": "medusa_payments.providers.system.SystemProvider"}
STRIPE = {
    "BACKEND": "medusa_payments.providers.stripe.StripeProvider",
    "OPTIONS": {"API_KEY": "sk_test_of_the_registry"},
}


def with_providers(**set_ups: Any) -> Any:
    return override_settings(MEDUSA_PAYMENTS={"PROVIDERS": set_ups})


@pytest.mark.parametrize("provider_id", ["pp_system_default", "system_default"])
def test_a_provider_is_found_with_or_without_prefix(provider_id: str) -> None:
    with with_providers(pp_system_default=SYSTEM):
        provider = registry.get_provider(provider_id)

    assert isinstance(provider, SystemProvider)
    assert provider.id == "pp_system_default"


def test_a_provider_is_built_once() -> None:
    with with_providers(pp_system_default=SYSTEM):
        first = registry.get_provider("pp_system_default")

        assert registry.get_provider("system_default") is first


def test_a_provider_has_its_options() -> None:
    with with_providers(pp_stripe_stripe=STRIPE):
        provider = registry.get_provider("pp_stripe_stripe")

    assert isinstance(provider, StripeProvider)
    assert provider.options == STRIPE["OPTIONS"]


@pytest.mark.parametrize("provider_id", ["pp_nobody_default", "pp_", "", "pp_pp_system_default"])
def test_what_is_not_set_up_is_unknown(provider_id: str) -> None:
    with with_providers(pp_system_default=SYSTEM), pytest.raises(UnknownProvider):
        registry.get_provider(provider_id)


def test_other_settings_make_other_providers() -> None:
    with with_providers(pp_system_default=SYSTEM):
        first = registry.get_provider("pp_system_default")
    with with_providers(pp_system_default=SYSTEM):
        second = registry.get_provider("pp_system_default")
    with with_providers(pp_stripe_stripe=STRIPE), pytest.raises(UnknownProvider):
        registry.get_provider("pp_system_default")

    assert first is not second


def test_ids_come_in_the_order_of_the_settings_and_with_prefix() -> None:
    with with_providers(stripe_stripe=STRIPE, pp_system_default=SYSTEM):
        assert registry.provider_ids() == ("pp_stripe_stripe", "pp_system_default")
        assert isinstance(registry.get_provider("stripe_stripe"), StripeProvider)


def test_good_settings_have_no_errors() -> None:
    with with_providers(pp_system_default=SYSTEM, pp_stripe_stripe=STRIPE):
        assert registry.configuration_errors() == []


@pytest.mark.parametrize(
    ("set_up", "words"),
    [
        ({}, "BACKEND"),
        (None, "BACKEND"),
        ({"BACKEND": 3}, "BACKEND"),
        ({"BACKEND": "no.such.module"}, "cannot import"),
        ({"BACKEND": "medusa_payments.providers.system.Nobody"}, "cannot import"),
        ({"BACKEND": "medusa_payments.money.to_minor"}, "no PaymentProvider"),
        ({"BACKEND": STRIPE["BACKEND"]}, "API_KEY"),
        ({"BACKEND": STRIPE["BACKEND"], "OPTIONS": {"API_KEY": "pk_test_1"}}, "API_KEY"),
        ({"BACKEND": STRIPE["BACKEND"], "OPTIONS": None}, "OPTIONS"),
    ],
)
def test_wrong_settings_are_told(set_up: Any, words: str) -> None:
    with with_providers(pp_wrong_default=set_up, pp_system_default=SYSTEM):
        (told,) = registry.configuration_errors()

        assert words in told
        assert "pp_wrong_default" in told
        with pytest.raises(ConfigurationError):
            registry.get_provider("pp_wrong_default")


def test_providers_that_are_no_dictionary_are_told() -> None:
    with override_settings(MEDUSA_PAYMENTS={"PROVIDERS": ["pp_system_default"]}):
        assert len(registry.configuration_errors()) == 1
