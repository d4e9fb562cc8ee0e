"""An asynchronous store that lets other tasks go on before and after each of its calls."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from sessions.errors import StoreUnavailable
from sessions.record import Changes, Ended, Outcome, Record
from sessions.stores.base import AsyncStore, Store
from sessions.stores.expiring import Expired
from sessions.stores.listing import Countable, Listable, Page

T = TypeVar("T")


class SuspendingStore(AsyncStore):
    """Make a blocking store an asynchronous one whose calls really suspend.

    `calls` names the verbs that were asked for. A verb in `broken` raises StoreUnavailable. What
    `before` holds for a verb is called just before the inner store is.
    """

    def __init__(self, inner: Store) -> None:
        self.inner = inner
        self.calls: list[str] = []
        self.broken: set[str] = set()
        self.before: dict[str, Callable[[], None]] = {}

    @property
    def clock(self) -> Callable[[], float]:
        """Return the clock of the inner store."""
        return self.inner.clock

    @clock.setter
    def clock(self, clock: Callable[[], float]) -> None:
        self.inner.clock = clock

    async def load(self, key: str) -> Record | Ended | None:
        await self._begin("load")
        return await _later(self.inner.load(key))

    async def create(self, key: str, record: Record) -> bool:
        await self._begin("create")
        return await _later(self.inner.create(key, record))

    async def commit(self, key: str, changes: Changes) -> Outcome:
        await self._begin("commit")
        return await _later(self.inner.commit(key, changes))

    async def touch(self, key: str, secret: str, expires_at: float, accessed_at: float) -> bool:
        await self._begin("touch")
        return await _later(self.inner.touch(key, secret, expires_at, accessed_at))

    async def delete(self, key: str, *, user_id: str | None = None) -> bool:
        await self._begin("delete")
        return await _later(self.inner.delete(key, user_id=user_id))

    async def purge(self, limit: int) -> int:
        await self._begin("purge")
        return await _later(self.inner.purge(limit))

    async def count(self) -> int:
        """Return the number of live records."""
        await self._begin("count")
        assert isinstance(self.inner, Countable)
        return await _later(self.inner.count())

    async def page(self, after: str | None, limit: int) -> Page:
        """Return the next live records."""
        await self._begin("page")
        assert isinstance(self.inner, Listable)
        return await _later(self.inner.page(after, limit))

    async def close(self) -> None:
        await asyncio.sleep(0)
        self.inner.close()

    async def _begin(self, verb: str) -> None:
        self.calls.append(verb)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        if verb in self.broken:
            raise StoreUnavailable(f"{verb} is broken, as the test says")
        if verb in self.before:
            self.before[verb]()


class SuspendingIndex(SuspendingStore):
    """Suspend also where the store is asked about the sessions of users."""

    async def add_to_user(self, user_id: str, key: str, until: float) -> None:
        await self._begin("add_to_user")
        await _later(self._index.add_to_user(user_id, key, until))

    async def keys_of_user(self, user_id: str) -> Mapping[str, float]:
        await self._begin("keys_of_user")
        keys: Mapping[str, float] = await _later(self._index.keys_of_user(user_id))
        return keys

    async def remove_from_user(self, user_id: str, entries: Mapping[str, float]) -> None:
        await self._begin("remove_from_user")
        await _later(self._index.remove_from_user(user_id, entries))

    @property
    def _index(self) -> Any:
        return self.inner


class SuspendingExpiring(SuspendingStore):
    """Suspend also where the store gives out its expired records."""

    @property
    def collects_expired(self) -> bool:
        """Return whether the inner store keeps its expired records for these calls."""
        return bool(self._expiring.collects_expired)

    @collects_expired.setter
    def collects_expired(self, collects: bool) -> None:
        self._expiring.collects_expired = collects

    async def take_expired(self, key: str) -> Record | None:
        await self._begin("take_expired")
        record: Record | None = await _later(self._expiring.take_expired(key))
        return record

    async def purge_expired(self, limit: int) -> list[Expired]:
        await self._begin("purge_expired")
        expired: list[Expired] = await _later(self._expiring.purge_expired(limit))
        return expired

    @property
    def _expiring(self) -> Any:
        return self.inner


async def _later(answer: T) -> T:
    await asyncio.sleep(0)
    return answer
