"""Whose payment a session is: the shop's customer, and their account holder at the provider."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from medusa_payments.operations.account_holders import create_account_holder
from medusa_payments.operations.actors import Actor
from medusa_payments.operations.customers import details_of


def context_with_customer(
    context: dict[str, Any] | None,
    customer: Mapping[str, Any] | None,
    *,
    provider_id: str,
    actor: Actor,
) -> dict[str, Any] | None:
    """The session's context as Medusa has it: ``{customer, account_holder}``.

    The holder is found or made first, while nothing has been charged; it stays if the payment then
    fails.

    :raises AccountHolderIndeterminate, AccountHolderRefused, PaymentProviderUnavailable: see
        ``create_account_holder``; no payment was started.
    """
    if customer is None:
        return context
    told = {**(context or {}), "customer": details_of(customer)}
    holder = create_account_holder(provider_id=provider_id, customer=customer, actor=actor)
    if holder is None:
        return told
    return told | {
        "account_holder": {
            "id": holder.pk,
            "provider_id": holder.provider_id,
            "external_id": holder.external_id,
            "email": holder.email,
        }
    }


def customer_at_provider(context: Mapping[str, Any] | None) -> dict[str, Any]:
    """What an initiate names the customer by: ``{"customer": {"id": ...}}``, or nothing."""
    holder = (context or {}).get("account_holder")
    reference = holder.get("external_id") if isinstance(holder, Mapping) else None
    return {"customer": {"id": reference}} if isinstance(reference, str) and reference else {}
