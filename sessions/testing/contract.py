"""The test suites of the store contract, for blocking and for asynchronous stores."""

import asyncio
from collections.abc import Callable
from typing import cast
from unittest import SkipTest

from sessions.stores.base import AsyncStore, Store
from sessions.testing.commit_tests import CommitTests
from sessions.testing.damage_tests import DamageTests
from sessions.testing.expiring_tests import ExpiringProcessTests, ExpiringTests
from sessions.testing.expiry_tests import ExpiryTests
from sessions.testing.interruptions import finish
from sessions.testing.parallel_tests import ParallelTests
from sessions.testing.race_tests import RaceTests
from sessions.testing.secret_tests import SecretTests
from sessions.testing.store_tests import StoreTests
from sessions.testing.suite import OneTest, Suite
from sessions.testing.time_tests import TimeTests
from sessions.testing.under_test import (
    AsyncStoreUnderTest,
    BlockingStoreUnderTest,
    StoreUnderTest,
)
from sessions.testing.user_index_tests import UserIndexTests
from sessions.testing.value_tests import ValueTests


class ContractTests(
    StoreTests,
    ValueTests,
    CommitTests,
    SecretTests,
    TimeTests,
    ExpiryTests,
    DamageTests,
    ParallelTests,
    RaceTests,
    ExpiringTests,
):
    """The tests that are the same for blocking stores and asynchronous stores."""


class BlockingSuite(Suite):
    """Test a blocking store."""

    def make_store(self, clock: Callable[[], float]) -> Store:
        """Return a new, empty store that uses this clock."""
        raise NotImplementedError(_unsaid(self))

    def break_store(self, store: Store) -> None:
        """Break the store, so that every later call fails."""
        raise SkipTest(_NOT_BROKEN)

    def damage_record(self, store: Store, key: str) -> None:
        """Damage a field of the live record, such as its secret or a time."""
        raise SkipTest(_NOT_DAMAGED)

    def run_test(self, test: OneTest) -> None:
        """Run one test with a new store."""
        clock = self.a_clock()
        store = self.make_store(clock)
        tested = BlockingStoreUnderTest(store, clock, server_expires=self.server_expires)
        try:
            finish(test(tested, clock))
        finally:
            tested.stop()
            store.close()

    async def break_under_test(self, store: StoreUnderTest) -> None:
        """Call the `break_store` of the subclass."""
        self.break_store(cast(BlockingStoreUnderTest, store).inner)

    async def damage_under_test(self, store: StoreUnderTest, key: str) -> None:
        """Call the `damage_record` of the subclass."""
        self.damage_record(cast(BlockingStoreUnderTest, store).inner, key)


class AsyncSuite(Suite):
    """Test an asynchronous store, each test in its own event loop."""

    def make_store(self, clock: Callable[[], float]) -> AsyncStore:
        """Return a new, empty store that uses this clock; the event loop is already running."""
        raise NotImplementedError(_unsaid(self))

    async def break_store(self, store: AsyncStore) -> None:
        """Break the store, so that every later call fails."""
        raise SkipTest(_NOT_BROKEN)

    async def damage_record(self, store: AsyncStore, key: str) -> None:
        """Damage a field of the live record, such as its secret or a time."""
        raise SkipTest(_NOT_DAMAGED)

    def run_test(self, test: OneTest) -> None:
        """Run one test with a new store."""
        asyncio.run(self._hold(test))

    async def break_under_test(self, store: StoreUnderTest) -> None:
        """Call the `break_store` of the subclass."""
        await self.break_store(cast(AsyncStoreUnderTest, store).inner)

    async def damage_under_test(self, store: StoreUnderTest, key: str) -> None:
        """Call the `damage_record` of the subclass."""
        await self.damage_record(cast(AsyncStoreUnderTest, store).inner, key)

    async def _hold(self, test: OneTest) -> None:
        clock = self.a_clock()
        store = self.make_store(clock)
        try:
            await test(AsyncStoreUnderTest(store, clock, server_expires=self.server_expires), clock)
        finally:
            await store.close()


class StoreContract(ContractTests, ExpiringProcessTests, BlockingSuite):
    """Test a blocking store against the contract of `sessions.stores.base`.

    In a test module, write `class TestMyStore(StoreContract)` with a method `make_store` that
    returns a new, empty store.
    """


class AsyncStoreContract(ContractTests, AsyncSuite):
    """Test an asynchronous store against the contract of `sessions.stores.base`.

    In a test module, write `class TestMyStore(AsyncStoreContract)` with a method `make_store` that
    returns a new, empty store. Each test runs in its own event loop.
    """


class UserIndexContract(UserIndexTests, BlockingSuite):
    """Test a blocking store against the rules of `sessions.stores.user_index.UserIndex`.

    Write a subclass as for `StoreContract`, or a subclass of both:
    `class TestMyStore(StoreContract, UserIndexContract)`.
    """


class AsyncUserIndexContract(UserIndexTests, AsyncSuite):
    """Test an asynchronous store against the rules of `AsyncUserIndex`.

    Write a subclass as for `AsyncStoreContract`, or a subclass of both.
    """


_NOT_BROKEN = (
    "the suite does not know how to break this store. Fix: write the method break_store(self,"
    " store)"
)
_NOT_DAMAGED = (
    "the suite does not know how to damage a record of this store. Fix: write the method"
    " damage_record(self, store, key)"
)


def _unsaid(suite: Suite) -> str:
    return (
        f"{type(suite).__name__} does not say which store it tests. Fix: write the method"
        " make_store(self, clock), which returns a new, empty store that uses the clock"
    )
