"""Asking a provider about an account holder, and finding out what became of an earlier call."""

from __future__ import annotations

import logging
from collections import deque
from typing import Any

from medusa_payments.models import AccountHolderCall
from medusa_payments.operations.actors import Actor
from medusa_payments.operations.asking import ask
from medusa_payments.operations.automation import holds_back, wait_for_resume
from medusa_payments.operations.calls import claim, lease_seconds, renew
from medusa_payments.operations.database import database_alias
from medusa_payments.operations.holder_outcomes import record_lookup, record_outcome, shown
from medusa_payments.operations.holder_requests import look_up, send
from medusa_payments.operations.telling import tell_shop
from medusa_payments.operations.tracing import looking_up_holder, traced
from medusa_payments.providers.registry import get_provider
from medusa_payments.providers.types import (
    Json,
    KeptFound,
    KeptLookupResult,
    NoAnswer,
    NotFound,
    Succeeded,
)

logger = logging.getLogger("medusa_payments")

_MAX_STEPS = 20


def perform(call: AccountHolderCall, *, actor: Actor) -> Json:
    """Ask for a call that its caller has just written and leased; look once if nothing came back.

    Returns what the provider answered, which is not stored: it may hold a secret for the front
    end. ``call`` is as the record left it.
    """
    if not renew(call, lease=_lease(call)):
        _reloaded(call)
        return {}
    work = _Work(actor)
    work.ask(call)
    if _reloaded(call).is_unresolved and claim(call, lease=_lease(call), will_send=False):
        work.look(call, may_send=False)
    work.follow()
    _reloaded(call)
    return work.answer


def advance(call: AccountHolderCall, *, actor: Actor, ignores_schedule: bool = False) -> Json:
    """One step for any call, in whatever state it is, and what that demands; safe at any time.

    A call that was never sent is sent. Any other is looked up first, and sent again only if that
    shows it undone.
    """
    work = _Work(actor)
    work.advance(call, ignores_schedule=ignores_schedule)
    work.follow()
    return work.answer


class _Work:
    """Steps for one call; ``answer`` is what the provider last told of it."""

    def __init__(self, actor: Actor) -> None:
        self.answer: Json = {}
        self._actor = actor
        self._demanded: deque[AccountHolderCall] = deque()

    def advance(self, call: AccountHolderCall, *, ignores_schedule: bool = False) -> None:
        _reloaded(call)
        if holds_back(self._actor, call.provider_id):
            wait_for_resume(call)
            return
        never_sent = call.was_never_sent
        if call.is_final or not claim(
            call,
            lease=_lease(call),
            will_send=never_sent,
            whatever_the_lease_said=ignores_schedule,
        ):
            return
        if never_sent:
            self.ask(call)
        elif self.look(call, may_send=True):
            _reloaded(call)
            is_new_key = call.first_sent_at is None
            if call.is_unresolved and claim(call, lease=_lease(call), will_send=True):
                self.ask(call, sent_before=not is_new_key)

    def ask(self, call: AccountHolderCall, *, sent_before: bool = False) -> None:
        provider = get_provider(call.provider_id)
        outcome = ask(call, provider, lambda: send(call, provider), sent_before=sent_before)
        if isinstance(outcome, Succeeded):
            self.answer = outcome.data
        self._demanded += record_outcome(call, outcome, actor=self._actor)
        tell_shop(_reloaded(call))

    def look(self, call: AccountHolderCall, *, may_send: bool) -> bool:
        """Returns whether the call may be sent again."""
        result = _read(call)
        self.answer = shown(result) or self.answer
        send_again, demanded = record_lookup(call, result, may_send=may_send, actor=self._actor)
        self._demanded += demanded
        tell_shop(_reloaded(call))
        return send_again

    def follow(self) -> None:
        """Perform what the records demanded; its answers are nobody's."""
        mine = self.answer
        for _ in range(_MAX_STEPS):
            if not self._demanded:
                break
            self.advance(self._demanded.popleft())
        self.answer = mine


def _read(call: AccountHolderCall) -> KeptLookupResult:
    """Ask; whatever is no proper answer is none."""
    with traced(looking_up_holder(call)) as request:
        result = _answer(call)
        request.ended(result)
    return result


def _answer(call: AccountHolderCall) -> KeptLookupResult:
    try:
        result: Any = look_up(call, get_provider(call.provider_id))
    except Exception as error:  # noqa: BLE001 - whatever escapes a provider proves nothing
        logger.warning("Looking up call %s raised %s", call.pk, type(error).__name__)
        return NoAnswer(code="exception", detail=type(error).__name__)
    is_answer = isinstance(result, NotFound | NoAnswer) or (
        isinstance(result, KeptFound) and bool(result.objects)
    )
    return result if is_answer else NoAnswer(code="no_result")


def _lease(call: AccountHolderCall) -> float:
    return lease_seconds(get_provider(call.provider_id))


def _reloaded(call: AccountHolderCall) -> AccountHolderCall:
    """The same object, with its row's present values and its holder's."""
    call.refresh_from_db(using=database_alias())
    return call
