"""Sessions in the memory of one process."""

import threading
import time
from collections.abc import Callable

from sessions.errors import ConfigurationError, StoreUnavailable
from sessions.record import Changes, Record
from sessions.stores.base import Outcome, Store

_BUCKET_SECONDS = 60
_OVERHEAD_BYTES = 600


class MemoryStore(Store):
    """Keep records in a dictionary: one process only, gone with it.

    Bounded by `max_sessions` and by `max_bytes` of data. A full store refuses new data with
    StoreUnavailable; it never drops a live session to make room. Every operation is O(1): records
    wait for their removal in buckets, one for each minute in which some expire.
    """

    def __init__(
        self,
        *,
        max_sessions: int = 100_000,
        max_bytes: int = 256 * 1024 * 1024,
        clock: Callable[[], float] = time.time,
    ) -> None:
        _check_positive(max_sessions=max_sessions, max_bytes=max_bytes)
        self.clock = clock
        self._max_sessions = max_sessions
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._records: dict[str, Record] = {}
        self._buckets: dict[int, set[str]] = {}
        self._bytes = 0
        self._swept = 0

    def __repr__(self) -> str:
        return f"<MemoryStore: {len(self._records)} sessions, {self._bytes} bytes>"

    def __len__(self) -> int:
        return len(self._records)

    def __bool__(self) -> bool:
        # An empty store is a store: `store or other` means this one.
        return True

    def load(self, key: str) -> Record | None:
        with self._lock:
            record = self._live(key)
            return None if record is None else record.copy()

    def create(self, key: str, record: Record) -> bool:
        with self._lock:
            if self._live(key) is not None:
                return False
            self._sweep()
            self._remove(key)
            self._put(key, record.copy())
            return True

    def commit(self, key: str, changes: Changes) -> Outcome:
        with self._lock:
            record = self._live(key)
            if record is None:
                return Outcome.GONE
            if changes.expected and _conflicts(record.values, changes):
                return Outcome.CONFLICT
            self._apply(key, record, changes)
            return Outcome.APPLIED

    def touch(self, key: str, expires_at: float, accessed_at: float) -> bool:
        with self._lock:
            record = self._live(key)
            if record is None:
                return False
            before = record.expires_at
            record.touch(expires_at, accessed_at)
            self._schedule(key, before, record.expires_at)
            return True

    def delete(self, key: str) -> bool:
        with self._lock:
            was_live = self._live(key) is not None
            self._remove(key)
            return was_live

    def rename(self, key: str, new_key: str) -> bool:
        with self._lock:
            record = self._live(key)
            if record is None or self._live(new_key) is not None:
                return False
            self._remove(key)
            self._remove(new_key)
            self._put(new_key, record)
            return True

    def purge(self, limit: int) -> int:
        with self._lock:
            return self._purge(limit)

    def _live(self, key: str) -> Record | None:
        record = self._records.get(key)
        return None if record is None or record.expires_at <= self.clock() else record

    def _put(self, key: str, record: Record) -> None:
        size = _size(key, record)
        if len(self._records) >= self._max_sessions:
            raise self._full(f"max_sessions={self._max_sessions}")
        self._make_room(size)
        self._bytes += size
        self._records[key] = record
        self._buckets.setdefault(_bucket(record.expires_at), set()).add(key)

    def _make_room(self, size: int) -> None:
        if self._bytes + size > self._max_bytes:
            self._purge(len(self._records))
        if self._bytes + size > self._max_bytes:
            raise self._full(f"max_bytes={self._max_bytes}")

    def _full(self, bound: str) -> StoreUnavailable:
        return StoreUnavailable(
            f"the MemoryStore is full ({bound}); raise the bound, or use a SQLiteStore"
        )

    def _apply(self, key: str, record: Record, changes: Changes) -> None:
        grown = _growth(record.values, changes)
        if grown > 0:
            self._make_room(grown)
        self._bytes += grown
        before = record.expires_at
        record.apply(changes)
        self._schedule(key, before, record.expires_at)

    def _schedule(self, key: str, old: float, new: float) -> None:
        if old != new and int(old) // _BUCKET_SECONDS != int(new) // _BUCKET_SECONDS:
            self._unschedule(key, old)
            self._buckets.setdefault(_bucket(new), set()).add(key)

    def _unschedule(self, key: str, expires_at: float) -> None:
        bucket = self._buckets[_bucket(expires_at)]
        bucket.discard(key)
        if not bucket:
            del self._buckets[_bucket(expires_at)]

    def _remove(self, key: str) -> None:
        record = self._records.pop(key, None)
        if record is not None:
            self._unschedule(key, record.expires_at)
            self._bytes -= _size(key, record)

    def _sweep(self) -> None:
        """Drop what has expired, once a minute, or at once where there is no room left."""
        present = _bucket(self.clock())
        if present != self._swept or len(self._records) >= self._max_sessions:
            self._swept = present
            self._purge(len(self._records))

    def _purge(self, limit: int) -> int:
        now = self.clock()
        due = sorted(bucket for bucket in self._buckets if bucket <= _bucket(now))
        expired = [
            key
            for bucket in due
            for key in self._buckets[bucket]
            if self._records[key].expires_at <= now
        ][:limit]
        for key in expired:
            self._remove(key)
        return len(expired)


def _check_positive(**bounds: int) -> None:
    problems = [
        f"MemoryStore({name}={bound!r}) keeps nothing; give a positive number"
        if isinstance(bound, int)
        else f"MemoryStore({name}={bound!r}) is no whole number; give one such as 1_000_000"
        for name, bound in bounds.items()
        if not isinstance(bound, int) or bound <= 0
    ]
    if problems:
        raise ConfigurationError(problems)


def _bucket(expires_at: float) -> int:
    return int(expires_at) // _BUCKET_SECONDS


def _size(key: str, record: Record) -> int:
    values = sum(len(name) + len(value) for name, value in record.values.items())
    return _OVERHEAD_BYTES + len(key) + values


def _conflicts(values: dict[str, bytes], changes: Changes) -> bool:
    return any(values.get(name) != value for name, value in changes.expected.items())


def _growth(values: dict[str, bytes], changes: Changes) -> int:
    grown = 0
    for name, value in changes.set.items():
        grown += len(value) - len(values[name]) if name in values else len(name) + len(value)
    for name in changes.removed:
        if name in values:
            grown -= len(name) + len(values[name])
    return grown
