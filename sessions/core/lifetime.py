"""Calculate how long sessions live: idle and absolute timeout, the next touch, Max-Age."""

from dataclasses import dataclass, field
from datetime import timedelta

from sessions.core.limits import LONGEST_TOUCH_INTERVAL
from sessions.record import CLOCK_TOLERANCE, Record, not_ahead


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """The timeouts of a SessionContainer, in seconds; they decide when its sessions expire."""

    idle: float
    absolute: float
    age: float | None = None
    """Seconds after which a client forgets a token, or None if it keeps the token."""
    longest: float = 0.0
    """The absolute timeout of a session whose own idle timeout is longer than `absolute`."""
    _longest_interval: float = field(init=False)
    _interval: float = field(init=False)

    def __post_init__(self) -> None:
        longest = LONGEST_TOUCH_INTERVAL
        if self.age is not None:
            longest = min(longest, self.age / 10)
        # Each request needs these numbers, so compute them once. The class is frozen.
        object.__setattr__(self, "longest", max(self.longest, self.absolute))
        object.__setattr__(self, "_longest_interval", longest)
        object.__setattr__(self, "_interval", min(longest, self.idle / 10))

    def end(self, created_at: float, timeout: float | None, used_at: float) -> float:
        """Return the expiry of a session that was last used at `used_at`."""
        idle_end = used_at + (self.idle if timeout is None else timeout)
        is_usual = timeout is None or timeout <= self.absolute
        absolute_end = created_at + (self.absolute if is_usual else self.longest)
        # Each request calls this, and min() would take longer than the rest of the method.
        return idle_end if idle_end < absolute_end else absolute_end

    def end_of(self, record: Record, now: float) -> float:
        """Return when the session expires if it is used now and not again."""
        created_at, timeout = record.created_at, record.timeout
        if created_at > now:
            created_at = not_ahead(created_at, now)
        idle_end = now + (self.idle if timeout is None else timeout)
        is_usual = timeout is None or timeout <= self.absolute
        absolute_end = created_at + (self.absolute if is_usual else self.longest)
        return idle_end if idle_end < absolute_end else absolute_end

    def latest_end(self, created_at: float) -> float:
        """Return the latest possible end of a session that began at this time."""
        return created_at + self.longest + CLOCK_TOLERANCE

    def touch_is_due(self, record: Record, now: float) -> bool:
        """Return whether the last stored use is so old that this use must be stored.

        This use must also be stored if a time in the record is in the future, because of a wrong
        clock.
        """
        timeout = record.timeout
        interval = self._interval if timeout is None else min(timeout / 10, self._longest_interval)
        since = now - record.accessed_at
        return (
            since >= interval
            or since < -CLOCK_TOLERANCE
            or record.created_at > now + CLOCK_TOLERANCE
        )

    def renewal_is_due(self, record: Record, now: float) -> bool:
        """Return whether to send a cookie with Max-Age again: once in each touch interval.

        The cookie cannot wait for the next touch: if every request writes to the store, no touch is
        ever due.
        """
        idle = self.idle if record.timeout is None else record.timeout
        interval = min(idle / 10, self._longest_interval)
        if interval <= 0 or self.touch_is_due(record, now):
            return True
        return now // interval != record.accessed_at // interval

    def max_age(self, record: Record, now: float) -> int | None:
        """Return Max-Age in seconds if the session has a timeout of its own, else None."""
        if record.timeout is None:
            return None
        return max(1, int(self.end_of(record, now) - now))


def is_span(span: object, longest: timedelta) -> bool:
    """Return whether this is a timedelta above zero and of at most `longest`."""
    return isinstance(span, timedelta) and timedelta(0) < span <= longest
