"""Wrappers that let a test await a blocking store and an asynchronous store alike."""

import asyncio
from abc import abstractmethod
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, TypeVar, cast

from sessions.record import CLOCK_TOLERANCE, Changes, Ended, Outcome, Record
from sessions.stores.base import AsyncStore, Store
from sessions.stores.expiring import Expired
from sessions.stores.listing import Page
from sessions.testing.clock import ManualClock
from sessions.testing.interruptions import (
    InterruptedTask,
    InterruptedThread,
    OtherTask,
    OtherThread,
    finish,
)
from sessions.testing.threads import in_parallel

T = TypeVar("T")
Work = Callable[[], Coroutine[Any, Any, T]]


class StoreUnderTest(AsyncStore):
    """Let a test await each call of a store; the subclasses call the store in different ways."""

    def __init__(self, clock: ManualClock, *, server_expires: bool) -> None:
        self._manual_clock = clock
        self._server_expires = server_expires

    @abstractmethod
    def set_clock(self, clock: ManualClock) -> None:
        """Give the store another clock, as a container with its own clock does."""

    @abstractmethod
    async def ask(self, verb: str, *arguments: Any, **options: Any) -> Any:
        """Call a method of the store, and return its result."""

    @abstractmethod
    async def in_parallel(self, works: Sequence[Work[T]]) -> list[T]:
        """Run all functions at the same time, and return their results."""

    @abstractmethod
    async def interrupt(
        self, work: Work[object], other: Work[object], at: int
    ) -> tuple[object, object, int]:
        """Run `work`, pause it at its point number `at`, and run `other` during the pause.

        Return both results, and the number of points of `work`. A point is a place at which a call
        can be paused: see `sessions.testing.interruptions`.
        """

    async def load(self, key: str) -> Record | Ended | None:
        found = cast(Record | Ended | None, await self.ask("load", key))
        return self._by_our_clock(found) if self._server_expires else found

    async def create(self, key: str, record: Record) -> bool:
        return cast(bool, await self.ask("create", key, record))

    async def commit(self, key: str, changes: Changes) -> Outcome:
        return cast(Outcome, await self.ask("commit", key, changes))

    async def touch(self, key: str, secret: str, expires_at: float, accessed_at: float) -> bool:
        return cast(bool, await self.ask("touch", key, secret, expires_at, accessed_at))

    async def delete(self, key: str, *, user_id: str | None = None) -> bool:
        return cast(bool, await self.ask("delete", key, user_id=user_id))

    async def purge(self, limit: int) -> int:
        return cast(int, await self.ask("purge", limit))

    async def count(self) -> int:
        """Return the number of live records: see `Countable`."""
        return cast(int, await self.ask("count"))

    async def page(self, after: str | None, limit: int) -> Page:
        """Return the next live records: see `Listable`."""
        page = cast(Page, await self.ask("page", after, limit))
        if not self._server_expires:
            return page
        records = [(key, cast(Record, self._by_our_clock(record))) for key, record in page.records]
        return Page(records, page.after)

    async def take_expired(self, key: str) -> Record | None:
        """Remove and return the expired record: see `Expiring`."""
        return cast(Record | None, await self.ask("take_expired", key))

    async def purge_expired(self, limit: int) -> list[Expired]:
        """Purge, and return the removed records: see `Expiring`."""
        return cast("list[Expired]", await self.ask("purge_expired", limit))

    async def close(self) -> None:
        await self.ask("close")

    def _by_our_clock(self, found: Record | Ended | None) -> Record | Ended | None:
        """Return the answer; the test clock's time replaces a time that the server has just set."""
        now = self._manual_clock()
        if isinstance(found, Ended) and abs(found.at - now) < CLOCK_TOLERANCE:
            return Ended(now)
        if isinstance(found, Record) and abs(found.secret_since - now) < CLOCK_TOLERANCE:
            return replace(found, secret_since=now)
        return found


class BlockingStoreUnderTest(StoreUnderTest):
    """Pass calls to a blocking store; calls at the same time run in threads."""

    inner: Store

    def __init__(self, store: Store, clock: ManualClock, *, server_expires: bool) -> None:
        super().__init__(clock, server_expires=server_expires)
        self.inner = store
        self._threads = ThreadPoolExecutor(1)

    def set_clock(self, clock: ManualClock) -> None:
        self.inner.clock = clock

    async def ask(self, verb: str, *arguments: Any, **options: Any) -> Any:
        return getattr(self.inner, verb)(*arguments, **options)

    async def in_parallel(self, works: Sequence[Work[T]]) -> list[T]:
        return in_parallel(len(works), lambda n: finish(works[n]()))

    async def interrupt(
        self, work: Work[object], other: Work[object], at: int
    ) -> tuple[object, object, int]:
        second = OtherThread(self._threads, lambda: finish(other()))
        first = InterruptedThread(at, second.begin)
        answer = first.run(lambda: finish(work()))
        return answer, second.answer(), first.points

    def stop(self) -> None:
        """Stop the threads."""
        self._threads.shutdown()


class AsyncStoreUnderTest(StoreUnderTest):
    """Pass calls to an asynchronous store; calls at the same time run in tasks."""

    inner: AsyncStore

    def __init__(self, store: AsyncStore, clock: ManualClock, *, server_expires: bool) -> None:
        super().__init__(clock, server_expires=server_expires)
        self.inner = store

    def set_clock(self, clock: ManualClock) -> None:
        self.inner.clock = clock

    async def ask(self, verb: str, *arguments: Any, **options: Any) -> Any:
        return await getattr(self.inner, verb)(*arguments, **options)

    async def in_parallel(self, works: Sequence[Work[T]]) -> list[T]:
        return await asyncio.gather(*(work() for work in works))

    async def interrupt(
        self, work: Work[object], other: Work[object], at: int
    ) -> tuple[object, object, int]:
        second = OtherTask(other)
        first = InterruptedTask(work(), at, second.begin)
        answer = await first
        return answer, await second.answer(), first.points
