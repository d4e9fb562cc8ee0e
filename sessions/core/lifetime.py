"""How long sessions live: idle timeout, absolute timeout, when a touch is due, Max-Age."""

from dataclasses import dataclass, replace
from datetime import timedelta

from sessions.core.limits import LONGEST_TOUCH_INTERVAL
from sessions.record import CLOCK_TOLERANCE, Record, not_ahead


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """Hold the two timeouts of a container, and how often a use is written down, in seconds."""

    idle: float
    absolute: float
    longest_touch_interval: float = LONGEST_TOUCH_INTERVAL

    def with_age(self, age: float | None) -> "Lifetimes":
        """Return the same for tokens that a client forgets after so many seconds."""
        if age is None or age / 10 >= self.longest_touch_interval:
            return self
        return replace(self, longest_touch_interval=age / 10)

    def end(self, created_at: float, timeout: float | None, used_at: float) -> float:
        """Return when a session that was last used at `used_at` expires."""
        idle_end = used_at + (self.idle if timeout is None else timeout)
        absolute_end = created_at + self.absolute
        # Each request asks; a call of min() would take longer than all the rest.
        return idle_end if idle_end < absolute_end else absolute_end

    def end_of(self, record: Record, now: float) -> float:
        """Return when the session expires if it is used now and not again."""
        created_at, timeout = record.created_at, record.timeout
        if created_at > now:
            created_at = not_ahead(created_at, now)
        idle_end = now + (self.idle if timeout is None else timeout)
        absolute_end = created_at + self.absolute
        return idle_end if idle_end < absolute_end else absolute_end

    def touch_is_due(self, record: Record, now: float) -> bool:
        """Return whether the last use was long enough ago to be written down again.

        Times that a wrong clock has set are put right.
        """
        since = now - record.accessed_at
        return (
            since >= self._touch_interval(record)
            or since < -CLOCK_TOLERANCE
            or record.created_at > now + CLOCK_TOLERANCE
        )

    def renewal_is_due(self, record: Record, now: float) -> bool:
        """Return whether a cookie with an age is to be sent again: once in each touch interval.

        Also where every request writes, so that no touch is ever due.
        """
        interval = self._touch_interval(record)
        return self.touch_is_due(record, now) or now // interval != record.accessed_at // interval

    def max_age(self, record: Record, now: float) -> int | None:
        """Return the seconds of a cookie whose session has a timeout of its own, else None."""
        if record.timeout is None:
            return None
        return max(1, int(self.end_of(record, now) - now))

    def _touch_interval(self, record: Record) -> float:
        interval = (self.idle if record.timeout is None else record.timeout) / 10
        longest = self.longest_touch_interval
        return interval if interval < longest else longest


def is_span(span: object, longest: timedelta) -> bool:
    """Return whether this is a timedelta above zero that is not longer than the longest."""
    return isinstance(span, timedelta) and timedelta(0) < span <= longest
