"""SQLiteStore keeps the contract, on disk, between processes and across forks."""

import os
import sqlite3
import stat
import time
from pathlib import Path

import pytest

from sessions.errors import ConfigurationError, StoreUnavailable
from sessions.record import Outcome
from sessions.stores.base import CALL_DEADLINE, PURGE_DELAY
from sessions.stores.sqlite import SQLiteStore
from sessions.testing import (
    ManualClock,
    a_record,
    in_parallel,
    some_changes,
    values_of,
)


@pytest.fixture
def clock() -> ManualClock:
    """Return a clock that the test moves."""
    return ManualClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the database goes."""
    return tmp_path / "sessions.db"


def test_the_files_are_for_the_owner_only(path: Path, clock: ManualClock) -> None:
    """The database and its log have mode 0600, with any umask."""
    before = os.umask(0)
    try:
        SQLiteStore(path, clock=clock).create("key", a_record(clock))
    finally:
        os.umask(before)

    modes = {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes == {0o600}


def test_the_log_is_written_ahead(path: Path) -> None:
    """The database is in WAL mode, so readers never wait."""
    SQLiteStore(path)

    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_two_prefixes_share_a_file_and_nothing_else(path: Path, clock: ManualClock) -> None:
    """No store sees, deletes or purges the records of the other one."""
    shop = SQLiteStore(path, prefix="shop_", clock=clock)
    blog = SQLiteStore(path, prefix="blog_", clock=clock)
    shop.create("key", a_record(clock, values={"a": b"shop"}, lives=10))

    assert blog.load("key") is None
    assert not blog.delete("key")
    clock.advance(11 + PURGE_DELAY)
    assert blog.purge(10) == 0
    assert shop.purge(10) == 1


def test_a_locked_database_is_unavailable_within_the_deadline(
    path: Path, clock: ManualClock
) -> None:
    """A writer that never ends does not delay other calls for long, and no data are changed."""
    store = SQLiteStore(path, clock=clock)
    store.create("key", a_record(clock, values={"a": b"1"}))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    began = time.monotonic()

    with pytest.raises(StoreUnavailable, match="database is locked"):
        store.commit("key", some_changes(clock, set={"a": b"2"}))

    assert time.monotonic() - began < 2 * CALL_DEADLINE
    assert values_of(store, "key") == {"a": b"1"}
    other.execute("ROLLBACK")
    assert store.commit("key", some_changes(clock, set={"a": b"2"})) is Outcome.APPLIED


def test_a_new_connection_to_a_locked_database_waits_no_longer(
    path: Path, clock: ManualClock
) -> None:
    """Only the first connection, at start-up, waits longer for other processes that start."""
    store = SQLiteStore(path, clock=clock)
    store.close()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    began = time.monotonic()

    with pytest.raises(StoreUnavailable, match="database is locked"):
        store.load("key")

    assert time.monotonic() - began < 2 * CALL_DEADLINE
    other.close()


def test_a_full_disk_is_unavailable_and_keeps_the_old_state(path: Path, clock: ManualClock) -> None:
    """SQLite's limit of pages takes the place of a full disk."""
    store = SQLiteStore(path, clock=clock)
    store.create("key", a_record(clock, values={"a": b"1"}))
    connection = store._connections._idle[-1].connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")

    with pytest.raises(StoreUnavailable, match="full"):
        store.commit("key", some_changes(clock, set={"a": b"2", "big": b"x" * 100_000}))

    assert values_of(store, "key") == {"a": b"1"}


def test_a_damaged_database_is_unavailable(path: Path, clock: ManualClock) -> None:
    """Garbage over the pages of a live database is an error, never an absent session."""
    store = SQLiteStore(path, clock=clock)
    for n in range(300):
        store.create(f"key{n}", a_record(clock, values={"a": b"1" * 100}))
    store.close()
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    path.write_bytes(content)

    with pytest.raises(StoreUnavailable, match="cannot be used"):
        store.load("key7")


@pytest.mark.parametrize("name", ["", ":memory:", "file:x?mode=memory"])
def test_a_path_that_is_not_a_file_is_refused(name: str) -> None:
    """With such a path, every connection would open a database of its own."""
    with pytest.raises(ConfigurationError, match="MemoryStore"):
        SQLiteStore(name)


def test_a_file_that_cannot_be_opened_is_a_clear_error(tmp_path: Path) -> None:
    """The message has the path, the cause and the remedy."""
    with pytest.raises(ConfigurationError) as caught:
        SQLiteStore(tmp_path / "missing" / "sessions.db")

    text = str(caught.value)
    assert "missing/sessions.db" in text
    assert "No such file or directory" in text
    assert "a directory that exists" in text


def test_a_file_that_is_not_a_database_is_a_clear_error(path: Path) -> None:
    """The store does not change the file."""
    path.write_bytes(b"not a database, but long enough to be looked at as one" * 100)

    with pytest.raises(ConfigurationError, match="file is not a database"):
        SQLiteStore(path)

    assert path.read_bytes().startswith(b"not a database")


def test_tables_of_another_version_are_refused(path: Path) -> None:
    """A newer release's file is not touched."""
    SQLiteStore(path)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE session_schema SET version = 99")

    with pytest.raises(ConfigurationError, match=r"version 99, but this release needs version 2"):
        SQLiteStore(path)


def test_a_prefix_that_begins_no_name_is_refused(path: Path) -> None:
    """The prefix becomes part of SQL, so only letters, digits and underscores are accepted."""
    with pytest.raises(ConfigurationError, match=r"prefix='x; DROP'"):
        SQLiteStore(path, prefix="x; DROP")


def test_a_transaction_of_the_application_is_not_touched(path: Path, clock: ManualClock) -> None:
    """A session commit neither commits nor rolls back what the application has begun."""
    application = sqlite3.connect(path.with_name("shop.db"), isolation_level=None)
    application.execute("CREATE TABLE orders (id)")
    store = SQLiteStore(path.with_name("shop.db"), prefix="web_", clock=clock)
    store.create("key", a_record(clock))
    application.execute("BEGIN")
    application.execute("SELECT * FROM orders").fetchall()

    store.commit("key", some_changes(clock, set={"a": b"1"}))

    assert application.in_transaction
    application.execute("ROLLBACK")
    assert values_of(store, "key") == {"a": b"1"}


def test_threads_do_not_share_connections(path: Path, clock: ManualClock) -> None:
    """Many threads read and write at once, without an error or a lost write."""
    store = SQLiteStore(path, clock=clock)
    store.create("key", a_record(clock))

    def work(n: int) -> None:
        for turn in range(30):
            store.commit("key", some_changes(clock, set={f"{n}.{turn}": b"1"}))
            assert f"{n}.{turn}" in values_of(store, "key")

    in_parallel(8, work)

    assert len(values_of(store, "key")) == 240


def test_durable_waits_for_the_disk(path: Path) -> None:
    """`synchronous` is FULL with `durable=True`, and NORMAL without."""
    modes = []
    for durable in (True, False):
        store = SQLiteStore(path, durable=durable)
        modes.append(store._connections.read("PRAGMA synchronous", ()))

    assert modes == [[(2,)], [(1,)]]


def test_a_path_of_another_type_is_refused() -> None:
    """A number is not the path of a file; the error shows it and says what to give."""
    with pytest.raises(ConfigurationError) as caught:
        SQLiteStore(5)  # type: ignore[arg-type]

    assert caught.value.problems == (
        "SQLiteStore(5) needs a file that several connections can open. Fix: give the path of a"
        " file, or use MemoryStore()",
    )
