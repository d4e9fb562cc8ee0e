"""The start of SQLiteStore: beside busy processes, with an old file, and on each system."""

import logging
import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from sessions.errors import ConfigurationError
from sessions.record import Record
from sessions.stores import sqlite_connections
from sessions.stores.base import CALL_DEADLINE
from sessions.stores.sqlite import SQLiteStore
from sessions.testing import ManualClock, a_record, in_parallel, values_of

FIRST_SCHEMA = """
    CREATE TABLE {0}session_schema (version INTEGER NOT NULL);
    INSERT INTO {0}session_schema VALUES (1);
    CREATE TABLE {0}sessions (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, version INTEGER,
        created_at REAL, accessed_at REAL, updated_at REAL, expires_at REAL, timeout REAL,
        user_id TEXT);
    INSERT INTO {0}sessions VALUES (1, 'key', 1, 1, 1, 1, 9e9, NULL, 'ada');
    CREATE TABLE {0}session_values (session INTEGER, name TEXT, value BLOB);
    INSERT INTO {0}session_values VALUES (1, 'a', x'01');
"""


@pytest.fixture
def clock() -> ManualClock:
    """Return a clock that the test moves."""
    return ManualClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the database goes."""
    return tmp_path / "sessions.db"


def test_a_store_starts_while_another_process_writes(path: Path) -> None:
    """The tables exist, so the start only reads."""
    SQLiteStore(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()

        SQLiteStore(path)

        assert time.monotonic() - began < CALL_DEADLINE


def test_a_store_that_waits_for_its_tables_names_the_lock(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error speaks of the lock, and not of the folder."""
    monkeypatch.setattr(sqlite_connections, "START_UP_DEADLINE", 0.05)
    SQLiteStore(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(ConfigurationError) as caught:
            SQLiteStore(path, prefix="new_")

    text = str(caught.value)
    assert "database is locked, because another process holds its lock" in text
    assert "directory" not in text


def test_processes_that_start_together_make_one_set_of_tables(
    path: Path, clock: ManualClock
) -> None:
    """All processes start, and see each other's sessions."""
    stores = in_parallel(8, lambda n: SQLiteStore(path, clock=clock))

    stores[0].create("key", a_record(clock, values={"a": b"1"}))

    assert [values_of(store, "key") for store in stores] == [{"a": b"1"}] * 8


@pytest.mark.parametrize("prefix", ["", "shop_"])
def test_a_file_of_the_first_design_is_taken_over(
    path: Path, clock: ManualClock, caplog: pytest.LogCaptureFixture, prefix: str
) -> None:
    """The old sessions have ended, and one log line says so."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(FIRST_SCHEMA.format(prefix))

    with caplog.at_level(logging.INFO, "sessions"):
        store = SQLiteStore(path, prefix=prefix, clock=clock)
        SQLiteStore(path, prefix=prefix, clock=clock)

    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert store.load("key") is None
    assert store.create("key", a_record(clock))
    with closing(sqlite3.connect(path)) as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    assert f"{prefix}session_values" not in names


def test_tables_of_another_program_are_refused(path: Path) -> None:
    """A table named `sessions` of another program is not changed."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE sessions (id, subject)")

    with pytest.raises(ConfigurationError, match="no such column"):
        SQLiteStore(path)

    with closing(sqlite3.connect(path)) as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    assert names == {"sessions"}


def test_the_module_is_imported_where_there_are_no_forks(path: Path) -> None:
    """Windows has neither os.register_at_fork nor os.O_CLOEXEC."""
    program = (
        "import os, random; del os.register_at_fork, os.O_CLOEXEC\n"
        "from sessions.stores.sqlite import SQLiteStore\n"
        f"print(SQLiteStore({str(path)!r}).load('key'))"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert done.stdout == "None\n", done.stderr


def test_a_symbolic_link_to_the_file_may_change_its_target(path: Path, clock: ManualClock) -> None:
    """The store goes on with the file that the link names now."""
    link = path.with_name("link.db")
    os.symlink(path, link)
    store = SQLiteStore(link, clock=clock)
    store.create("old", a_record(clock))
    link.unlink()
    os.symlink(path.with_name("other.db"), link)

    assert store.load("old") is None
    assert store.create("new", a_record(clock))
    assert path.with_name("other.db").exists()


def test_a_file_without_an_index_of_users_gets_one(tmp_path: Path) -> None:
    """Its sessions stay, and the next sign-in is entered."""
    path = tmp_path / "sessions.db"
    store = SQLiteStore(path)
    store.create("key", a_record(time.time))
    store.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TRIGGER session_users_gone")
        connection.execute("DROP TABLE session_users")
    store = SQLiteStore(path)
    store.add_to_user("ada", "key", time.time() + 100)

    assert [*store.keys_of_user("ada")] == ["key"]
    assert isinstance(store.load("key"), Record)
    store.close()
