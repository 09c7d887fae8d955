"""Stripe: the only package that imports ``stripe``."""

from medusa_payments.providers.stripe.provider import StripeProvider

__all__ = ["StripeProvider"]
