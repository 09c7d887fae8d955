"""Writing provider calls down before they are asked, and taking their lease."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce

from medusa_payments import settings
from medusa_payments.models import Capture, Payment, PaymentSession, ProviderCall, Refund
from medusa_payments.models.recorded_call import RecordedCall
from medusa_payments.operations.database import DatabaseNow, database_alias, patiently
from medusa_payments.operations.locking import LockedCollection
from medusa_payments.providers.base import PaymentProvider
from medusa_payments.providers.types import Failed, Outcome
from medusa_payments.redaction import redact
from medusa_payments.statuses import UNRESOLVED_CALLS, CallKind, CallState

# Beside the provider's own budget: time for our transactions around it.
_LEASE_MARGIN_SECONDS = 10.0
_MOMENT_SECONDS = 1.0


def lease_seconds(provider: PaymentProvider) -> float:
    """How long a call may stay open before anyone may finish it; outlasts the longest call."""
    configured = float(settings.LEASE_SECONDS)
    if configured:
        return configured
    limits = provider.capabilities
    return limits.total_budget_seconds + limits.attempt_seconds + _LEASE_MARGIN_SECONDS


def write_call(
    locked: LockedCollection,
    kind: CallKind,
    session: PaymentSession,
    *,
    arguments: dict[str, Any],
    about: Payment | Capture | Refund | None = None,
    is_undoing: bool = False,
    leased_for: float = 0.0,
    call_id: str = "",
) -> ProviderCall:
    """Write a call that will be asked after the commit (law 1).

    ``about``: the capture or refund that it asks for, or the payment that it cancels.
    ``leased_for`` seconds it belongs to the caller, who asks at once; without, it is anybody's.
    """
    call: ProviderCall = locked.add(
        ProviderCall(
            id=call_id,
            kind=kind,
            payment_collection=locked.collection,
            payment_session=session,
            payment=about if about is None or isinstance(about, Payment) else about.payment,
            capture=about if isinstance(about, Capture) else None,
            refund=about if isinstance(about, Refund) else None,
            provider_id=session.provider_id,
            is_undoing=is_undoing,
            **intent(arguments, now=locked.now, leased_for=leased_for),
        ),
        f"call.{kind}",
    )
    call.written_at = time.monotonic()
    return call


def intent(arguments: dict[str, Any], *, now: datetime, leased_for: float = 0.0) -> dict[str, Any]:
    """The columns of a call that will be asked after the commit, whatever it is about."""
    mine = bool(leased_for)
    until = now + timedelta(seconds=leased_for) if mine else None
    return {
        "arguments": redact(arguments),
        "arguments_digest": digest(arguments),
        "lease_token": 1 if mine else 0,
        "leased_at": now if mine else None,
        "leased_until": until,
        "first_sent_at": now if mine else None,
        "last_sent_at": now if mine else None,
        "next_attempt_at": until or now,
    }


def digest(arguments: dict[str, Any]) -> str:
    text = json.dumps(arguments, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def answered(call: RecordedCall, outcome: Outcome) -> dict[str, Any]:
    """The columns of a call that any answer to it writes. ``call`` is as it was asked."""
    is_failed = isinstance(outcome, Failed)
    return {
        "attempts": call.attempts,
        "leased_until": None,
        "request_id": outcome.request_id[:255] or call.request_id,
        "failure_kind": outcome.kind.value if isinstance(outcome, Failed) else "",
        "failure_code": outcome.code[:100] if is_failed else "",
        "key_is_spent": outcome.key_is_spent,
    }


def is_free(*, whatever_the_lease_said: bool = False) -> Q:
    """Calls whose lease is over, or was never taken.

    ``whatever_the_lease_said``: also those older than this process's LEASE_SECONDS, whatever the
    process that took them had thought enough. The fencing token makes that safe.
    """
    now = DatabaseNow()
    free = Q(leased_until__isnull=True) | Q(leased_until__lt=now)
    configured = float(settings.LEASE_SECONDS)
    if whatever_the_lease_said and configured:
        free |= Q(leased_at__lt=now - timedelta(seconds=configured))
    return free


def claim(
    call: RecordedCall, *, lease: float, will_send: bool, whatever_the_lease_said: bool = False
) -> bool:
    """Take the lease of a call by compare-and-set. False: somebody else works on it.

    The send that follows is recorded in the same statement, so that the horizon counts from it.
    """
    now = DatabaseNow()
    values: dict[str, Any] = {
        "lease_token": F("lease_token") + 1,
        "leased_at": now,
        "leased_until": now + timedelta(seconds=lease),
        "leased_by": "",
    }
    if will_send:
        values["last_sent_at"] = now
        values["first_sent_at"] = Coalesce(F("first_sent_at"), now)
    free = is_free(whatever_the_lease_said=whatever_the_lease_said)
    mine = _leased_row(call).filter(free)
    if not patiently(lambda: mine.update(**values)):
        return False
    call.lease_token += 1
    return True


def claim_many(
    ids: Sequence[str],
    *,
    still: Q,
    owner: str,
    lease: float,
    whatever_the_lease_said: bool = False,
    makes_due: bool = False,
) -> list[ProviderCall]:
    """Take the leases of those calls that are free, by one compare-and-set; see ``claim``.

    ``still`` must hold of them at that moment. ``owner`` names this taking and no other, because
    it tells afterwards which leases were taken. With their sessions. ``makes_due``: they waited for
    this caller (``locking.looks_wait``).
    """
    now = DatabaseNow()
    values: dict[str, Any] = {
        "lease_token": F("lease_token") + 1,
        "leased_at": now,
        "leased_until": now + timedelta(seconds=lease),
        "leased_by": owner,
    }
    if makes_due:
        values["next_attempt_at"] = now
    rows = ProviderCall.objects.using(database_alias()).filter(pk__in=ids)
    free = rows.filter(is_free(whatever_the_lease_said=whatever_the_lease_said) & still)
    if not patiently(lambda: free.update(**values)):
        return []
    mine = rows.filter(leased_by=owner).select_related("payment_session")
    return list(mine.order_by("next_attempt_at", "pk"))


def release(ids: Sequence[str], *, owner: str, until: datetime | None = None) -> None:
    """Give leases back without having worked on the calls: nothing was learned, no look is spent.

    ``until``: they are not due before then.
    """
    rows = ProviderCall.objects.using(database_alias())
    mine = rows.filter(pk__in=ids, leased_by=owner)
    if until is not None:
        due = mine.filter(next_attempt_at__isnull=False)
        patiently(lambda: due.update(next_attempt_at=until))
    patiently(lambda: mine.update(leased_until=None, leased_by=""))


def renew(call: RecordedCall, *, lease: float) -> bool:
    """Right before the first attempt: time may have passed since the call was written.

    False when the lease was lost meanwhile; then nothing may be sent. A call that this process
    wrote a moment ago is as it was written.
    """
    if time.monotonic() < call.written_at + min(_MOMENT_SECONDS, lease / 4):
        return True
    now = DatabaseNow()
    mine = _leased_row(call).filter(state__in=UNRESOLVED_CALLS)
    until = now + timedelta(seconds=lease)
    renewed = {"last_sent_at": now, "leased_at": now, "leased_until": until}
    return bool(patiently(lambda: mine.update(**renewed)))


def record_attempt(call: RecordedCall, attempts: list[dict[str, Any]]) -> bool:
    """Before a call is sent again: what was answered, and that it is sent now.

    False when the lease was lost; then nothing may be sent.
    """
    mine = _leased_row(call)
    return bool(patiently(lambda: mine.update(attempts=attempts, last_sent_at=DatabaseNow())))


def _leased_row(call: RecordedCall) -> QuerySet[RecordedCall]:
    """The call's row, unless somebody took the lease over."""
    rows = type(call)._default_manager.using(database_alias())
    return rows.filter(pk=call.pk, lease_token=call.lease_token)


def in_flight(call: RecordedCall, *, now: datetime) -> bool:
    """Whether the process that wrote the call is asking right now, as far as its lease says.

    Once the answer was lost, or somebody else took the lease over, whoever holds it only finds out
    what became of the call.
    """
    is_first = call.state == CallState.OPEN and call.lease_token <= 1
    return is_first and call.leased_until is not None and call.leased_until > now
