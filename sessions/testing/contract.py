"""The suite that every store passes, for a blocking store and for an asynchronous one."""

import asyncio
from collections.abc import Callable
from typing import cast
from unittest import SkipTest

from sessions.stores.base import AsyncStore, Store
from sessions.testing.commit_laws import CommitLaws
from sessions.testing.expiry_laws import ExpiryLaws
from sessions.testing.interruptions import finish
from sessions.testing.parallel_laws import ParallelLaws
from sessions.testing.process_laws import ProcessLaws
from sessions.testing.race_laws import RaceLaws
from sessions.testing.secret_laws import SecretLaws
from sessions.testing.store_laws import StoreLaws
from sessions.testing.suite import OneTest, Suite
from sessions.testing.time_laws import TimeLaws
from sessions.testing.under_test import (
    AsyncStoreUnderTest,
    BlockingStoreUnderTest,
    StoreUnderTest,
)
from sessions.testing.value_laws import ValueLaws


class Laws(
    StoreLaws,
    ValueLaws,
    CommitLaws,
    SecretLaws,
    TimeLaws,
    ExpiryLaws,
    ParallelLaws,
    RaceLaws,
):
    """Hold a store of either kind to every law of the contract."""


class StoreContract(Laws, ProcessLaws):
    """Hold a store to the contract of `sessions.stores.base`.

    Subclass it in a test module as `class TestMyStore(StoreContract)` and return a fresh, empty
    store from `make_store`.
    """

    def make_store(self, clock: Callable[[], float]) -> Store:
        """Return a fresh, empty store that reads the clock."""
        raise NotImplementedError(_unsaid(self))

    def break_store(self, store: Store) -> None:
        """Break the store, so that every call of it fails."""
        raise SkipTest(_NOT_BROKEN)

    def hold(self, test: OneTest) -> None:
        """Run one test on a fresh store."""
        clock = self.a_clock()
        store = self.make_store(clock)
        tested = BlockingStoreUnderTest(store, clock, server_expires=self.server_expires)
        try:
            finish(test(tested, clock))
        finally:
            tested.stop()
            store.close()

    async def break_under_test(self, store: StoreUnderTest) -> None:
        """Break the store as its author says."""
        self.break_store(cast(BlockingStoreUnderTest, store).inner)


class AsyncStoreContract(Laws):
    """Hold an asynchronous store to the contract of `sessions.stores.base`.

    Subclass it in a test module as `class TestMyStore(AsyncStoreContract)` and return a fresh,
    empty store from `make_store`. Each test runs in an event loop of its own.
    """

    def make_store(self, clock: Callable[[], float]) -> AsyncStore:
        """Return a fresh, empty store that reads the clock; the event loop runs already."""
        raise NotImplementedError(_unsaid(self))

    async def break_store(self, store: AsyncStore) -> None:
        """Break the store, so that every call of it fails."""
        raise SkipTest(_NOT_BROKEN)

    def hold(self, test: OneTest) -> None:
        """Run one test on a fresh store."""
        asyncio.run(self._hold(test))

    async def break_under_test(self, store: StoreUnderTest) -> None:
        """Break the store as its author says."""
        await self.break_store(cast(AsyncStoreUnderTest, store).inner)

    async def _hold(self, test: OneTest) -> None:
        clock = self.a_clock()
        store = self.make_store(clock)
        try:
            await test(AsyncStoreUnderTest(store, clock, server_expires=self.server_expires), clock)
        finally:
            await store.close()


_NOT_BROKEN = (
    "the suite does not know how to break this store: give it def break_store(self, store)"
)


def _unsaid(suite: Suite) -> str:
    return (
        f"{type(suite).__name__} does not say which store it is about: give it"
        " def make_store(self, clock), which returns a fresh, empty store that reads the clock"
    )
