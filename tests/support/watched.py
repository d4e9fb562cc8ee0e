"""Stores that count their calls, or fail in chosen calls."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from sessions import Changes, Ended, Outcome, Record, Store, StoreUnavailable

T = TypeVar("T")


class WatchedStore(Store):
    """Keep records in another store, note every call, and fail the calls named in `broken`.

    What `before` holds for a call runs once, just before the other store gets it. A call in
    `loses_reply` is carried out and fails all the same.
    """

    def __init__(self, inner: Store) -> None:
        self._inner = inner
        self.clock = inner.clock
        self.calls: list[str] = []
        self.commits: list[Changes] = []
        self.keys: set[str] = set()
        self.broken: set[str] = set()
        self.loses_reply: set[str] = set()
        self.before: dict[str, Callable[[], object]] = {}

    @property
    def writes(self) -> list[str]:
        """Return the calls that change a record."""
        return [call for call in self.calls if call != "load"]

    def load(self, key: str) -> Record | Ended | None:
        self._note("load", key)
        return self._replied("load", self._inner.load(key))

    def create(self, key: str, record: Record) -> bool:
        self._note("create", key)
        return self._replied("create", self._inner.create(key, record))

    def commit(self, key: str, changes: Changes) -> Outcome:
        self.commits.append(changes)
        self._note("commit", key)
        return self._replied("commit", self._inner.commit(key, changes))

    def touch(self, key: str, secret: str, expires_at: float, accessed_at: float) -> bool:
        self._note("touch", key)
        return self._replied("touch", self._inner.touch(key, secret, expires_at, accessed_at))

    def delete(self, key: str, *, user_id: str | None = None) -> bool:
        self._note("delete", key)
        return self._replied("delete", self._inner.delete(key, user_id=user_id))

    def purge(self, limit: int) -> int:
        self._note("purge")
        return self._replied("purge", self._inner.purge(limit))

    def _note(self, call: str, *keys: str) -> None:
        self.calls.append(call)
        self.keys.update(keys)
        if call in self.before:
            self.before.pop(call)()
        if call in self.broken:
            raise StoreUnavailable(f"the test broke {call}")

    def _replied(self, call: str, reply: T) -> T:
        if call in self.loses_reply:
            raise StoreUnavailable(f"the test lost the reply to {call}")
        return reply


class WatchedIndex(WatchedStore):
    """Watch also what a store is asked about the sessions of users."""

    def add_to_user(self, user_id: str, key: str, until: float) -> None:
        self._note("add_to_user", key)
        self._replied("add_to_user", self._index.add_to_user(user_id, key, until))

    def keys_of_user(self, user_id: str) -> Mapping[str, float]:
        self._note("keys_of_user")
        keys: Mapping[str, float] = self._index.keys_of_user(user_id)
        return self._replied("keys_of_user", keys)

    def remove_from_user(self, user_id: str, entries: Mapping[str, float]) -> None:
        self._note("remove_from_user", *entries)
        self._replied("remove_from_user", self._index.remove_from_user(user_id, entries))

    @property
    def _index(self) -> Any:
        return self._inner


class ExpiringWatched(WatchedStore):
    """Watch a store with an index of users that gives out its expired records."""

    @property
    def collects_expired(self) -> bool:
        return bool(self._any.collects_expired)

    @collects_expired.setter
    def collects_expired(self, collects: bool) -> None:
        self._any.collects_expired = collects

    def take_expired(self, key: str) -> Record | None:
        self._note("take_expired", key)
        taken: Record | None = self._any.take_expired(key)
        return taken

    def purge_expired(self, limit: int) -> list[tuple[str, Record]]:
        self._note("purge_expired")
        expired: list[tuple[str, Record]] = self._any.purge_expired(limit)
        return expired

    def add_to_user(self, user_id: str, key: str, until: float) -> None:
        self._any.add_to_user(user_id, key, until)

    def keys_of_user(self, user_id: str) -> dict[str, float]:
        keys: dict[str, float] = self._any.keys_of_user(user_id)
        return keys

    def remove_from_user(self, user_id: str, entries: Mapping[str, float]) -> None:
        self._any.remove_from_user(user_id, entries)

    @property
    def _any(self) -> Any:
        return self._inner
