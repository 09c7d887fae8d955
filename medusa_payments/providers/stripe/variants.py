"""Stripe with one payment method each, as in Medusa. They share an account and its events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from medusa_payments.providers.stripe.provider import StripeProvider


class _OneMethod(StripeProvider):
    method: ClassVar[str]

    def _initiate_defaults(self) -> Mapping[str, Any]:
        return {"capture_method": "automatic", "payment_method_types": [self.method]}


class StripeBancontactProvider(_OneMethod):
    identifier = "stripe-bancontact"
    method = "bancontact"


class StripeBlikProvider(_OneMethod):
    identifier = "stripe-blik"
    method = "blik"


class StripeGiropayProvider(_OneMethod):
    identifier = "stripe-giropay"
    method = "giropay"


class StripeIdealProvider(_OneMethod):
    identifier = "stripe-ideal"
    method = "ideal"


class StripePrzelewy24Provider(_OneMethod):
    identifier = "stripe-przelewy24"
    method = "p24"


class StripePromptpayProvider(_OneMethod):
    identifier = "stripe-promptpay"
    method = "promptpay"


class StripeOxxoProvider(_OneMethod):
    identifier = "stripe-oxxo"
    method = "oxxo"

    def _initiate_defaults(self) -> Mapping[str, Any]:
        expiry = {"oxxo": {"expires_after_days": self._options.oxxo_expires_days}}
        return {**super()._initiate_defaults(), "payment_method_options": expiry}
