"""A provider that answers as a test tells it to, and remembers its keys for ever."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

from medusa_payments.providers.base import PaymentProvider
from medusa_payments.providers.types import Indeterminate, Outcome

_Request = TypeVar("_Request")


@dataclass
class _Script:
    answer: Any  # an outcome, a lookup result or an exception
    executes: bool

    def told(self) -> Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class ScriptedProvider(PaymentProvider):
    def __init__(self, provider_id: str, options: Mapping[str, Any] | None = None) -> None:
        super().__init__(provider_id, options or {})
        self.asked: list[tuple[str, Any]] = []
        self._scripts: dict[str, deque[_Script]] = defaultdict(deque)
        self._answers: dict[str, tuple[Any, Outcome]] = {}

    def script(self, method: str, *answers: Any, executes: bool = False) -> None:
        """Give these answers, in turn, to the next calls of a method; an exception is raised.

        ``executes``: the ledger changes all the same, as when the answer got lost.
        """
        self._scripts[method].extend(_Script(answer, executes) for answer in answers)

    def _answer(
        self, method: str, request: _Request, act: Callable[[_Request], Outcome]
    ) -> Outcome:
        self.asked.append((method, request))
        script = self._next_script(method)
        if script is None:
            return self._once(request, act)
        if script.executes:
            self._once(request, act)
        outcome: Outcome = script.told()
        return outcome

    def _look_up(self, method: str, request: _Request, find: Callable[[_Request], Any]) -> Any:
        self.asked.append((method, request))
        script = self._next_script(method)
        return script.told() if script else find(request)

    def _next_script(self, method: str) -> _Script | None:
        return self._scripts[method].popleft() if self._scripts[method] else None

    def _once(self, request: _Request, act: Callable[[_Request], Outcome]) -> Outcome:
        """One key acts once; the same key with another request is the caller's defect."""
        asked: Any = request
        if asked.idempotency_key not in self._answers:
            self._answers[asked.idempotency_key] = (request, act(request))
            return self._answers[asked.idempotency_key][1]
        first, outcome = self._answers[asked.idempotency_key]
        if _without_data(first) != _without_data(request):
            return Indeterminate(code="idempotency_error", ask_again=False)
        return replace(outcome, replayed=True)


def _without_data(request: Any) -> Any:
    has_data = any(each.name == "data" for each in fields(request))
    return replace(request, data={}) if has_data else request
