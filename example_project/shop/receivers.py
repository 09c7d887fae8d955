"""What the shop does when the payments library tells it something.

Each signal comes at least once, after the commit, in no promised order; so each receiver reads
how things stand now, and is safe to call twice.
"""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from example_project.shop.orders import follow_payments
from medusa_payments.models import Payment, PaymentCollection
from medusa_payments.signals import payment_authorized, payment_canceled, payment_captured


@receiver([payment_authorized, payment_captured, payment_canceled], dispatch_uid="shop.payments")
def on_payment(sender: type[Payment], payment: Payment, **kwargs: Any) -> None:
    follow_payments(PaymentCollection.objects.get(pk=payment.payment_collection_id))
