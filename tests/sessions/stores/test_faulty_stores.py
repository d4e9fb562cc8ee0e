"""The suites find the fault of each faulty store, and no fault in a sound store."""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from unittest import SkipTest

import pytest

from sessions.record import Changes, Outcome
from sessions.stores.base import AsyncStore, Store
from sessions.testing import (
    AsyncStoreContract,
    CountableContract,
    ListableContract,
    StoreContract,
)
from tests.support.dictionary_store import DictionaryStore, ExpiringDictionaryStore
from tests.support.faulty_stores import FAULTS
from tests.support.file_store import UnlockedFileStore
from tests.support.suspending_store import SuspendingStore

pytestmark = pytest.mark.slow


def suite_of(kind: type[DictionaryStore]) -> StoreContract:
    """Return the suite of a store, for a run by hand."""

    class Suite(CountableContract, ListableContract, StoreContract):
        def make_store(self, clock: Callable[[], float]) -> Store:
            return kind(clock)

        def break_store(self, store: Store) -> None:
            assert isinstance(store, DictionaryStore)
            store.is_broken = True

        def damage_record(self, store: Store, key: str) -> None:
            assert isinstance(store, DictionaryStore)
            store.damage(key)

    return Suite()


def contract_tests_in(suite: StoreContract | AsyncStoreContract) -> list[Callable[[], None]]:
    """Return the tests of a suite that pytest would find."""
    return [getattr(suite, name) for name in dir(suite) if name.startswith("test_")]


def test_the_suite_passes_for_a_correct_store() -> None:
    """Each test passes, and two are skipped, because the store is in the memory of one process."""
    skipped = []
    for test in contract_tests_in(suite_of(ExpiringDictionaryStore)):
        try:
            test()
        except SkipTest as skip:
            skipped.append(str(skip))

    alone = (
        "the suite does not know how to open this store in another process. Fix: write the method"
        " open_in_another_process(self, store)"
    )
    assert skipped == [alone, alone]


@pytest.mark.parametrize(
    ("kind", "name"), FAULTS, ids=[f"{kind.__name__}-{name}" for kind, name in FAULTS]
)
def test_the_suite_finds_a_fault(kind: type[DictionaryStore], name: str) -> None:
    """A test of the faulty part fails, and shows what it expected and what it found."""
    test = getattr(suite_of(kind), name)

    with pytest.raises(AssertionError, match=r"expected .*, found "):
        test()


class FileSuite(StoreContract):
    """Run the tests with several processes for a store in a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def make_store(self, clock: Callable[[], float]) -> Store:
        """Return a store in a new file."""
        return UnlockedFileStore(self.path, clock)

    def open_in_another_process(self, store: Store) -> Callable[[], Store]:
        """Return a function that opens the same file in another process."""
        return partial(UnlockedFileStore, self.path, store.clock)


def test_the_suite_finds_that_processes_do_not_lock_the_file(tmp_path: Path) -> None:
    """A lock inside one process does not stop another process."""
    suite = FileSuite(tmp_path / "records")

    suite.test_two_calls_at_once_on_an_expired_record()
    with pytest.raises(AssertionError, match=r"in another process.*expected .*, found "):
        suite.test_two_calls_at_once_from_two_processes()


class CommitWaitsInBetween(SuspendingStore):
    """A commit reads, lets other tasks go on, and writes."""

    async def commit(self, key: str, changes: Changes) -> Outcome:
        assert isinstance(self.inner, DictionaryStore)
        record = self.inner.live(key)
        await asyncio.sleep(0)
        if record is None:
            return Outcome.GONE
        outcome = self.inner.outcome(record, changes)
        if outcome is Outcome.APPLIED:
            self.inner.records[key] = self.inner.changed(record, changes)
        return outcome


class TouchWaitsInBetween(SuspendingStore):
    """A touch reads, lets other tasks go on, and writes."""

    async def touch(self, key: str, secret: str, expires_at: float, accessed_at: float) -> bool:
        assert isinstance(self.inner, DictionaryStore)
        record = self.inner.live(key)
        await asyncio.sleep(0)
        if record is None or record.secret != secret:
            return False
        self.inner.records[key] = self.inner.touched(record, expires_at, accessed_at)
        return True


class CommitWaitsUnderALock(CommitWaitsInBetween):
    """A commit waits in its middle, and holds a lock that other calls need."""

    def __init__(self, inner: Store) -> None:
        super().__init__(inner)
        self.lock = asyncio.Lock()

    async def commit(self, key: str, changes: Changes) -> Outcome:
        async with self.lock:
            return await super().commit(key, changes)

    async def touch(self, key: str, secret: str, expires_at: float, accessed_at: float) -> bool:
        async with self.lock, asyncio.timeout(5):
            return await super().touch(key, secret, expires_at, accessed_at)

    async def delete(self, key: str, *, user_id: str | None = None) -> bool:
        async with self.lock:
            return await super().delete(key, user_id=user_id)


class LockSuite(AsyncStoreContract):
    """Run the contract for a store with a lock between its tasks."""

    def make_store(self, clock: Callable[[], float]) -> AsyncStore:
        """Return an empty store."""
        return CommitWaitsUnderALock(DictionaryStore(clock))


def test_the_suite_passes_for_a_store_with_a_lock() -> None:
    """A call that is interrupted inside its lock goes on later, and so does the waiting call."""
    suite = LockSuite()

    suite.test_two_calls_at_once_on_a_live_record()
    suite.test_parallel_commits_of_different_names_all_survive()


@pytest.mark.parametrize("kind", [CommitWaitsInBetween, TouchWaitsInBetween])
def test_the_suite_finds_a_call_that_is_not_atomic(kind: type[SuspendingStore]) -> None:
    """A call that waits in its middle without a lock is not atomic."""

    class Suite(AsyncStoreContract):
        def make_store(self, clock: Callable[[], float]) -> AsyncStore:
            return kind(DictionaryStore(clock))

    with pytest.raises(AssertionError, match=r"at the same time.*expected .*, found "):
        Suite().test_two_calls_at_once_on_a_live_record()
