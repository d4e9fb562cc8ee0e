"""Stores that count what they are asked, or fail when they are told to."""

from collections.abc import Callable

from sessions import Changes, Outcome, Record, Store, StoreUnavailable


class WatchedStore(Store):
    """Keep records in another store, note every call, and fail the calls named in `broken`."""

    def __init__(self, inner: Store) -> None:
        self._inner = inner
        self.calls: list[str] = []
        self.commits: list[Changes] = []
        self.keys: set[str] = set()
        self.broken: set[str] = set()
        self.before: dict[str, Callable[[], object]] = {}

    @property
    def writes(self) -> list[str]:
        """Return the calls that change something."""
        return [call for call in self.calls if call != "load"]

    def load(self, key: str) -> Record | None:
        self._note("load", key)
        return self._inner.load(key)

    def create(self, key: str, record: Record) -> bool:
        self._note("create", key)
        return self._inner.create(key, record)

    def commit(self, key: str, changes: Changes) -> Outcome:
        self.commits.append(changes)
        self._note("commit", key)
        return self._inner.commit(key, changes)

    def touch(self, key: str, expires_at: float, accessed_at: float) -> bool:
        self._note("touch", key)
        return self._inner.touch(key, expires_at, accessed_at)

    def delete(self, key: str) -> bool:
        self._note("delete", key)
        return self._inner.delete(key)

    def rename(self, key: str, new_key: str) -> bool:
        self._note("rename", key, new_key)
        return self._inner.rename(key, new_key)

    def purge(self, limit: int) -> int:
        self._note("purge")
        return self._inner.purge(limit)

    def _note(self, call: str, *keys: str) -> None:
        self.calls.append(call)
        self.keys.update(keys)
        if call in self.before:
            self.before.pop(call)()
        if call in self.broken:
            raise StoreUnavailable(f"the test broke {call}")
