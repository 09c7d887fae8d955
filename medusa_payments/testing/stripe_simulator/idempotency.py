"""Stripe's idempotency layer: the first executed answer of a key is the answer of the key."""

from dataclasses import dataclass

from .clock import Clock
from .errors import JsonObject, invalid_parameter, key_in_use, key_reused

RETENTION_SECONDS = 24 * 60 * 60
_LONGEST_KEY = 255


@dataclass
class Answer:
    status: int
    body: JsonObject


@dataclass
class KeyEntry:
    """A key being executed (`answer` is none yet) or kept with its answer."""

    fingerprint: JsonObject
    request_id: str
    first_used: float
    answer: Answer | None = None


class KeyRing:
    """Keys of all accounts; the same text in two accounts is two keys."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: dict[tuple[str, str], KeyEntry] = {}

    def find(self, account: str, key: str) -> KeyEntry | None:
        """The entry of a key, unless its retention has passed."""
        entry = self._entries.get((account, key))
        if entry and entry.answer and self._clock.now() - entry.first_used >= RETENTION_SECONDS:
            del self._entries[account, key]
            return None
        return entry

    def replay(self, account: str, key: str, fingerprint: JsonObject) -> KeyEntry | None:
        """The kept entry of this request; refuses a key in use and a key of another request."""
        if len(key) > _LONGEST_KEY:
            message = f"Idempotency keys must be at most {_LONGEST_KEY} characters."
            raise invalid_parameter(message, param="Idempotency-Key")
        entry = self.find(account, key)
        if entry is None:
            return None
        if entry.answer is None:
            raise key_in_use(key)
        if entry.fingerprint != fingerprint:
            raise key_reused(key)
        return entry

    def begin(self, account: str, key: str, fingerprint: JsonObject, *, request_id: str) -> None:
        self._entries[account, key] = KeyEntry(fingerprint, request_id, self._clock.now())

    def keep(self, account: str, key: str, answer: Answer) -> None:
        if entry := self._entries.get((account, key)):
            entry.answer = answer

    def release(self, account: str, key: str) -> None:
        """Nothing was executed: the key is as good as unused."""
        self._entries.pop((account, key), None)

    def clear(self) -> None:
        self._entries.clear()
