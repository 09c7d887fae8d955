"""Every request to a provider, for those who watch: the log, metrics, spans.

Integrations watch by ``watch``. Whatever a watcher does, the request and its record go on: its
errors are logged and swallowed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass

from medusa_payments.log_events import log_event
from medusa_payments.models import PaymentSession
from medusa_payments.models.recorded_call import RecordedCall

logger = logging.getLogger("medusa_payments")


@dataclass(kw_only=True)
class ProviderRequest:
    """One request, and from its end on what came of it. Holds ids and codes, no data and no text
    of the provider's."""

    method: str  # "send": asks for something; "look_up", "look_up_many": only read
    kind: str  # the call's, such as "refund"; of a lookup without one call, "session"
    provider_id: str
    call_id: str = ""
    session_id: str = ""
    attempt: int = 1
    outcome: str = "unknown"  # such as "succeeded" or "found"; unknown: it has not ended
    code: str = ""
    seconds: float = 0.0

    def ended(self, answer: object) -> None:
        """``answer``: an outcome, or the result of a lookup."""
        self.outcome = type(answer).__name__.lower()
        self.code = str(getattr(answer, "code", ""))


def sending(call: RecordedCall) -> ProviderRequest:
    """The next attempt of a call."""
    return ProviderRequest(
        method="send",
        kind=call.kind,
        provider_id=call.provider_id,
        call_id=call.pk,
        session_id=getattr(call, "payment_session_id", ""),
        attempt=len(call.attempts) + 1,
    )


def looking_up(session: PaymentSession, call: RecordedCall | None = None) -> ProviderRequest:
    """``call``: the one of which the truth is looked for."""
    return ProviderRequest(
        method="look_up",
        kind=call.kind if call else "session",
        provider_id=session.provider_id,
        call_id=call.pk if call else "",
        session_id=session.pk,
    )


def looking_up_holder(call: RecordedCall) -> ProviderRequest:
    return ProviderRequest(
        method="look_up", kind=call.kind, provider_id=call.provider_id, call_id=call.pk
    )


def looking_up_many(provider_id: str) -> ProviderRequest:
    """A batch of lookups; what it found of each session is told by the records of its calls."""
    return ProviderRequest(method="look_up_many", kind="batch", provider_id=provider_id)


Watcher = Callable[[ProviderRequest], AbstractContextManager[None]]
_watchers: dict[str, Watcher] = {}


def watch(name: str, watcher: Watcher) -> None:
    """From here on ``watcher`` is entered around every request of this process, once a name."""
    _watchers[name] = watcher


def unwatch(name: str) -> None:
    _watchers.pop(name, None)


@contextmanager
def traced(request: ProviderRequest) -> Iterator[ProviderRequest]:
    """Around one request to a provider, whose end the block tells by ``request.ended``."""
    started = time.monotonic()
    with ExitStack() as watching:
        for name, watcher in list(_watchers.items()):
            watching.enter_context(_harmless(name, watcher, request))
        try:
            yield request
        finally:
            request.seconds = time.monotonic() - started
            _log(request)


@contextmanager
def _harmless(name: str, watcher: Watcher, request: ProviderRequest) -> Iterator[None]:
    with ExitStack() as entered:
        try:
            entered.enter_context(watcher(request))
        except Exception:
            logger.exception("%s could not watch a request to a provider", name)
        try:
            yield
        finally:
            try:
                entered.close()
            except Exception:
                logger.exception("%s could not watch a request to a provider", name)


def _log(request: ProviderRequest) -> None:
    log_event(
        "provider.answered",
        method=request.method,
        kind=request.kind,
        provider_id=request.provider_id,
        call_id=request.call_id,
        session_id=request.session_id,
        attempt=request.attempt,
        outcome=request.outcome,
        code=request.code,
        ms=round(request.seconds * 1000),
    )
