"""How SQLiteStore removes what has expired."""

import random
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from sessions.errors import StoreUnavailable
from sessions.record import Ended
from sessions.stores import sqlite
from sessions.stores.base import CALL_DEADLINE, PURGE_BATCH, PURGE_DELAY, REMEMBERED_FOR
from sessions.stores.sqlite import SQLiteStore
from sessions.testing import SECRET, ManualClock, a_record, some_changes


@pytest.fixture
def clock() -> ManualClock:
    """Return a clock that the test moves."""
    return ManualClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the database goes."""
    return tmp_path / "sessions.db"


def rows(path: Path) -> int:
    """Return how many rows the table has."""
    with closing(sqlite3.connect(path)) as connection:
        (count,) = connection.execute("SELECT COUNT(*) FROM sessions").fetchone()
    return int(count)


def fill(store: SQLiteStore, clock: ManualClock, count: int) -> None:
    """Store this number of records, which expired long enough ago."""
    for n in range(count):
        store.create(f"key{n}", a_record(clock, lives=10))
    clock.advance(11 + PURGE_DELAY)


def test_creations_remove_expired_records_by_chance(
    path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that creates only a few records does its share of the purge."""
    monkeypatch.setattr(random, "random", lambda: 0.999)
    store = SQLiteStore(path, clock=clock)
    for n in range(31):
        store.create(f"old{n}", a_record(clock, lives=10))
    clock.advance(11 + PURGE_DELAY)
    store.create("new", a_record(clock))
    assert rows(path) == 32

    monkeypatch.setattr(random, "random", lambda: sqlite.PURGE_CHANCE / 2)
    store.create("newer", a_record(clock))

    assert rows(path) == 2


def test_a_creation_does_not_fail_because_its_purge_does(
    path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failed purge is left to a later creation."""
    store = SQLiteStore(path, clock=clock)
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)

    def lock_first() -> float:
        other.execute("BEGIN IMMEDIATE")
        return 0.0

    monkeypatch.setattr(random, "random", lock_first)

    assert store.create("key", a_record(clock))
    other.close()


def test_a_creation_does_not_wait_for_its_purge(
    path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A creation does not take longer; the fastest of three tries counts."""
    store = SQLiteStore(path, clock=clock)
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    locked_at: list[float] = []

    def lock_first() -> float:
        other.execute("BEGIN IMMEDIATE")
        locked_at.append(time.monotonic())
        return 0.0

    monkeypatch.setattr(random, "random", lock_first)
    waited: list[float] = []
    for n in range(3):
        store.create(f"key{n}", a_record(clock))
        waited.append(time.monotonic() - locked_at[-1])
        other.execute("ROLLBACK")
    other.close()

    assert min(waited) < CALL_DEADLINE / 2


def test_a_purge_removes_no_more_than_its_limit(path: Path, clock: ManualClock) -> None:
    """purge() returns the number of removed records."""
    store = SQLiteStore(path, clock=clock)
    fill(store, clock, 10)

    assert [store.purge(7), store.purge(7), store.purge(7)] == [7, 3, 0]


def test_a_purge_waits_until_a_record_has_been_expired_for_a_minute(
    path: Path, clock: ManualClock
) -> None:
    """The clocks of two servers may differ by some seconds."""
    store = SQLiteStore(path, clock=clock)
    store.create("key", a_record(clock, lives=10))

    clock.advance(10 + PURGE_DELAY)
    assert store.purge(10) == 0

    clock.advance(1)
    assert store.purge(10) == 1


def test_a_purge_leaves_a_record_that_lives_longer_now(path: Path, clock: ManualClock) -> None:
    """Commits and touches move the expiry, and a later purge looks again."""
    store = SQLiteStore(path, clock=clock)
    for key in ("committed", "touched"):
        store.create(key, a_record(clock, lives=10))
    clock.advance(9)
    store.commit("committed", some_changes(clock, lives=1000))
    store.touch("touched", SECRET, clock() + 1000, clock())
    clock.advance(10 + PURGE_DELAY)

    assert store.purge(10) == 0

    clock.advance(1000)
    assert store.purge(10) == 2


def test_a_record_that_expires_sooner_now_is_purged_sooner(path: Path, clock: ManualClock) -> None:
    """A purge looks at a record no later than its expiry."""
    store = SQLiteStore(path, clock=clock)
    for key in ("committed", "touched"):
        store.create(key, a_record(clock, lives=100_000))
    store.commit("committed", some_changes(clock, lives=10))
    store.touch("touched", SECRET, clock() + 10, clock())
    clock.advance(11 + PURGE_DELAY)

    assert store.purge(10) == 2


def test_an_ended_session_is_remembered_and_then_forgotten(path: Path, clock: ManualClock) -> None:
    """The row without data is removed by a later purge, which does not count it."""
    store = SQLiteStore(path, clock=clock)
    store.create("key", a_record(clock, values={"a": b"secret thing"}, user_id="ada"))
    ended = clock()
    store.delete("key")
    with closing(sqlite3.connect(path)) as connection:
        (row,) = connection.execute("SELECT * FROM sessions").fetchall()
    assert [value for value in row if value is not None] == ["key", ended, ended + REMEMBERED_FOR]

    clock.advance(REMEMBERED_FOR - 1)
    assert (store.purge(10), store.load("key")) == (0, Ended(ended))
    clock.advance(2)
    assert (store.purge(10), store.load("key"), rows(path)) == (0, None, 0)


def test_a_large_purge_gives_the_lock_back_in_between(path: Path, clock: ManualClock) -> None:
    """Another writer can write while the purge runs."""
    store = SQLiteStore(path, clock=clock)
    fill(store, clock, 3 * PURGE_BATCH)
    writer = threading.Thread(target=store.create, args=("new", a_record(clock)))
    purging = threading.current_thread()
    seen: list[bool] = []

    def now() -> float:
        # The purge reads the clock in each of its turns: the other writer queues behind the first.
        if threading.current_thread() is purging:
            with closing(sqlite3.connect(path)) as connection:
                found = connection.execute("SELECT 1 FROM sessions WHERE key = 'new'").fetchone()
            seen.append(found is not None)
            if not writer.ident:
                writer.start()
                while not store._connections._turns._waiting:
                    pass
        return clock()

    store.clock = now
    assert store.purge(10_000) == 3 * PURGE_BATCH

    writer.join(timeout=20)
    assert seen[:2] == [False, True]


def test_a_purge_of_many_transactions_passes_over_records_that_live(
    path: Path, clock: ManualClock
) -> None:
    """Live rows do not keep the purge from the rows behind them."""
    store = SQLiteStore(path, clock=clock)
    for n in range(2 * PURGE_BATCH):
        store.create(f"kept{n}", a_record(clock, lives=10))
        store.touch(f"kept{n}", SECRET, clock() + 10_000, clock())
    for n in range(5):
        store.create(f"old{n}", a_record(clock, lives=20))
    clock.advance(21 + PURGE_DELAY)

    assert store.purge(100) == 5
    assert rows(path) == 2 * PURGE_BATCH


def test_a_purge_that_fails_still_reports_the_removed_sessions(
    path: Path, clock: ManualClock
) -> None:
    """Else nobody would tell the ends of these sessions; the error comes with the next purge."""
    store = SQLiteStore(path, clock=clock)
    fill(store, clock, PURGE_BATCH)
    store.create("last", a_record(clock, expires_at=clock() - PURGE_DELAY - 0.5))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "CREATE TRIGGER refuse BEFORE DELETE ON sessions WHEN OLD.key = 'last'"
            " BEGIN SELECT RAISE(ABORT, 'it stays'); END"
        )

    assert len(store.purge_expired(1000)) == PURGE_BATCH
    with pytest.raises(StoreUnavailable):
        store.purge_expired(1000)
