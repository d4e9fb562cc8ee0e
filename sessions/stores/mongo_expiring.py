"""Remove the expired documents of the MongoDB stores, and return each of them once."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from secrets import token_hex
from typing import TypeVar

from sessions.errors import StoreUnavailable
from sessions.record import Record
from sessions.stores import mongo_plans as plans
from sessions.stores.base import PURGE_BATCH, PURGE_DELAY
from sessions.stores.expiring import Expired
from sessions.stores.mongo_documents import KEPT_FOR, Document, expired_in
from sessions.stores.mongo_plans import Keeping, Plan
from sessions.stores.mongo_users import remove_dead_entries

T = TypeVar("T")

_TAKEN = 50
"""The largest number of documents that one operation returns, because their values take time."""
_LEFT = (plans.remove_ended, plans.remove_taken, remove_dead_entries)
"""What a purge removes besides the expired documents."""


class MongoExpiring(ABC):
    """Remove and return the expired documents of a MongoDB store."""

    clock: Callable[[], float]
    collects_expired = False

    @abstractmethod
    def _run(self, plan: Plan[T], *, deadline: float | None = None) -> T:
        """Run the operations of a plan, and return its result: see `mongo_plans`."""

    @property
    def _keeping(self) -> Keeping:
        collects = self.collects_expired
        return Keeping(self.clock, KEPT_FOR if collects else PURGE_DELAY, collects)

    def purge(self, limit: int) -> int:
        """Remove expired records: see `Store.purge`. A TTL index removes them too."""

        def remove(size: int) -> int:
            return self._run(plans.remove_expired(size, self._keeping))

        return self._purge(limit, PURGE_BATCH, remove)

    def has_expired(self, key: str) -> bool:
        """Return whether the store still has the expired record: see `KeepsExpired`."""
        return self._run(plans.has_expired(key, self.clock))

    def take_expired(self, key: str) -> Record | None:
        """Remove and return the record if it has expired: see `Expiring`."""
        return self._run(plans.take_expired(key, self.clock))

    def purge_expired(self, limit: int) -> list[Expired]:
        """Purge, and return the removed records: see `Expiring`."""
        taken: list[Document] = []

        def take(size: int) -> int:
            mark = token_hex(16)
            some = self._run(plans.mark_some(mark, size, self._keeping))
            taken.extend(some)
            if some:
                self._run(plans.remove_marked(mark, some))
            return len(some)

        try:
            self._purge(limit, _TAKEN, take)
        except StoreUnavailable:
            # The documents that were marked before the failure must be returned.
            if not taken:
                raise
        return _records_in(taken)

    def _purge(self, limit: int, most: int, remove: Callable[[int], int]) -> int:
        removed = 0
        while removed < limit:
            size = min(most, limit - removed)
            count = remove(size)
            removed += count
            if count < size:
                break
        for plan in _LEFT:
            while self._run(plan(PURGE_BATCH, self.clock)) == PURGE_BATCH:
                pass
        return removed


class AsyncMongoExpiring(ABC):
    """Remove and return the expired documents of an asynchronous MongoDB store."""

    clock: Callable[[], float]
    collects_expired = False

    @abstractmethod
    async def _run(self, plan: Plan[T], *, deadline: float | None = None) -> T:
        """Run the operations of a plan, and return its result: see `mongo_plans`."""

    @property
    def _keeping(self) -> Keeping:
        collects = self.collects_expired
        return Keeping(self.clock, KEPT_FOR if collects else PURGE_DELAY, collects)

    async def purge(self, limit: int) -> int:
        """Remove expired records: see `Store.purge`. A TTL index removes them too."""

        async def remove(size: int) -> int:
            return await self._run(plans.remove_expired(size, self._keeping))

        return await self._purge(limit, PURGE_BATCH, remove)

    async def has_expired(self, key: str) -> bool:
        """Return whether the store still has the expired record: see `KeepsExpired`."""
        return await self._run(plans.has_expired(key, self.clock))

    async def take_expired(self, key: str) -> Record | None:
        """Remove and return the record if it has expired: see `Expiring`."""
        return await self._run(plans.take_expired(key, self.clock))

    async def purge_expired(self, limit: int) -> list[Expired]:
        """Purge, and return the removed records: see `Expiring`."""
        taken: list[Document] = []

        async def take(size: int) -> int:
            mark = token_hex(16)
            some = await self._run(plans.mark_some(mark, size, self._keeping))
            taken.extend(some)
            if some:
                await self._run(plans.remove_marked(mark, some))
            return len(some)

        try:
            await self._purge(limit, _TAKEN, take)
        except StoreUnavailable:
            # The documents that were marked before the failure must be returned.
            if not taken:
                raise
        return _records_in(taken)

    async def _purge(self, limit: int, most: int, remove: Callable[[int], Awaitable[int]]) -> int:
        removed = 0
        while removed < limit:
            size = min(most, limit - removed)
            count = await remove(size)
            removed += count
            if count < size:
                break
        for plan in _LEFT:
            while await self._run(plan(PURGE_BATCH, self.clock)) == PURGE_BATCH:
                pass
        return removed


def _records_in(documents: list[Document]) -> list[Expired]:
    found = [(document["_id"], expired_in(document)) for document in documents]
    return [(key, record) for key, record in found if record is not None]
