"""A small store that keeps the contract; tests put faults into it."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace

from sessions.errors import StoreUnavailable, UnreadableValue
from sessions.record import Changes, Ended, Outcome, Record
from sessions.stores.base import PURGE_DELAY, REMEMBERED_FOR, Store
from sessions.stores.listing import Page


class DictionaryStore(Store):
    """Keep records in a dictionary.

    Each step of it is a method, so that a test can put a fault into one of them.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.is_broken = False
        self.damaged: set[str] = set()
        self.lock = threading.Lock()
        self.records: dict[str, Record] = {}
        self.endings: dict[str, Ended] = {}

    def load(self, key: str) -> Record | Ended | None:
        self.ask_server()
        with self.locked():
            if key in self.damaged:
                raise UnreadableValue("the record is damaged")
            return self.live(key) or self.ending(key)

    def create(self, key: str, record: Record) -> bool:
        self.ask_server()
        with self.locked():
            live = self.live(key)
            if live is not None:
                return live.secret == record.secret
            self.endings.pop(key, None)
            self.damaged.discard(key)
            self.records[key] = self.kept(record)
            return True

    def commit(self, key: str, changes: Changes) -> Outcome:
        self.ask_server()
        with self.locked():
            record = self.live(key)
            if record is None:
                return Outcome.GONE
            outcome = self.outcome(record, changes)
            if outcome is Outcome.APPLIED:
                self.records[key] = self.changed(record, changes)
            return outcome

    def touch(self, key: str, secret: str, expires_at: float, accessed_at: float) -> bool:
        self.ask_server()
        with self.locked():
            record = self.live(key)
            if record is None or record.secret != secret:
                return False
            self.records[key] = self.touched(record, expires_at, accessed_at)
            return True

    def delete(self, key: str, *, user_id: str | None = None) -> bool:
        self.ask_server()
        with self.locked():
            record = self.live(key)
            if user_id is None:
                self.damaged.discard(key)
            if record is None or (user_id is not None and record.user_id != user_id):
                return False
            self.end(key)
            return True

    def purge(self, limit: int) -> int:
        self.ask_server()
        with self.locked():
            old = [key for key, record in self.records.items() if self.is_old(record)][:limit]
            for key in old:
                del self.records[key]
            return len(old)

    def count(self) -> int:
        """Return the number of live records."""
        return len(self.page(None, len(self.records) + 1).records)

    def page(self, after: str | None, limit: int) -> Page:
        """Return the next live records in the order of their keys."""
        self.ask_server()
        with self.locked():
            keys = sorted(key for key in self.records if after is None or key > after)
            records = [(key, record) for key in keys if (record := self.live(key))][:limit]
            return Page(records, records[-1][0] if len(records) == limit else None)

    def damage(self, key: str) -> None:
        """Let a record be there that nobody can read."""
        with self.locked():
            del self.records[key]
            self.damaged.add(key)

    def ask_server(self) -> None:
        """Raise StoreUnavailable if the store is broken."""
        if self.is_broken:
            raise StoreUnavailable("the store is broken")

    def locked(self) -> AbstractContextManager[object]:
        """Return the lock of the store."""
        return self.lock

    def live(self, key: str) -> Record | None:
        """Return the record if it is alive."""
        record = self.records.get(key)
        return record if record is not None and record.expires_at > self.clock() else None

    def ending(self, key: str) -> Ended | None:
        """Return when the record was ended, if this was a short time ago."""
        ended = self.endings.get(key)
        return ended if ended is not None and self.clock() - ended.at < REMEMBERED_FOR else None

    def kept(self, record: Record) -> Record:
        """Return a new record as the store keeps it."""
        return replace(record, values=dict(record.values))

    def outcome(self, record: Record, changes: Changes) -> Outcome:
        """Return the outcome of a commit."""
        return record.outcome_of(changes, self.clock())

    def changed(self, record: Record, changes: Changes) -> Record:
        """Return the record after a commit."""
        return record.changed_by(changes, self.clock())

    def touched(self, record: Record, expires_at: float, accessed_at: float) -> Record:
        """Return the record after a touch."""
        return record.touched(expires_at, accessed_at, self.clock())

    def end(self, key: str) -> None:
        """Remove the record, and remember that it was ended."""
        del self.records[key]
        self.endings[key] = Ended(self.clock())

    def is_old(self, record: Record) -> bool:
        """Return whether a purge removes the record."""
        return record.expires_at + PURGE_DELAY < self.clock()


class ExpiringDictionaryStore(DictionaryStore):
    """Give out the expired records, too."""

    collects_expired = False

    def take_expired(self, key: str) -> Record | None:
        """Remove the record if it has expired, and return it."""
        self.ask_server()
        with self.locked():
            return None if self.live(key) is not None else self.records.pop(key, None)

    def purge_expired(self, limit: int) -> list[tuple[str, Record]]:
        """Purge, and return the removed records."""
        self.ask_server()
        with self.locked():
            old = [key for key, record in self.records.items() if self.is_old(record)][:limit]
            return [(key, self.records.pop(key)) for key in old]

    def has_expired(self, key: str) -> bool:
        """Return whether the expired record is still there."""
        self.ask_server()
        with self.locked():
            return key in self.records and self.live(key) is None
