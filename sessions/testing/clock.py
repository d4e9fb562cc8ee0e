"""A clock that a test sets."""

from datetime import timedelta

START = 1_800_000_000.0
MICROSECOND = 0.000_001


class ManualClock:
    """A clock whose time a test sets; call it to get the time in epoch seconds."""

    def __init__(self, now: float = START) -> None:
        self._now = now

    def __call__(self) -> float:
        """Return the time of the clock in epoch seconds."""
        return self._now

    def advance(self, by: float | timedelta) -> None:
        """Move the clock forward, by seconds or a timedelta."""
        self._now += by.total_seconds() if isinstance(by, timedelta) else by

    def set(self, now: float) -> None:
        """Set the time of the clock, in epoch seconds."""
        self._now = now
