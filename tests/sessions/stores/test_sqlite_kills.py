"""SQLiteStore when a process is killed during a write, or the disk is full."""

import multiprocessing
import resource
import signal
import sqlite3
import time
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from sessions.errors import StoreUnavailable
from sessions.record import Changes, Outcome
from sessions.stores.sqlite import SQLiteStore
from sessions.testing import a_record, some_changes, values_of
from tests.support.killed_writers import kill_writers

KEY = "a-key"
LIMIT = 200_000
"""How long a file may become where the disk is full."""


@pytest.mark.slow
def test_a_hundred_processes_that_are_killed_lose_no_acknowledged_write(tmp_path: Path) -> None:
    """The file stays sound, and the next process writes at once."""
    path = tmp_path / "sessions.db"

    rounds = kill_writers(partial(SQLiteStore, path), 100)

    assert [one for one in rounds if not one.is_right] == []
    assert len(rounds) == 100
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_disk_that_is_full_refuses_writes_and_loses_nothing(tmp_path: Path) -> None:
    """What was acknowledged can be read all the time, and the store works when there is room."""
    path = tmp_path / "sessions.db"

    with multiprocessing.get_context("spawn").Pool(1) as pool:
        acknowledged, in_between = pool.apply(_fill, (path,))

    assert 0 < acknowledged == in_between
    store = SQLiteStore(path)
    assert _written(store) == acknowledged
    assert store.commit(KEY, _changes("more")) is Outcome.APPLIED
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def _fill(path: Path) -> tuple[int, int]:
    """Write until the disk is full; return the acknowledged writes, and what can be read then."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, LIMIT))
    store = SQLiteStore(path)
    store.create(KEY, a_record(time.time, lives=3600))
    acknowledged = 0
    try:
        while acknowledged < 1000:
            store.commit(KEY, _changes(f"{acknowledged}"))
            acknowledged += 1
    except StoreUnavailable:
        pass
    return acknowledged, _written(store)


def _changes(name: str) -> Changes:
    return some_changes(time.time, lives=3600, set={name: b"x" * 2000})


def _written(store: SQLiteStore) -> int:
    return len(values_of(store, KEY))
