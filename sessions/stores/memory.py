"""Sessions in the memory of one process."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from heapq import heappop, heappush, nsmallest
from itertools import islice

from sessions.errors import ConfigurationError, StoreUnavailable
from sessions.names import OF_STORES, explains_settings
from sessions.record import Changes, Ended, Outcome, Record
from sessions.stores.base import (
    CALL_DEADLINE,
    PURGE_BATCH,
    PURGE_DELAY,
    REMEMBERED_FOR,
    Store,
    check_clock,
    wall_clock,
)
from sessions.stores.expiring import Expired
from sessions.stores.listing import Page
from sessions.stores.memory_forks import watch_forks
from sessions.stores.memory_users import UserEntries

_OVERHEAD_BYTES = 600
_SWEPT_BY_A_CREATE = 8


@explains_settings(OF_STORES)
class MemoryStore(Store):
    """Keep records in a dictionary of one process, until the process ends.

    The limits are `max_sessions`, and `max_bytes` of data. A full store refuses new data with
    StoreUnavailable; it never drops a live session. Every call takes constant time.

    To find expired records, the store keeps a list of keys (a bucket) for each second. A new key
    goes into the list of the second in which its record will expire. A purge looks at the lists
    whose second has passed, and at no more than PURGE_BATCH keys in one call. The purge removes
    expired records. If a record got a later expiry, the purge moves its key to the list of that
    second. Records are returned without a copy, because no code changes them.
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
        check_clock(clock, "MemoryStore")
        self.clock = clock
        self._max_sessions = max_sessions
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        watch_forks(self)
        self._records: dict[str, Record] = {}
        self._users = UserEntries(self._records)
        self._ended: dict[str, float] = {}
        self._buckets: dict[int, set[str]] = {}
        self._scheduled: dict[str, int] = {}
        self._order: list[int] = []
        self._bytes = 0
        self.collects_expired = False

    def __repr__(self) -> str:
        return f"<MemoryStore: {len(self._records)} sessions, {self._bytes} bytes>"

    def __len__(self) -> int:
        return len(self._records)

    def __bool__(self) -> bool:
        # An empty store is true, so that `store or other` returns this store.
        return True

    def load(self, key: str) -> Record | Ended | None:
        record = self._records.get(key)
        if record is not None and record.expires_at > self.clock():
            return record
        ended_at = self._ended.get(key)
        if ended_at is None or ended_at <= self.clock() - REMEMBERED_FOR:
            return None
        # Another thread may have created a new record since the first line.
        return self._live(key) or Ended(ended_at)

    def has_expired(self, key: str) -> bool:
        """Return whether the store still has the expired record: see `KeepsExpired`."""
        record = self._records.get(key)
        return record is not None and record.expires_at <= self.clock()

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
            if record is None:
                # Remove an expired record, so that it does not become live again if the clock is
                # set back.
                if not self.collects_expired:
                    self._remove(key)
                return False
            if user_id is not None and record.user_id != user_id:
                return False
            self._remove(key)
            self._remember_end(key)
            return True

    def purge(self, limit: int) -> int:
        return len(self.purge_expired(limit))

    def take_expired(self, key: str) -> Record | None:
        """Remove and return the record if it has expired: see `Expiring`."""
        with self._lock:
            return None if self._live(key) is not None else self._remove(key)

    def purge_expired(self, limit: int) -> list[Expired]:
        """Purge, and return the removed records: see `Expiring`."""
        removed: list[Expired] = []
        while len(removed) < limit:
            with self._lock:
                now = self.clock()
                forgotten = self._forget_ends(now, PURGE_BATCH)
                self._users.sweep(now, PURGE_BATCH)
                size = min(limit - len(removed), PURGE_BATCH)
                looked_at, batch = self._purge(size, now - PURGE_DELAY, exactly=True)
            removed += batch
            if looked_at == 0 and not forgotten:
                break
        return removed

    def count(self) -> int:
        """Return the number of live records: see `Countable`."""
        with self._lock:
            now = self.clock()
            return sum(record.expires_at > now for record in self._records.values())

    def page(self, after: str | None, limit: int) -> Page:
        """Return the next live records in the order of their keys: see `Listable`."""
        with self._lock:
            now = self.clock()
            alive = (
                (key, record)
                for key, record in self._records.items()
                if record.expires_at > now and (after is None or key > after)
            )
            records = nsmallest(limit, alive, key=lambda pair: pair[0])
        return Page(records, records[-1][0] if len(records) == limit else None)

    def add_to_user(self, user_id: str, key: str, until: float) -> None:
        """Add the key to the user: see `UserIndex.add_to_user`."""
        with self._lock:
            self._users.add(user_id, key, until, self.clock())

    def keys_of_user(self, user_id: str) -> dict[str, float]:
        """Return the keys of the user: see `UserIndex.keys_of_user`."""
        with self._lock:
            return self._users.keys(user_id)

    def remove_from_user(self, user_id: str, entries: Mapping[str, float]) -> None:
        """Remove these entries: see `UserIndex.remove_from_user`."""
        with self._lock:
            self._users.remove(user_id, entries)

    def wait_for_calls(self) -> bool:
        """Wait before a fork until no call is running; return False if this takes too long."""
        return self._lock.acquire(timeout=CALL_DEADLINE)

    def go_on(self) -> None:
        """Allow the calls of other threads again."""
        self._lock.release()

    def begin_in_child(self) -> None:
        """Make a new lock in a child process, where no thread can release the old lock."""
        self._lock = threading.Lock()

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
        # With a later expiry, the key stays until a purge looks at its bucket.
        if new.expires_at < old.expires_at and _bucket(new.expires_at) < self._scheduled[key]:
            self._unschedule(key)
            self._schedule(key, new.expires_at)

    def _make_room(self, size: int) -> None:
        while self._bytes + size > self._max_bytes:
            looked_at, _ = self._purge(PURGE_BATCH, self.clock(), exactly=False)
            if looked_at == 0:
                raise self._full(f"max_bytes={self._max_bytes}")

    def _full(self, bound: str) -> StoreUnavailable:
        return StoreUnavailable(
            f"the MemoryStore is full ({bound}). Fix: raise this limit, or use a SQLiteStore"
        )

    def _schedule(self, key: str, expires_at: float) -> None:
        bucket = self._scheduled[key] = _bucket(expires_at)
        keys = self._buckets.get(bucket)
        if keys is None:
            self._buckets[bucket] = {key}
            heappush(self._order, bucket)
        else:
            keys.add(key)

    def _unschedule(self, key: str) -> None:
        bucket = self._scheduled.pop(key)
        keys = self._buckets[bucket]
        keys.discard(key)
        if not keys:
            del self._buckets[bucket]

    def _remove(self, key: str) -> Record | None:
        record = self._records.pop(key, None)
        if record is not None:
            self._unschedule(key)
            self._bytes -= _size(key, record)
            self._users.forget(key)
        return record

    def _remember_end(self, key: str) -> None:
        now = self.clock()
        self._ended.pop(key, None)
        self._ended[key] = now
        self._forget_ends(now, 2)

    def _forget_ends(self, now: float, count: int) -> int:
        # The entries are in the order of their times, the oldest first.
        oldest = [*islice(self._ended, count)]
        forgotten = [key for key in oldest if self._ended[key] <= now - REMEMBERED_FOR]
        for key in forgotten:
            del self._ended[key]
        return len(forgotten)

    def _sweep(self) -> None:
        """Remove a few expired records, so that they never accumulate."""
        now = self.clock()
        self._forget_ends(now, 2)
        if not self.collects_expired:
            self._purge(_SWEPT_BY_A_CREATE, now - PURGE_DELAY, exactly=False)
        if len(self._records) >= self._max_sessions:
            self._purge(PURGE_BATCH, now, exactly=False)

    def _purge(self, limit: int, moment: float, *, exactly: bool) -> tuple[int, list[Expired]]:
        """Remove expired records; return how many keys were looked at, and the removed records.

        With `exactly`, also look at the records that expire in the same second as `moment`.
        """
        looked_at, removed = 0, list[Expired]()
        present = _bucket(moment)
        while looked_at < limit:
            bucket = self._oldest_bucket()
            if bucket is None or bucket > present:
                break
            if bucket == present:
                some = self._purge_one(bucket, limit - looked_at, moment) if exactly else []
                return looked_at + len(some), removed + some
            looked_at += 1
            removed += self._remove_or_put_off(bucket)
        return looked_at, removed

    def _remove_or_put_off(self, bucket: int) -> list[Expired]:
        """Take one key from a bucket; remove and return the record of the key if it has expired.

        If the record has got a later expiry, move its key to a later bucket, and return nothing.
        """
        # pop() of a set stays fast after many pops.
        key = self._buckets[bucket].pop()
        if not self._buckets[bucket]:
            del self._buckets[bucket]
        record = self._records[key]
        if _bucket(record.expires_at) > bucket:
            self._schedule(key, record.expires_at)
            return []
        del self._scheduled[key], self._records[key]
        self._bytes -= _size(key, record)
        self._users.forget(key)
        return [(key, record)]

    def _purge_one(self, bucket: int, limit: int, moment: float) -> list[Expired]:
        expired = (key for key in self._buckets[bucket] if self._records[key].expires_at < moment)
        some = [(key, self._records[key]) for key in islice(expired, limit)]
        for key, _ in some:
            self._remove(key)
        return some

    def _oldest_bucket(self) -> int | None:
        while self._order and self._order[0] not in self._buckets:
            heappop(self._order)
        return self._order[0] if self._order else None


def _check_positive(**bounds: int) -> None:
    problems = [
        f"MemoryStore({name}={bound!r}) could store nothing. Fix: give a positive number"
        if isinstance(bound, int)
        else (
            f"MemoryStore({name}={bound!r}) is not a whole number. Fix: give a number such as"
            " 1_000_000"
        )
        for name, bound in bounds.items()
        if not isinstance(bound, int) or bound <= 0
    ]
    if problems:
        raise ConfigurationError(problems)


def _bucket(expires_at: float) -> int:
    return int(expires_at)


def _size(key: str, record: Record) -> int:
    values = sum([len(name) + len(value) for name, value in record.values.items()])
    return _OVERHEAD_BYTES + len(key) + values


def _growth(values: Mapping[str, bytes], changes: Changes) -> int:
    """Return the number of bytes that the changes add to the values; it may be negative."""
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
