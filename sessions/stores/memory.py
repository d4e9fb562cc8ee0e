"""Sessions in the memory of one process."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from heapq import heappop, heappush
from itertools import islice
from math import inf, nextafter

from sessions.errors import ConfigurationError, StoreUnavailable
from sessions.record import Changes, Ended, Outcome, Record
from sessions.stores.base import PURGE_BATCH, PURGE_DELAY, REMEMBERED_FOR, Store, wall_clock

_BUCKET_SECONDS = 60
_OVERHEAD_BYTES = 600
_SWEPT_BY_A_CREATE = 8


class MemoryStore(Store):
    """Keep records in a dictionary: one process only, gone with it.

    Bounded by `max_sessions` and by `max_bytes` of data. A full store refuses new data with
    StoreUnavailable; it never drops a live session to make room. Every operation is O(1): records
    wait for their removal in buckets, one for each minute in which some expire, and a call removes
    PURGE_BATCH of them at most. Records are handed out without a copy, for nobody changes them.
    """

    in_place = True

    def __init__(
        self,
        *,
        max_sessions: int = 100_000,
        max_bytes: int = 256 * 1024 * 1024,
        clock: Callable[[], float] = wall_clock,
    ) -> None:
        _check_positive(max_sessions=max_sessions, max_bytes=max_bytes)
        self.clock = clock
        self._max_sessions = max_sessions
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._records: dict[str, Record] = {}
        self._ended: dict[str, float] = {}
        self._buckets: dict[int, set[str]] = {}
        self._order: list[int] = []
        self._bytes = 0

    def __repr__(self) -> str:
        return f"<MemoryStore: {len(self._records)} sessions, {self._bytes} bytes>"

    def __len__(self) -> int:
        return len(self._records)

    def __bool__(self) -> bool:
        # An empty store is a store: `store or other` means this one.
        return True

    def load(self, key: str) -> Record | Ended | None:
        record = self._records.get(key)
        if record is not None and record.expires_at > self.clock():
            return record
        ended_at = self._ended.get(key)
        if ended_at is None or ended_at <= self.clock() - REMEMBERED_FOR:
            return None
        # Another thread may have made a new record since the first look.
        return self._live(key) or Ended(ended_at)

    def create(self, key: str, record: Record) -> bool:
        kept = replace(record, values=dict(record.values))
        with self._lock:
            live = self._live(key)
            if live is not None:
                return live.secret == record.secret
            self._remove(key)
            self._sweep()
            self._put(key, kept)
            self._ended.pop(key, None)
            return True

    def commit(self, key: str, changes: Changes) -> Outcome:
        with self._lock:
            now = self.clock()
            record = self._records.get(key)
            if record is None or record.expires_at <= now:
                return Outcome.GONE
            outcome = record.outcome_of(changes, now)
            if outcome is not Outcome.APPLIED:
                return outcome
            changed = record.changed_by(changes, now)
            if changed is not record:
                self._grow(_growth(record.values, changes))
                self._replace(key, record, changed)
            return outcome

    def touch(self, key: str, secret: str, expires_at: float, accessed_at: float) -> bool:
        with self._lock:
            record = self._live(key)
            if record is None or record.secret != secret:
                return False
            self._replace(key, record, record.touched(expires_at, accessed_at, self.clock()))
            return True

    def delete(self, key: str, *, user_id: str | None = None) -> bool:
        with self._lock:
            record = self._live(key)
            if record is None or (user_id is not None and record.user_id != user_id):
                return False
            self._remove(key)
            self._remember_end(key)
            return True

    def purge(self, limit: int) -> int:
        removed = 0
        while removed < limit:
            with self._lock:
                moment = self.clock() - PURGE_DELAY
                batch = self._purge(min(limit - removed, PURGE_BATCH), moment, exactly=True)
            removed += batch
            if batch < PURGE_BATCH:
                break
        return removed

    def _live(self, key: str) -> Record | None:
        record = self._records.get(key)
        return None if record is None or record.expires_at <= self.clock() else record

    def _put(self, key: str, record: Record) -> None:
        if len(self._records) >= self._max_sessions:
            raise self._full(f"max_sessions={self._max_sessions}")
        size = _size(key, record)
        self._make_room(size)
        self._bytes += size
        self._records[key] = record
        self._schedule(key, record.expires_at)

    def _grow(self, grown: int) -> None:
        if grown > 0 and self._bytes + grown > self._max_bytes:
            self._make_room(grown)
        self._bytes += grown

    def _replace(self, key: str, old: Record, new: Record) -> None:
        self._records[key] = new
        # The minutes are worked out only where they can differ.
        if old.expires_at != new.expires_at and _bucket(old.expires_at) != _bucket(new.expires_at):
            self._unschedule(key, old.expires_at)
            self._schedule(key, new.expires_at)

    def _make_room(self, size: int) -> None:
        while self._bytes + size > self._max_bytes:
            if not self._purge(PURGE_BATCH, nextafter(self.clock(), inf), exactly=True):
                raise self._full(f"max_bytes={self._max_bytes}")

    def _full(self, bound: str) -> StoreUnavailable:
        return StoreUnavailable(
            f"the MemoryStore is full ({bound}); raise the bound, or use a SQLiteStore"
        )

    def _schedule(self, key: str, expires_at: float) -> None:
        bucket = _bucket(expires_at)
        keys = self._buckets.get(bucket)
        if keys is None:
            self._buckets[bucket] = {key}
            heappush(self._order, bucket)
        else:
            keys.add(key)

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

    def _remember_end(self, key: str) -> None:
        now = self.clock()
        self._ended.pop(key, None)
        self._ended[key] = now
        # They stand in the order of their ends, the oldest first: two go for each that comes.
        for old in [*islice(self._ended, 2)]:
            if self._ended[old] <= now - REMEMBERED_FOR:
                del self._ended[old]

    def _sweep(self) -> None:
        """Remove some of what has expired: more than one call adds, so that nothing piles up."""
        now = self.clock()
        self._purge(_SWEPT_BY_A_CREATE, now - PURGE_DELAY, exactly=False)
        if len(self._records) >= self._max_sessions:
            self._purge(PURGE_BATCH, nextafter(now, inf), exactly=True)

    def _purge(self, limit: int, moment: float, *, exactly: bool) -> int:
        """Remove records that had expired before the moment; `exactly` looks at its minute too."""
        removed = 0
        while removed < limit:
            bucket = self._oldest_bucket()
            if bucket is None or bucket > _bucket(moment):
                break
            if bucket == _bucket(moment):
                return removed + (
                    self._purge_one(bucket, limit - removed, moment) if exactly else 0
                )
            keys = self._buckets[bucket]
            for _ in range(min(limit - removed, len(keys))):
                self._remove(keys.pop())
                removed += 1
        return removed

    def _purge_one(self, bucket: int, limit: int, moment: float) -> int:
        keys = self._buckets[bucket]
        expired = [key for key in keys if self._records[key].expires_at < moment][:limit]
        for key in expired:
            self._remove(key)
        return len(expired)

    def _oldest_bucket(self) -> int | None:
        while self._order and self._order[0] not in self._buckets:
            heappop(self._order)
        return self._order[0] if self._order else None


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
    values = sum([len(name) + len(value) for name, value in record.values.items()])
    return _OVERHEAD_BYTES + len(key) + values


def _growth(values: Mapping[str, bytes], changes: Changes) -> int:
    """Return by how many bytes the changes make the values larger."""
    grown = 0
    if changes.clear:
        grown = -sum([len(name) + len(value) for name, value in values.items()])
        values = {}
    for name, value in changes.set.items():
        if name in changes.removed:
            continue
        grown += len(value) - len(values[name]) if name in values else len(name) + len(value)
    for name in changes.removed:
        if name in values:
            grown -= len(name) + len(values[name])
    return grown
