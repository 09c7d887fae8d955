"""Account holders: making the shop's customers known at a provider, and keeping that up."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django.db import IntegrityError

from medusa_payments.errors import MedusaPaymentsError, NotAllowed, PaymentProviderUnavailable
from medusa_payments.models import AccountHolder, AccountHolderCall
from medusa_payments.operations.actors import SYSTEM, Actor
from medusa_payments.operations.calls import in_flight, lease_seconds
from medusa_payments.operations.customers import details_of
from medusa_payments.operations.database import database_alias, refuse_open_transaction
from medusa_payments.operations.enabled_providers import get_enabled_provider
from medusa_payments.operations.holder_acts import act_upon, result_of
from medusa_payments.operations.holder_locking import (
    LockedHolder,
    under_holder_lock,
    under_new_holder,
)
from medusa_payments.operations.holder_performing import advance, perform
from medusa_payments.providers.base import PaymentProvider
from medusa_payments.providers.registry import get_provider
from medusa_payments.providers.types import Json
from medusa_payments.statuses import AccountHolderCallKind, AccountHolderState

logger = logging.getLogger("medusa_payments")

Answer = TypeVar("Answer")


def create_account_holder(
    *, provider_id: str, customer: Mapping[str, Any], actor: Actor = SYSTEM
) -> AccountHolder | None:
    """The customer's account holder at a provider, made there if there is none yet.

    The row and its call are committed before the provider is asked, so that two requests at once
    make one holder, and a crash or a lost answer leaves rows for reconciliation to finish. None:
    the provider keeps no account holders.

    :raises AccountHolderIndeterminate: the answer was lost; the next try finds out.
    :raises AccountHolderRefused: the provider refused the details; nothing was made.
    :raises PaymentProviderUnavailable: it was not reached; nothing was made.
    :raises Conflict: another request is still making it.
    :raises InvalidData: unknown provider, or details that are not usable.
    """
    refuse_open_transaction()
    provider = get_enabled_provider(provider_id)
    details = details_of(customer)
    if not provider.supports("create_account_holder"):
        _log_skipped(provider, "create")
        return None
    holder = _live_holder(provider.id, details["id"]) or _make(provider, details, actor=actor)
    if holder.state != AccountHolderState.ACTIVE:
        act_upon(holder, AccountHolderCallKind.CREATE, {"customer": details}, actor=actor)
        holder = _reload(holder)
    return holder if holder.deleted is None else None


def update_account_holder(
    holder: AccountHolder, *, customer: Mapping[str, Any], actor: Actor = SYSTEM
) -> AccountHolder:
    """Write the customer's present details over the provider's.

    :raises AccountHolderIndeterminate: whether they were written is not known yet.
    :raises AccountHolderRefused: the provider refused them; it has the details that it had.
    :raises PaymentProviderUnavailable: it was not reached.
    :raises NotAllowed: the holder is deleted, or the provider does not know it.
    """
    details = details_of({**customer, "id": holder.customer_reference})
    if not get_provider(holder.provider_id).supports("update_account_holder"):
        _log_skipped(get_provider(holder.provider_id), "update")
        return holder
    act_upon(holder, AccountHolderCallKind.UPDATE, {"customer": details}, actor=actor)
    return _reload(holder)


def delete_account_holder(holder: AccountHolder, *, actor: Actor = SYSTEM) -> AccountHolder:
    """Soft-delete a holder and make the provider forget it. A second time finishes the first.

    The row is hidden at once, and the customer may get a new holder; reconciliation goes on until
    the provider has forgotten the old one, also when its id becomes known only later.

    :raises AccountHolderIndeterminate: hidden; whether the provider has forgotten it is not known.
    :raises AccountHolderRefused: hidden; the provider refuses to forget it, which is shown as an
        open discrepancy.
    """
    refuse_open_transaction()
    call, is_new = under_holder_lock(holder.pk, _prepare_deletion, actor=actor)
    if call is not None and is_new:
        result_of(call, perform(call, actor=actor))
    elif call is not None:
        _finish_earlier(call, actor=actor)
    return _reload(holder)


def _finish_earlier(call: AccountHolderCall, *, actor: Actor) -> None:
    """The deletion waits for an earlier call, and follows it; how that ended is nobody's answer."""
    advance(call, actor=actor)
    rows = AccountHolderCall.objects.using(database_alias())
    deletion = rows.filter(account_holder=call.account_holder_id).latest("pk")
    if deletion.kind == AccountHolderCallKind.DELETE or deletion.is_unresolved:
        result_of(deletion, {})


def retrieve_account_holder(holder: AccountHolder) -> Json | None:
    """What the provider keeps about the holder now; None: nothing.

    :raises PaymentProviderUnavailable: it could not be read.
    :raises NotAllowed: the provider keeps no account holders.
    """
    provider = get_provider(holder.provider_id)
    if not holder.external_id:
        return None
    return read(provider, lambda: provider.retrieve_account_holder(holder.external_id))


def read(provider: PaymentProvider, ask: Callable[[], Answer]) -> Answer:
    """Read something that changes nothing; what goes wrong is told without the provider's text."""
    try:
        return ask()
    except MedusaPaymentsError:
        raise
    except Exception as error:
        logger.warning("Reading from %s raised %s", provider.id, type(error).__name__)
        raise PaymentProviderUnavailable(
            "The payment provider cannot be read. Nothing was changed; please try again."
        ) from error


def reference_of(holder: AccountHolder) -> str:
    """The provider's id of a holder.

    :raises NotAllowed: it is deleted, or the provider does not know it.
    """
    if holder.state != AccountHolderState.ACTIVE:
        raise NotAllowed(f"Account holder {holder.pk} is {holder.state}.")
    return str(holder.external_id)


def _make(provider: PaymentProvider, details: dict[str, Any], *, actor: Actor) -> AccountHolder:
    """Write the row and its call, and ask; or return the row that somebody else has just made."""
    holder = AccountHolder(
        provider_id=provider.id,
        customer_reference=details["id"],
        live_customer_reference=details["id"],
        email=details.get("email"),
    )

    def work(locked: LockedHolder) -> AccountHolderCall:
        return locked.write_call(
            AccountHolderCallKind.CREATE,
            arguments={"customer": details},
            leased_for=lease_seconds(provider),
        )

    try:
        call = under_new_holder(holder, work, actor=actor)
    except IntegrityError:
        other = _live_holder(provider.id, details["id"])
        if other is None:
            raise
        return other
    result_of(call, perform(call, actor=actor))
    return _reload(holder)


def _prepare_deletion(locked: LockedHolder) -> tuple[AccountHolderCall | None, bool]:
    holder = locked.holder
    if holder.state == AccountHolderState.DELETED:
        return None, False
    locked.change(
        holder,
        "holder.deleting",
        state=AccountHolderState.DELETING,
        deleted=holder.deleted or locked.now,
        live_customer_reference=None,
        live_external_id=None,
    )
    if unresolved := locked.unresolved_calls():
        first = unresolved[0]
        return (None if in_flight(first, now=locked.now) else first), False
    provider = get_provider(holder.provider_id)
    if holder.external_id and provider.supports("delete_account_holder"):
        lease = lease_seconds(provider)
        return locked.write_call(AccountHolderCallKind.DELETE, arguments={}, leased_for=lease), True
    if holder.external_id:
        _log_skipped(provider, "delete")
    locked.change(holder, "holder.deleted", state=AccountHolderState.DELETED)
    return None, False


def _log_skipped(provider: PaymentProvider, what: str) -> None:
    logger.info("Provider %s cannot %s account holders; skipped", provider.id, what)


def _live_holder(provider_id: str, customer_reference: str) -> AccountHolder | None:
    rows = AccountHolder.objects.using(database_alias())
    found: AccountHolder | None = rows.filter(
        provider_id=provider_id, live_customer_reference=customer_reference
    ).first()
    return found


def _reload(holder: AccountHolder) -> AccountHolder:
    rows = AccountHolder.all_objects.using(database_alias())
    reloaded: AccountHolder = rows.get(pk=holder.pk)
    return reloaded
