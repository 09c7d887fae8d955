"""Asking a provider what became of a call. Changes nothing there, and nothing here."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from medusa_payments.models import PaymentSession, ProviderCall
from medusa_payments.operations.database import database_alias
from medusa_payments.operations.schedule import believable_from
from medusa_payments.operations.tracing import looking_up, traced
from medusa_payments.providers.registry import get_provider
from medusa_payments.providers.types import Found, LookupRequest, LookupResult, NoAnswer, NotFound
from medusa_payments.statuses import CallKind

logger = logging.getLogger("medusa_payments")

CLOCK_SKEW = timedelta(minutes=10)


def look_up(session: PaymentSession, *, call: ProviderCall | None = None) -> LookupResult:
    """Read the session's object, or find it in a listing when its reference is not known."""
    request = lookup_request(session, call)
    return read(session, lambda: get_provider(session.provider_id).lookup(request), call=call)


def read(
    session: PaymentSession,
    ask: Callable[[], LookupResult],
    *,
    call: ProviderCall | None = None,
) -> LookupResult:
    """Ask; whatever is no proper answer is none."""
    with traced(looking_up(session, call)) as request:
        result = _read(session, ask)
        request.ended(result)
    return result


def _read(session: PaymentSession, ask: Callable[[], LookupResult]) -> LookupResult:
    try:
        return _checked(ask())
    except Exception as error:  # noqa: BLE001 - whatever escapes a provider proves nothing
        logger.warning("Looking up session %s raised %s", session.pk, type(error).__name__)
        return NoAnswer(code="exception", detail=type(error).__name__)


def _checked(result: object) -> LookupResult:
    if isinstance(result, Found | NotFound | NoAnswer):
        return result
    return NoAnswer(code="no_result")


def lookup_request(session: PaymentSession, call: ProviderCall | None = None) -> LookupRequest:
    return LookupRequest(
        session_id=session.pk,
        reference=session.provider_reference,
        created_from=_from(session, call),
        created_to=_to(call),
        with_refunds=True,
        data=session.data,
        customer=call.arguments.get("customer", {}) if call else {},
        amount_minor=session.amount_minor,
        currency_code=session.currency_code,
        asked_from=call.first_sent_at if call else None,
        asked_to=call.last_sent_at if call else None,
        conclusive_from=_conclusive_from(call),
        fresh_after=_fresh_after(call),
    )


def lookup_requests(calls: Iterable[ProviderCall]) -> tuple[LookupRequest, ...]:
    """One request for each session that the calls are about, oldest first.

    When an object was made is told by its session's initiate, whatever else is asked about it.
    """
    of_session = {call.payment_session_id: call for call in calls}
    rows = ProviderCall.objects.using(database_alias()).select_related("payment_session")
    initiates = rows.filter(payment_session__in=list(of_session), kind=CallKind.INITIATE)
    return tuple(lookup_request(call.payment_session, call) for call in initiates.order_by("pk"))


def _from(session: PaymentSession, call: ProviderCall | None) -> datetime:
    sent_at = call.first_sent_at if call else None
    return (sent_at or session.created_at) - CLOCK_SKEW


def _to(call: ProviderCall | None) -> datetime | None:
    """A request that was stuck on its way may have arrived until the horizon."""
    if call is None or call.last_sent_at is None:
        return None
    return believable_from(call.last_sent_at) + CLOCK_SKEW


def _conclusive_from(call: ProviderCall | None) -> datetime | None:
    if call is None or call.last_sent_at is None:
        return None
    return believable_from(call.last_sent_at)


def _fresh_after(call: ProviderCall | None) -> datetime | None:
    """What was read before the look was due may be older than what made it due."""
    if call is None or call.next_attempt_at is None:
        return None
    return call.next_attempt_at + CLOCK_SKEW
