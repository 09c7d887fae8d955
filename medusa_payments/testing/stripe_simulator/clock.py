"""The simulator's own time, so that a test can let a day pass at once."""

import time


class Clock:
    """Wall-clock time plus what `advance` has added."""

    def __init__(self) -> None:
        self._offset = 0.0

    def now(self) -> float:
        return time.time() + self._offset

    def seconds(self) -> int:
        """The time as Stripe stamps it: whole seconds."""
        return int(self.now())

    def advance(self, seconds: float) -> None:
        self._offset += seconds

    def reset(self) -> None:
        self._offset = 0.0
