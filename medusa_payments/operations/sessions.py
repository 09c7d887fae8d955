"""Payment sessions: one try at one provider. Creating, replacing and deleting them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError

from medusa_payments.errors import (
    Conflict,
    InitiateRefused,
    InvalidData,
    NotAllowed,
    NotFound,
    PaymentDeclined,
    PaymentIndeterminate,
    PaymentProviderUnavailable,
)
from medusa_payments.ids import id_beside
from medusa_payments.models import PaymentCollection, PaymentSession, ProviderCall
from medusa_payments.operations.actors import SYSTEM, Actor
from medusa_payments.operations.calls import in_flight, lease_seconds, write_call
from medusa_payments.operations.database import refuse_open_transaction
from medusa_payments.operations.enabled_providers import get_enabled_provider
from medusa_payments.operations.locking import LockedCollection, under_lock
from medusa_payments.operations.performing import perform
from medusa_payments.operations.recording import Recorded
from medusa_payments.operations.same_session import session_of_same_act
from medusa_payments.operations.session_closing import (
    close_session,
    follow,
    reload_session,
    see_before_closing,
)
from medusa_payments.operations.session_customers import (
    context_with_customer,
    customer_at_provider,
)
from medusa_payments.operations.session_updates import (
    is_same_but_for_amount,
    is_updatable,
    perform_update,
    refuse_unresolved_update,
    resolve_update,
    write_update,
)
from medusa_payments.operations.update_records import unresolved_update
from medusa_payments.providers.base import PaymentProvider
from medusa_payments.providers.registry import get_provider
from medusa_payments.providers.types import NOT_REACHED, FailureKind
from medusa_payments.redaction import redact
from medusa_payments.statuses import (
    CallKind,
    CollectionStatus,
    DeletedReason,
    ProviderState,
    SessionStatus,
)

_COVERED = (CollectionStatus.AUTHORIZED, CollectionStatus.COMPLETED)
_MAX_LOOKS = 3
_NOT_REPLACEABLE = (ProviderState.HELD, ProviderState.CAPTURED, ProviderState.PROCESSING)


@dataclass(frozen=True)
class _Prepared:
    call: ProviderCall
    closed: Recorded  # what closing the earlier session asks for


def create_payment_session(
    collection: PaymentCollection,
    *,
    provider_id: str,
    data: dict[str, Any] | None = None,
    context: dict[str, Any] | None = None,
    customer: Mapping[str, Any] | None = None,
    is_trusted: bool = True,
    session_id: str = "",
    actor: Actor = SYSTEM,
) -> PaymentSession:
    """Start a payment at a provider, in place of the collection's earlier session.

    Where only the amount is another one, and the provider can change what an unpaid payment asks
    for, the earlier session is updated instead and returned.

    ``customer``: the shop's, ``{"id", "email", ...}``; their account holder at the provider is
    found or made first, so that methods saved for them can be used.
    ``is_trusted``: the data comes from the shop's own server, not from a browser.
    ``session_id``: for the session, made with ``ids.new_id``; one id never starts a second one.

    :raises PaymentIndeterminate: the answer was lost; the session was set aside, and whatever it
        may have taken is given back. The buyer may start again at once. Or the answer to an update
        was: the session stays, and is not handed out until it is known what it asks for.
    :raises PaymentDeclined: the customer's bank said no; nothing was taken.
    :raises PaymentProviderUnavailable: nothing exists at the provider; or the earlier session
        could not be read there, and nothing was changed.
    :raises InitiateRefused, UpdateRefused: the provider refused the arguments.
    :raises NotAllowed: the collection is paid, or its session authorized or processing.
    :raises Conflict: another request replaced this session meanwhile, or is taking money now.
    :raises InvalidData: unknown provider, data or amount that the provider does not take.
    :raises RequestKeySpent: the session of this id is over.
    :raises AccountHolderIndeterminate, AccountHolderRefused: the customer's account holder could
        not be made; no payment was started.
    """
    refuse_open_transaction()
    if session_id and (same := session_of_same_act(session_id, actor=actor)):
        return same
    provider = get_enabled_provider(provider_id)
    given = dict(data or {})
    _check_data(provider, given, is_trusted=is_trusted)
    provider.check_amount(collection.amount_minor, collection.currency_code)
    provider.check_data(given)
    context = context_with_customer(context, customer, provider_id=provider.id, actor=actor)
    prepared = _prepare_in_place_of(
        collection, provider, given, context, session_id=session_id, actor=actor
    )
    if prepared.call.kind == CallKind.UPDATE:
        return perform_update(prepared.call, actor=actor)
    follow(prepared.closed, actor=actor)
    if not perform(prepared.call, actor=actor, data=given):
        raise PaymentIndeterminate(
            session_id=prepared.call.payment_session_id, provider_id=provider.id
        )
    return _result(prepared.call, provider)


def _check_data(provider: PaymentProvider, data: dict[str, Any], *, is_trusted: bool) -> None:
    allowed = provider.trusted_data_keys if is_trusted else provider.store_data_keys
    if allowed is None:
        return
    refused = sorted(set(data) - set(allowed))
    if refused:
        raise InvalidData(
            f"Payment session data may not hold {_quoted(refused)} here; allowed:"
            f" {_quoted(sorted(allowed))}."
        )


def _quoted(names: Collection[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _prepare_in_place_of(
    collection: PaymentCollection,
    provider: PaymentProvider,
    data: dict[str, Any],
    context: dict[str, Any] | None,
    *,
    session_id: str,
    actor: Actor,
) -> _Prepared:
    """Look at the session that is there, then replace just that one; again if it changed."""
    seen: PaymentSession | None = None
    taken_up: ProviderCall | None = None
    for _ in range(_MAX_LOOKS):
        try:
            return _prepare(
                collection,
                provider,
                seen,
                data,
                context,
                taken_up,
                session_id=session_id,
                actor=actor,
            )
        except _NotSeenYet as found:
            seen = found.session
            taken_up = resolve_update(seen, actor=actor)
            see_before_closing(seen, actor=actor)
        except IntegrityError as error:
            if not session_id:
                raise
            raise Conflict from error  # the same request, taken up by another process meanwhile
    raise Conflict


class _NotSeenYet(Exception):
    """There is a live session, and what it holds at the provider was not looked at."""

    def __init__(self, session: PaymentSession) -> None:
        self.session = session
        super().__init__(session.pk)


def _prepare(
    collection: PaymentCollection,
    provider: PaymentProvider,
    seen: PaymentSession | None,
    data: dict[str, Any],
    context: dict[str, Any] | None,
    taken_up: ProviderCall | None,
    *,
    session_id: str,
    actor: Actor,
) -> _Prepared:
    def work(locked: LockedCollection) -> _Prepared:
        current = locked.collection
        if current.deleted is not None:
            raise NotFound(f"PaymentCollection id not found: {current.pk}")
        if current.canceled_at is not None:
            raise NotAllowed("The payment collection was canceled.")
        if current.status in _COVERED:
            raise NotAllowed("The payment collection is already covered by a payment.")
        live = locked.live_session()
        closed = Recorded()
        if live is not None:
            _refuse_unless_replaceable(locked, live, seen=seen)
            if is_same_but_for_amount(locked, live, provider, data, context):
                update = _update(locked, live, provider, taken_up=taken_up, act=session_id)
                if update is not None:
                    return _Prepared(update, closed)
            closed = close_session(locked, live, DeletedReason.REPLACED)
        session = _add_session(locked, provider, data, context, session_id=session_id)
        call = write_call(
            locked,
            CallKind.INITIATE,
            session,
            arguments={
                "amount_minor": session.amount_minor,
                "currency_code": session.currency_code,
                "data": data,
                **customer_at_provider(context),
            },
            leased_for=lease_seconds(provider),
        )
        return _Prepared(call, closed)

    return under_lock(collection.pk, work, actor=actor)


def _update(
    locked: LockedCollection,
    live: PaymentSession,
    provider: PaymentProvider,
    *,
    taken_up: ProviderCall | None,
    act: str,
) -> ProviderCall | None:
    """The update that makes the live session the one that is asked for; None: start another.

    It is known by the id that the request had for a session of its own, if it had one.
    """
    refuse_unresolved_update(locked, live)
    amount_minor = locked.collection.amount_minor
    if live.amount_minor != amount_minor and is_updatable(locked, live, provider):
        call_id = id_beside(ProviderCall.ID_PREFIX, act) if act else ""
        return write_update(locked, live, amount_minor, call_id=call_id)
    is_done = taken_up is not None and taken_up.arguments["amount_minor"] == live.amount_minor
    return taken_up if is_done and live.amount_minor == amount_minor else None


def _refuse_unless_replaceable(
    locked: LockedCollection, live: PaymentSession, *, seen: PaymentSession | None
) -> None:
    if live.provider_reference and (seen is None or seen.pk != live.pk):
        raise _NotSeenYet(live)
    if live.has_money or live.provider_state in _NOT_REPLACEABLE:
        raise NotAllowed(
            f"Payment session {live.pk} is {live.status} and cannot be replaced; cancel or refund"
            " its payment first."
        )
    is_taking = get_provider(live.provider_id).takes_money_at_once(live.data)
    if is_taking and in_flight(locked.initiate_of(live), now=locked.now):
        raise Conflict
    update = unresolved_update(locked, live)
    if update is not None and in_flight(update, now=locked.now):
        raise Conflict


def _add_session(
    locked: LockedCollection,
    provider: PaymentProvider,
    data: dict[str, Any],
    context: dict[str, Any] | None,
    *,
    session_id: str,
) -> PaymentSession:
    session: PaymentSession = locked.add(
        PaymentSession(
            id=session_id,
            payment_collection=locked.collection,
            live_collection_id=locked.collection.pk,
            provider_id=provider.id,
            currency_code=locked.collection.currency_code,
            amount_minor=locked.collection.amount_minor,
            data=redact(data),  # the provider is sent what was given; it is not kept
            context=context,
        ),
        "session.requested",
    )
    return session


def _result(call: ProviderCall, provider: PaymentProvider) -> PaymentSession:
    session = call.payment_session
    if session.is_live and session.status != SessionStatus.ERROR:
        return session
    if session.is_live:
        raise _failure(call, session)
    if session.indeterminate:
        raise PaymentIndeterminate(session_id=session.pk, provider_id=provider.id)
    raise Conflict(session_id=session.pk)


def _failure(call: ProviderCall, session: PaymentSession) -> Exception:
    kind = call.attempts[-1]["kind"]
    if kind == FailureKind.DECLINED.value:
        return PaymentDeclined(decline_code=session.failure_code, session_id=session.pk)
    if kind in NOT_REACHED:
        return PaymentProviderUnavailable(session_id=session.pk)
    return InitiateRefused(session_id=session.pk)


def delete_payment_session(session: PaymentSession, *, actor: Actor = SYSTEM) -> PaymentSession:
    """Soft-delete a session and close what it holds at the provider. A second time does nothing.

    :raises PaymentProviderUnavailable: the provider cannot be read; nothing was changed.
    :raises NotAllowed: its money was taken already; refund the payment instead.
    :raises Conflict: the payment is being started right now.
    """
    refuse_open_transaction()
    if session.deleted is not None:
        return session
    see_before_closing(session, actor=actor)

    def work(locked: LockedCollection) -> Recorded:
        current = locked.session(session.pk)
        if not current.is_live:
            return Recorded()
        _refuse_unless_deletable(locked, current)
        return close_session(locked, current, DeletedReason.DELETED)

    follow(under_lock(session.payment_collection_id, work, actor=actor), actor=actor)
    return reload_session(session.pk)


def _refuse_unless_deletable(locked: LockedCollection, session: PaymentSession) -> None:
    if session.captured_minor:
        raise NotAllowed(f"Payment session {session.pk} was captured; refund its payment instead.")
    initiate = locked.initiate_of(session)
    if in_flight(initiate, now=locked.now):
        raise Conflict
    if any(
        call.is_unresolved and call.kind == CallKind.CAPTURE for call in locked.calls_of(session)
    ):
        raise NotAllowed(
            f"A capture of payment session {session.pk} is not resolved yet; try again later."
        )
