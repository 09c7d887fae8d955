"""Payment methods that a provider keeps for an account holder. None is stored here."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from medusa_payments.errors import NotAllowed, NotFound, PaymentProviderUnavailable
from medusa_payments.models import AccountHolder, AccountHolderCall
from medusa_payments.operations.account_holders import read, reference_of
from medusa_payments.operations.actors import SYSTEM, Actor
from medusa_payments.operations.database import database_alias
from medusa_payments.operations.holder_acts import act_upon
from medusa_payments.providers.base import PaymentProvider
from medusa_payments.providers.registry import get_provider
from medusa_payments.providers.types import Json, NoAnswer, PaymentMethodLookup
from medusa_payments.providers.types import NotFound as NotFoundThere
from medusa_payments.statuses import UNRESOLVED_CALLS, AccountHolderCallKind

logger = logging.getLogger("medusa_payments")


def list_payment_methods(holder: AccountHolder) -> list[dict[str, Any]]:
    """What is saved for the holder: ``[{id, data, provider_id}]``.

    :raises PaymentProviderUnavailable: the provider could not be read.
    :raises NotAllowed: the holder is deleted, or the provider does not know it.
    """
    provider = get_provider(holder.provider_id)
    if not provider.supports("list_payment_methods"):
        logger.info("Provider %s cannot list payment methods; skipped", provider.id)
        return []
    reference = reference_of(holder)
    return [_shown(holder, each) for each in read(provider, lambda: _listed(holder, reference))]


def save_payment_method(
    holder: AccountHolder, *, data: Mapping[str, Any] | None = None, actor: Actor = SYSTEM
) -> dict[str, Any]:
    """Begin to save a payment method: ``{id, data, provider_id}``.

    ``data`` is what the buyer's browser finishes it with, at Stripe a SetupIntent with its
    ``client_secret``. It is handed on and never stored: asking again after a lost answer takes the
    same call up and tells it again.

    :raises AccountHolderIndeterminate: the answer was lost. Asking again finds out.
    :raises AccountHolderRefused: the provider said no.
    :raises PaymentProviderUnavailable: it was not reached.
    :raises InvalidData: data that the provider does not take, or that holds card data.
    :raises NotAllowed: the provider saves no payment methods, or does not know the holder.
    """
    given = dict(data or {})
    _provider_that_can(holder, "save_payment_method").check_payment_method_data(given)
    kind = AccountHolderCallKind.SAVE_PAYMENT_METHOD
    return _shown(holder, act_upon(holder, kind, {"data": given}, actor=actor))


def save_payment_methods(
    holder: AccountHolder, items: Iterable[Mapping[str, Any]], *, actor: Actor = SYSTEM
) -> list[dict[str, Any]]:
    """Save one after the other (Medusa's createPaymentMethods); the first failure ends it."""
    return [save_payment_method(holder, data=each, actor=actor) for each in items]


def delete_payment_method(
    holder: AccountHolder, payment_method_id: str, *, actor: Actor = SYSTEM
) -> None:
    """Make the provider forget a saved payment method.

    :raises AccountHolderIndeterminate: whether it is forgotten is not known yet.
    :raises AccountHolderRefused: the provider said no.
    :raises NotFound: it is not saved for this holder.
    :raises PaymentProviderUnavailable: it was not reached.
    :raises NotAllowed: the provider saves no payment methods, or does not know the holder.
    """
    _provider_that_can(holder, "delete_payment_method")
    _refuse_unless_saved_for(holder, payment_method_id)
    kind = AccountHolderCallKind.DELETE_PAYMENT_METHOD
    act_upon(holder, kind, {"reference": payment_method_id}, actor=actor)


def _provider_that_can(holder: AccountHolder, method: str) -> PaymentProvider:
    provider = get_provider(holder.provider_id)
    if not provider.supports(method):
        raise NotAllowed(f"Payment provider {provider.id} does not save payment methods.")
    return provider


def _refuse_unless_saved_for(holder: AccountHolder, payment_method_id: str) -> None:
    """A provider may forget whatever it is told to, so what is another's must not be named."""
    provider = get_provider(holder.provider_id)
    request = PaymentMethodLookup(
        account_holder=reference_of(holder), call_id="", reference=payment_method_id
    )
    found = read(provider, lambda: provider.lookup_payment_method(request))
    if isinstance(found, NotFoundThere) and not _is_being_forgotten(holder, payment_method_id):
        raise NotFound(f"Payment method id not found: {payment_method_id}")
    if isinstance(found, NoAnswer) and found.code != "not_supported":
        raise PaymentProviderUnavailable


def _is_being_forgotten(holder: AccountHolder, payment_method_id: str) -> bool:
    """Whether an earlier call to forget it, which may have happened, is not resolved."""
    rows = AccountHolderCall.objects.using(database_alias()).filter(
        account_holder=holder,
        kind=AccountHolderCallKind.DELETE_PAYMENT_METHOD,
        state__in=UNRESOLVED_CALLS,
    )
    return any(call.arguments["reference"] == payment_method_id for call in rows)


def _listed(holder: AccountHolder, reference: str) -> list[Json]:
    return get_provider(holder.provider_id).list_payment_methods(reference)


def _shown(holder: AccountHolder, method: Json) -> dict[str, Any]:
    return {"id": method.get("id", ""), "data": dict(method), "provider_id": holder.provider_id}
