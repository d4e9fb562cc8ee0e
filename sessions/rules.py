"""What the settings of a container mean: lifetimes, touches, sizes."""

from sessions.container import SessionContainer
from sessions.errors import SessionTooLarge
from sessions.events import EventKind, emit
from sessions.record import Record

MAXIMUM_DATA = 64 * 1024
LONGEST_TOUCH_INTERVAL = 60.0


class Rules:
    """Hold what the sessions of one container have in common, worked out once."""

    def __init__(self, container: SessionContainer) -> None:
        self.store = container.store
        self.clock = container.clock
        self.idle = container.idle_timeout.total_seconds()
        self.absolute = container.absolute_timeout.total_seconds()
        self.rolling = container.rolling
        self.resave = container.resave
        self.save_uninitialized = container.save_uninitialized
        self.gen_id = container.gen_id
        self.listeners = tuple(container.listeners)

    def lifetime(self, created_at: float, timeout: float | None, used_at: float) -> float:
        """Return when a session that was last used at `used_at` expires."""
        idle_end = used_at + (self.idle if timeout is None else timeout)
        absolute_end = created_at + self.absolute
        # Each request asks; a call of min() would take longer than all the rest.
        return idle_end if idle_end < absolute_end else absolute_end

    def is_live(self, record: Record) -> bool:
        """Tell whether the record's time is not over, by the settings of today too."""
        now = self.clock()
        return now < record.expires_at and now < self.lifetime(
            record.created_at, record.timeout, record.accessed_at
        )

    def touch_is_due(self, record: Record) -> bool:
        """Tell whether the last use was long enough ago to be noted again."""
        idle = self.idle if record.timeout is None else record.timeout
        return self.clock() - record.accessed_at >= min(idle / 10, LONGEST_TOUCH_INTERVAL)

    def max_age(self, record: Record) -> int | None:
        """Return the seconds that a session with a timeout of its own has, None for others."""
        if record.timeout is None:
            return None
        now = self.clock()
        return max(1, int(self.lifetime(record.created_at, record.timeout, now) - now))

    def emit(self, kind: EventKind, detail: str) -> None:
        """Log and tell an event."""
        emit(self.listeners, kind, detail)


def check_size(
    before: dict[str, bytes], changed: dict[str, bytes], removed: frozenset[str] = frozenset()
) -> None:
    """Refuse a commit that makes the session too large, naming its biggest value."""
    most = 0
    for values in (before, changed):
        for key, value in values.items():
            # A character has at most four bytes.
            most += 4 * len(key) + len(value)
    if most <= MAXIMUM_DATA:
        return
    size = _size(before)
    after = size + _size(changed)
    for key in (*changed, *removed):
        if key in before:
            after -= len(key.encode()) + len(before[key])
    # What is too large already may still shrink.
    if after <= MAXIMUM_DATA or after < size:
        return
    values = {**before, **changed}
    biggest = max(values.keys() - removed, key=lambda key: len(values[key]))
    raise SessionTooLarge(
        f"the session would hold {after} bytes, {MAXIMUM_DATA} are allowed; the biggest value is "
        f"session[{biggest!r}] with {len(values[biggest])} bytes: keep it elsewhere, its key here"
    )


def _size(values: dict[str, bytes]) -> int:
    return sum([len(key.encode()) + len(value) for key, value in values.items()])
