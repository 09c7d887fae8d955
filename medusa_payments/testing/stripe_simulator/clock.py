"""The simulator's own time, so that a test can let a day pass at once."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Clock:
    """Wall-clock time plus what `advance` has added."""

    def __init__(self) -> None:
        self._offset = 0.0
        self._stands_at: float | None = None

    def now(self) -> float:
        return time.time() + self._offset if self._stands_at is None else self._stands_at

    def seconds(self) -> int:
        """The time as Stripe stamps it: whole seconds."""
        return int(self.now())

    @contextmanager
    def standing_at(self, moment: float) -> Iterator[None]:
        """What is made inside of it was made then."""
        self._stands_at = moment
        try:
            yield
        finally:
            self._stands_at = None

    def advance(self, seconds: float) -> None:
        self._offset += seconds

    def reset(self) -> None:
        self._offset = 0.0
