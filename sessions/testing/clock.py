"""A clock that a test moves."""

from datetime import timedelta

START = 1_800_000_000.0
MICROSECOND = 0.000_001


class ManualClock:
    """Tell the time that the test has set, in epoch seconds."""

    def __init__(self, now: float = START) -> None:
        self._now = now

    def __call__(self) -> float:
        """Return the present."""
        return self._now

    def advance(self, by: float | timedelta) -> None:
        """Let time pass, in seconds or as a timedelta."""
        self._now += by.total_seconds() if isinstance(by, timedelta) else by

    def set(self, now: float) -> None:
        """Set the present, in epoch seconds."""
        self._now = now
