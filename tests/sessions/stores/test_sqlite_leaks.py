"""What a SQLiteStore leaves open after calls that failed: no file and no thread."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import pytest

from sessions.errors import StoreUnavailable
from sessions.record import Outcome
from sessions.stores.base import wall_clock
from sessions.stores.sqlite import SQLiteStore
from sessions.testing import a_record, in_parallel, some_changes
from tests.support.processes import nothing_left

THREADS = 4


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let another program write, and not end."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


@contextmanager
def unreachable(path: Path) -> Iterator[None]:
    """Let the folder be away, and a file be in its place."""
    away = path.parent.with_name("away")
    path.parent.rename(away)
    path.parent.write_text("no folder")
    yield
    path.parent.unlink()
    away.rename(path.parent)


@contextmanager
def damaged(path: Path) -> Iterator[None]:
    """Let the file be one of another program, without the files beside it."""
    kept = path.with_name("kept.db")
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(kept)) as target:
        source.backup(target)
    _remove(path)
    path.write_bytes(b"no database" * 1000)
    yield
    _remove(path)
    kept.rename(path)


def _remove(path: Path) -> None:
    for file in path.parent.glob(f"{path.name}*"):
        file.unlink()


@pytest.mark.parametrize("fault", [locked, unreachable, damaged])
def test_failed_calls_leave_nothing_open(
    tmp_path: Path, fault: Callable[[Path], AbstractContextManager[None]]
) -> None:
    """Each thread has its connections, and all of them are closed with the store."""
    path = tmp_path / "folder" / "sessions.db"
    path.parent.mkdir()
    with nothing_left():
        store = SQLiteStore(path)
        _work(store)
        with nothing_left():
            for _ in range(3):
                with fault(path):
                    in_parallel(THREADS, lambda n: _fail(store, n))
                store.close()
            _work(store)
        store.close()


def _fail(store: SQLiteStore, number: int) -> None:
    with pytest.raises(StoreUnavailable):
        store.commit("key", some_changes(wall_clock, set={"a": b"%d" % number}))


def _work(store: SQLiteStore) -> None:
    if store.load("key") is None:
        assert store.create("key", a_record(wall_clock, lives=3600))
    assert store.commit("key", some_changes(wall_clock, lives=3600)) is Outcome.APPLIED
