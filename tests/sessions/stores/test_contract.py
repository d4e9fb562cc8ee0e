"""The stores of the project keep the contract, and the suite says what a new store lacks."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from unittest import SkipTest

import pytest

from sessions.stores.base import AsyncStore, Store, wall_clock
from sessions.stores.memory import MemoryStore
from sessions.stores.sqlite import SQLiteStore
from sessions.testing import (
    AsyncStoreContract,
    CountableContract,
    ListableContract,
    ManualClock,
    StoreContract,
    UserIndexContract,
)
from tests.support.dictionary_store import DictionaryStore
from tests.support.faulty_stores.values import VersionIsAlwaysTheNewest
from tests.support.suspending_store import SuspendingStore


class TestMemoryStore(CountableContract, ListableContract, StoreContract, UserIndexContract):
    """MemoryStore keeps the contract."""

    def make_store(self, clock: Callable[[], float]) -> Store:
        """Return an empty store."""
        return MemoryStore(clock=clock)


class TestSQLiteStore(CountableContract, ListableContract, StoreContract, UserIndexContract):
    """SQLiteStore keeps the contract, also between two processes."""

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    def make_store(self, clock: Callable[[], float]) -> Store:
        """Return a store in a new file."""
        return SQLiteStore(self.folder / "sessions.db", clock=clock)

    def break_store(self, store: Store) -> None:
        """Put a folder in the place of the database."""
        store.close()
        for path in self.folder.iterdir():
            path.unlink()
        (self.folder / "sessions.db").mkdir()

    def damage_record(self, store: Store, key: str) -> None:
        """Remove the secret from the record."""
        with closing(sqlite3.connect(self.folder / "sessions.db")) as connection:
            connection.execute("UPDATE sessions SET secret = NULL WHERE key = ?", (key,))
            connection.commit()

    def open_in_another_process(self, store: Store) -> Callable[[], Store]:
        """Return a function that opens the same file in another process."""
        return partial(SQLiteStore, self.folder / "sessions.db", clock=store.clock)


class TestSuspendingStore(CountableContract, ListableContract, AsyncStoreContract):
    """An asynchronous store whose calls really suspend keeps the contract."""

    def make_store(self, clock: Callable[[], float]) -> AsyncStore:
        """Return an empty store."""
        return SuspendingStore(MemoryStore(clock=clock))

    async def break_store(self, store: AsyncStore) -> None:
        """Break every verb."""
        assert isinstance(store, SuspendingStore)
        store.broken.update(
            ("load", "create", "commit", "touch", "delete", "purge", "count", "page")
        )


class OnServerClock(StoreContract):
    """Run the suite for a store whose server has its own clock."""

    server_expires = True

    def make_store(self, clock: Callable[[], float]) -> Store:
        """Return an empty store that does not read the test's clock."""
        return DictionaryStore(wall_clock)


class WithoutStore(StoreContract):
    """Have no make_store."""


class WithoutAsyncStore(AsyncStoreContract):
    """Have no make_store."""


class OnAnotherClock(StoreContract):
    """Make a store that ignores the test's clock."""

    def make_store(self, clock: Callable[[], float]) -> Store:
        """Return an empty store with a clock of its own."""
        return DictionaryStore(ManualClock(0.0))


@pytest.mark.parametrize("suite", [WithoutStore(), WithoutAsyncStore()])
def test_a_suite_without_make_store_says_what_to_write(
    suite: StoreContract | AsyncStoreContract,
) -> None:
    """Without the message, the author would not know why the suite fails."""
    with pytest.raises(NotImplementedError) as caught:
        suite.test_load_of_a_missing_key_is_none()

    assert str(caught.value) == (
        f"{type(suite).__name__} does not say which store it tests. Fix: write the method"
        " make_store(self, clock), which returns a new, empty store that uses the clock"
    )


def test_a_store_that_never_expires_is_asked_for_its_clock() -> None:
    """The message asks for the clock, because most such stores read another one."""
    with pytest.raises(AssertionError) as caught:
        OnAnotherClock().test_a_record_is_absent_exactly_at_its_expiry()

    assert str(caught.value).startswith(
        "load at the expiry; does the store read the time from self.clock()?: expected None"
    )


def test_a_failed_test_shows_the_fields_that_differ() -> None:
    """The message leaves equal fields out."""

    class Suite(StoreContract):
        def make_store(self, clock: Callable[[], float]) -> Store:
            return VersionIsAlwaysTheNewest(clock)

    with pytest.raises(AssertionError) as caught:
        Suite().test_a_record_comes_back_as_it_was_kept()

    assert str(caught.value) == "load after create: version: expected 1, found 2"


def test_a_suite_that_cannot_break_its_store_skips_one_test() -> None:
    """The reason of the skip says what to write."""
    with pytest.raises(SkipTest) as skipped:
        OnServerClock().test_a_broken_store_raises_store_unavailable()

    assert str(skipped.value) == (
        "the suite does not know how to break this store. Fix: write the method break_store(self,"
        " store)"
    )


def test_a_store_on_the_clock_of_its_server_passes_the_other_tests() -> None:
    """Tests that move the clock are skipped; the times of the server count as now."""
    suite, skipped = OnServerClock(), []
    tests = [name for name in dir(suite) if name.startswith("test_") and "two_calls" not in name]
    for test in tests:
        try:
            getattr(suite, test)()
        except SkipTest as skip:
            skipped.append(str(skip))

    assert 0 < len(skipped) < len(tests) / 2
    assert set(skipped) == {
        "the store does not give out its expired records",
        "the server uses its own clock (server_expires = True)",
        "the suite does not know how to break this store. Fix: write the method break_store(self,"
        " store)",
        "the suite does not know how to damage a record of this store. Fix: write the method"
        " damage_record(self, store, key)",
    }
