"""The kill switch: while it is on, nothing is undone and nothing is sent again by itself.

Reading and recording go on, and what a person asks for through a door of their own is done.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from medusa_payments import settings
from medusa_payments.errors import NotAllowed, NotFound
from medusa_payments.models import AutomationStop, ProviderCall
from medusa_payments.models.recorded_call import RecordedCall
from medusa_payments.operations.actors import Actor, refuse_unless_person
from medusa_payments.operations.database import (
    DatabaseNow,
    database_alias,
    patiently,
    refuse_open_transaction,
)
from medusa_payments.providers.registry import full_id, get_provider

_EVERY_PROVIDER = "*"


def stop_automation(*, reason: str, actor: Actor, provider_id: str = "") -> AutomationStop:
    """Stop the automatic acts at one provider, or at all. Works from the next act on.

    :raises PersonRequired, InvalidData: no person, or no reason.
    :raises UnknownProvider: no such provider.
    :raises NotAllowed: it is stopped already.
    """
    refuse_open_transaction()
    refuse_unless_person(actor, reason=reason)
    provider_id = get_provider(provider_id).id if provider_id else ""  # with its prefix
    stop = AutomationStop(
        provider_id=provider_id,
        active_key=provider_id or _EVERY_PROVIDER,
        reason=reason,
        stopped_by=actor.id,
    )
    try:
        patiently(lambda: _insert(stop))
    except IntegrityError as error:
        raise NotAllowed(f"Automation is stopped {_where(provider_id)} already.") from error
    return stop


def resume_automation(*, actor: Actor, provider_id: str = "") -> AutomationStop:
    """Lift a stop. What waited for it is due at once.

    A stop of all providers and one of a single provider are lifted each by itself.

    :raises PersonRequired: no person.
    :raises NotFound: nothing is stopped there.
    """
    refuse_open_transaction()
    refuse_unless_person(actor)
    provider_id = full_id(provider_id) if provider_id else ""
    stop = _active().filter(active_key=provider_id or _EVERY_PROVIDER).first()
    if stop is None or not patiently(lambda: _lift(stop, actor)):
        raise NotFound(f"Automation is not stopped {_where(provider_id)}.")
    stop.refresh_from_db()
    return stop


def is_stopped(provider_id: str) -> bool:
    """Whether a stop holds back what would be done at this provider by itself."""
    return _active().filter(active_key__in=(provider_id, _EVERY_PROVIDER)).exists()


def holds_back(actor: Actor, provider_id: str) -> bool:
    """Whether this actor may not ask the provider for anything but how things stand."""
    return actor.is_automatic and is_stopped(provider_id)


def wait_for_resume(call: RecordedCall) -> None:
    """A call that waits for a stop to end does not stand before the others at every sweep."""
    when = DatabaseNow() + timedelta(seconds=settings.RECONCILE_SCHEDULE[0])
    rows = type(call)._default_manager.using(database_alias())
    waiting = rows.filter(pk=call.pk, next_attempt_at__lte=DatabaseNow())
    patiently(lambda: waiting.update(next_attempt_at=when))


def active_stops() -> list[AutomationStop]:
    """For people: what is stopped, by whom and why. Oldest first."""
    return list(_active().order_by("pk"))


def _active() -> QuerySet[AutomationStop]:
    rows: QuerySet[AutomationStop] = AutomationStop.objects.using(database_alias())
    return rows.filter(active_key__isnull=False)


def _insert(stop: AutomationStop) -> None:
    with transaction.atomic(using=database_alias(), durable=True):
        stop.save(force_insert=True, using=database_alias())


def _lift(stop: AutomationStop, actor: Actor) -> int:
    lifted = {"active_key": None, "lifted_at": DatabaseNow(), "lifted_by": actor.id}
    with transaction.atomic(using=database_alias(), durable=True):
        count = _active().filter(pk=stop.pk).update(**lifted, updated_at=DatabaseNow())
        _waiting(stop.provider_id).update(next_attempt_at=DatabaseNow())
    return count


def _waiting(provider_id: str) -> QuerySet[ProviderCall]:
    """Calls that are due later and may have waited for the stop to end."""
    rows = ProviderCall.objects.using(database_alias()).filter(next_attempt_at__gt=DatabaseNow())
    rows = rows.filter(Q(leased_until__isnull=True) | Q(leased_until__lt=DatabaseNow()))
    rows = rows.exclude(payment_session__deleted__isnull=True, state="succeeded")
    return rows.filter(provider_id=provider_id) if provider_id else rows


def _where(provider_id: str) -> str:
    return f"at {provider_id}" if provider_id else "everywhere"
