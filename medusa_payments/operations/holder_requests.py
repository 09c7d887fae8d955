"""A call about an account holder as the requests that its provider understands.

Built from what the call's row holds, so that a retry, in whatever process, sends what was sent.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from medusa_payments import settings
from medusa_payments.models import AccountHolderCall
from medusa_payments.operations.lookups import CLOCK_SKEW
from medusa_payments.providers.base import PaymentProvider
from medusa_payments.providers.types import (
    AccountHolderLookup,
    AccountHolderRequest,
    KeptLookupResult,
    Outcome,
    PaymentMethodLookup,
    PaymentMethodRequest,
)
from medusa_payments.statuses import AccountHolderCallKind

_OF_HOLDERS: dict[str, str] = {
    AccountHolderCallKind.CREATE: "create_account_holder",
    AccountHolderCallKind.UPDATE: "update_account_holder",
    AccountHolderCallKind.DELETE: "delete_account_holder",
}
_OF_METHODS: dict[str, str] = {
    AccountHolderCallKind.SAVE_PAYMENT_METHOD: "save_payment_method",
    AccountHolderCallKind.DELETE_PAYMENT_METHOD: "delete_payment_method",
}


def send(call: AccountHolderCall, provider: PaymentProvider) -> Outcome:
    """Make one attempt."""
    if call.kind in _OF_METHODS:
        method: Callable[[PaymentMethodRequest], Outcome] = getattr(
            provider, _OF_METHODS[call.kind]
        )
        return method(_method_request(call))
    ask: Callable[[AccountHolderRequest], Outcome] = getattr(provider, _OF_HOLDERS[call.kind])
    return ask(_holder_request(call))


def look_up(call: AccountHolderCall, provider: PaymentProvider) -> KeptLookupResult:
    """Ask what became of the call. Changes nothing at the provider."""
    if call.kind in _OF_METHODS:
        return provider.lookup_payment_method(
            PaymentMethodLookup(
                account_holder=call.account_holder.external_id,
                call_id=call.pk,
                reference=call.arguments.get("reference", ""),
                created_from=_from(call),
                created_to=_to(call),
            )
        )
    return provider.lookup_account_holder(
        AccountHolderLookup(
            account_holder_id=call.account_holder_id,
            reference=_reference(call),
            customer=call.arguments.get("customer", {}),
            created_from=_from(call),
            created_to=_to(call),
        )
    )


def _holder_request(call: AccountHolderCall) -> AccountHolderRequest:
    return AccountHolderRequest(
        idempotency_key=call.idempotency_key,
        account_holder_id=call.account_holder_id,
        reference=_reference(call),
        customer=call.arguments.get("customer", {}),
    )


def _method_request(call: AccountHolderCall) -> PaymentMethodRequest:
    return PaymentMethodRequest(
        idempotency_key=call.idempotency_key,
        account_holder=call.account_holder.external_id,
        account_holder_id=call.account_holder_id,
        call_id=call.pk,
        reference=call.arguments.get("reference", ""),
        data=call.arguments.get("data", {}),
    )


def _reference(call: AccountHolderCall) -> str:
    """A create is looked for by our id, whatever has become known meanwhile."""
    return "" if call.kind == AccountHolderCallKind.CREATE else call.account_holder.external_id


def _from(call: AccountHolderCall) -> datetime:
    """From the first generation on: an earlier request may have got through."""
    return call.created_at - CLOCK_SKEW


def _to(call: AccountHolderCall) -> datetime | None:
    """A request that was stuck on its way may have arrived until the horizon."""
    if call.last_sent_at is None:
        return None
    return call.last_sent_at + timedelta(seconds=float(settings.NOT_FOUND_HORIZON)) + CLOCK_SKEW
