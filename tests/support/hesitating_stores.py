"""Stores that randomly let other threads or tasks run before and after each call."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from random import Random
from typing import TypeVar

from sessions import Store
from sessions.record import Changes, Ended, Outcome, Record
from tests.support.suspending_store import SuspendingStore

T = TypeVar("T")


def hesitate(random: Random) -> None:
    """Let other threads run first, or not."""
    for _ in range(random.randrange(4)):
        # Nothing waits here: another thread that can run does.
        time.sleep(0)


class HesitatingStore(Store):
    """A store that lets other threads run first."""

    def __init__(self, inner: Store, random: Random) -> None:
        self._inner = inner
        self._random = random

    def load(self, key: str) -> Record | Ended | None:
        return self._call(lambda: self._inner.load(key))

    def create(self, key: str, record: Record) -> bool:
        return self._call(lambda: self._inner.create(key, record))

    def commit(self, key: str, changes: Changes) -> Outcome:
        return self._call(lambda: self._inner.commit(key, changes))

    def touch(self, key: str, secret: str, expires_at: float, accessed_at: float) -> bool:
        return self._call(lambda: self._inner.touch(key, secret, expires_at, accessed_at))

    def delete(self, key: str, *, user_id: str | None = None) -> bool:
        return self._call(lambda: self._inner.delete(key, user_id=user_id))

    def purge(self, limit: int) -> int:
        return self._inner.purge(limit)

    def close(self) -> None:
        self._inner.close()

    def _call(self, call: Callable[[], T]) -> T:
        hesitate(self._random)
        answer = call()
        hesitate(self._random)
        return answer


class HesitatingAsyncStore(SuspendingStore):
    """A store that lets other tasks run first."""

    def __init__(self, inner: Store, random: Random) -> None:
        super().__init__(inner)
        self._random = random

    async def load(self, key: str) -> Record | Ended | None:
        return await self._hesitating(super().load(key))

    async def create(self, key: str, record: Record) -> bool:
        return await self._hesitating(super().create(key, record))

    async def commit(self, key: str, changes: Changes) -> Outcome:
        return await self._hesitating(super().commit(key, changes))

    async def touch(self, key: str, secret: str, expires_at: float, accessed_at: float) -> bool:
        return await self._hesitating(super().touch(key, secret, expires_at, accessed_at))

    async def delete(self, key: str, *, user_id: str | None = None) -> bool:
        return await self._hesitating(super().delete(key, user_id=user_id))

    async def _hesitating(self, call: Awaitable[T]) -> T:
        for _ in range(self._random.randrange(6)):
            await asyncio.sleep(0)
        return await call
