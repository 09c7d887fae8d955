"""Requests that carry an Idempotency-Key: reserved before they run, answered once.

The reservation is an INSERT under a unique constraint. A request that died in between holds its
key until its lease is over; then the same request runs again, and the records that it made before
are recognised by their ids.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet

from medusa_payments import settings
from medusa_payments.errors import ConfigurationError, Conflict, RequestKeyReused
from medusa_payments.models import KeyedRequest
from medusa_payments.operations.actors import Actor
from medusa_payments.operations.calls import lease_seconds
from medusa_payments.operations.database import DatabaseNow, database_alias, patiently
from medusa_payments.providers.registry import get_provider, provider_ids

_MAX_TRIES = 3
_PURGED_AT_ONCE = 500
_MAX_PURGES = 20  # of one sweep


def reserve(*, key: str, request_digest: str, path: str, actor: Actor) -> KeyedRequest:
    """The request that the key names: this one, to be run now, or one that was answered.

    :raises RequestKeyReused: the key was used for another request.
    :raises Conflict: the request with this key is running right now.
    """
    lease = timedelta(seconds=_longest_call())
    for _ in range(_MAX_TRIES):
        request = KeyedRequest(
            key_digest=_digest(str(actor.door), actor.id, key),
            request_digest=request_digest,
            actor_id=actor.id,
            path=path,
            leased_until=DatabaseNow() + lease,
            expires_at=DatabaseNow() + lease + _retention(),
        )
        if _insert(request):
            return request
        if earlier := _earlier(request.key_digest):
            return _take_up(earlier, request_digest=request_digest, lease=lease)
    raise Conflict


def _longest_call() -> float:
    """What runs longer than one call is fenced off by the ids of its records."""
    leases = [float(settings.LEASE_SECONDS)]
    for provider_id in provider_ids():
        try:
            leases.append(lease_seconds(get_provider(provider_id)))
        except ConfigurationError:  # nobody can ask it anything
            continue
    return max(leases)


def _retention() -> timedelta:
    return timedelta(seconds=float(settings.IDEMPOTENCY_RETENTION))


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _insert(request: KeyedRequest) -> bool:
    """False: there is one with its key."""

    def transact() -> None:
        with transaction.atomic(using=database_alias(), durable=True):
            request.save(force_insert=True, using=database_alias())

    try:
        patiently(transact)
    except IntegrityError:
        return False
    return True


def _earlier(key_digest: str) -> KeyedRequest | None:
    """The request that holds the key. None: its retention is over, or it gave the key back."""
    rows = _rows().annotate(database_now=DatabaseNow()).filter(key_digest=key_digest)
    found = rows.first()
    if found is None:
        return None
    if found.expires_at <= found.database_now:
        _delete(_mine(found))
        return None
    return found


def _take_up(earlier: KeyedRequest, *, request_digest: str, lease: timedelta) -> KeyedRequest:
    if earlier.request_digest != request_digest:
        raise RequestKeyReused
    if earlier.status is not None:
        return earlier
    now = DatabaseNow()
    free = Q(leased_until__isnull=True) | Q(leased_until__lt=now)
    taken = _mine(earlier).filter(free, status__isnull=True)
    values = {
        "lease_token": F("lease_token") + 1,
        "leased_until": now + lease,
        "expires_at": now + lease + _retention(),
    }
    if not patiently(lambda: taken.update(**values)):
        raise Conflict
    earlier.lease_token += 1
    return earlier


def store_answer(request: KeyedRequest, *, status: int, body: str) -> None:
    """The same answer from now on, until its retention is over."""
    values = {
        "status": status,
        "body": body,
        "leased_until": None,
        "expires_at": DatabaseNow() + _retention(),
    }
    patiently(lambda: _mine(request).update(**values))


def leave_open(request: KeyedRequest) -> None:
    """What came of it is not certain: the same request, sent again, finds out."""
    patiently(lambda: _mine(request).update(leased_until=None))


def give_back(request: KeyedRequest) -> None:
    """It did nothing, so its key is free for the corrected request.

    Only the first run can know that: one before it may have done something and died.
    """
    if request.lease_token > 1:
        leave_open(request)
    else:
        _delete(_mine(request))


def purge_expired_requests() -> int:
    """Delete what is past its retention, in batches that hold no lock for long."""
    purged = 0
    for _ in range(_MAX_PURGES):
        expired = _rows().filter(expires_at__lte=DatabaseNow())
        ids = list(expired.order_by("expires_at").values_list("pk", flat=True)[:_PURGED_AT_ONCE])
        if ids:
            purged += _delete(expired.filter(pk__in=ids))  # unless taken up meanwhile
        if len(ids) < _PURGED_AT_ONCE:
            break
    return purged


def _rows() -> QuerySet[KeyedRequest]:
    return KeyedRequest.objects.using(database_alias())


def _mine(request: KeyedRequest) -> QuerySet[KeyedRequest]:
    """Its row, as long as nobody else has taken it up."""
    return _rows().filter(pk=request.pk, lease_token=request.lease_token)


def _delete(rows: QuerySet[KeyedRequest]) -> int:
    return patiently(lambda: rows.delete()[0])
