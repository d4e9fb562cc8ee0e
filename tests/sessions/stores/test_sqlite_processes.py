"""SQLiteStore between processes and across forks."""

import multiprocessing
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from sessions.stores.base import Store
from sessions.stores.sqlite import SQLiteStore
from sessions.testing import ManualClock, a_record, in_parallel, some_changes, values_of


@pytest.fixture
def clock() -> ManualClock:
    """Return a clock that the test moves."""
    return ManualClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the database goes."""
    return tmp_path / "sessions.db"


def test_a_second_process_reads_what_the_first_one_wrote(path: Path, clock: ManualClock) -> None:
    """The processes share the sessions in the file."""
    SQLiteStore(path, clock=clock).create("key", a_record(clock, values={"a": b"1"}))

    with multiprocessing.get_context("spawn").Pool(1) as pool:
        values = pool.apply(_values_in, (str(path),))

    assert values == {"a": b"1"}


def _values_in(path: str) -> dict[str, bytes]:
    return values_of(SQLiteStore(path, clock=ManualClock()), "key")


def test_two_processes_write_different_keys(path: Path, clock: ManualClock) -> None:
    """Both make hundreds of commits at the same time, and none is lost."""
    SQLiteStore(path, clock=clock).create("key", a_record(clock))

    with multiprocessing.get_context("spawn").Pool(2) as pool:
        pool.starmap(_commit_many, [(str(path), "a"), (str(path), "b")])

    wanted = {f"{name}{n}" for name in "ab" for n in range(200)}
    assert set(values_of(SQLiteStore(path, clock=clock), "key")) == wanted


def _commit_many(path: str, name: str) -> None:
    clock = ManualClock()
    store = SQLiteStore(path, clock=clock)
    for n in range(200):
        store.commit("key", some_changes(clock, set={f"{name}{n}": b"1"}))


def test_a_process_that_leaves_takes_nothing_from_one_that_stays(
    path: Path, clock: ManualClock
) -> None:
    """The last to close a database removes its log, so the locks of whoever stays must hold.

    Opening and closing the file itself would drop them: it is what a second connection must not do.
    """
    store = SQLiteStore(path, clock=clock)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        in_parallel(8, lambda n: store.create(f"before{n}", a_record(clock)))
        pool.apply(_open_and_leave, (str(path),))
        in_parallel(8, lambda n: store.create(f"after{n}", a_record(clock)))

        found = pool.apply(_keys_in, (str(path),))

    assert found == {f"{when}{n}" for when in ("before", "after") for n in range(8)}


def _open_and_leave(path: str) -> None:
    store = SQLiteStore(path, clock=ManualClock())
    store.load("before0")
    store.close()


def _keys_in(path: str) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        return {key for (key,) in connection.execute("SELECT key FROM sessions")}


def test_a_store_made_before_a_fork_works_in_the_child(path: Path, clock: ManualClock) -> None:
    """Parent and child use separate connections, and both go on."""
    store = SQLiteStore(path, clock=clock)
    store.create("key", a_record(clock))
    process = multiprocessing.get_context("fork").Process(
        target=lambda: store.commit("key", some_changes(clock, set={"child": b"1"}))
    )
    process.start()
    process.join(timeout=20)

    store.commit("key", some_changes(clock, set={"parent": b"1"}))

    assert process.exitcode == 0
    assert values_of(store, "key") == {"child": b"1", "parent": b"1"}


def test_a_child_inherits_no_open_file_of_the_database(path: Path, clock: ManualClock) -> None:
    """An inherited file would lose its locks, and SQLite would not notice."""
    store = SQLiteStore(path, clock=clock)
    store.create("key", a_record(clock))
    reader, writer = os.pipe()

    child = os.fork()
    if child == 0:
        files = [os.path.realpath(f"/proc/self/fd/{n}") for n in os.listdir("/proc/self/fd")]
        os.write(writer, b"%d" % sum(name.startswith(str(path)) for name in files))
        os._exit(0)
    os.waitpid(child, 0)

    assert os.read(reader, 10) == b"0"
    assert store.load("key") is not None


def test_forks_while_threads_write_disturb_nobody(path: Path, clock: ManualClock) -> None:
    """The parent's threads and every child commit, and no change is lost."""
    store = SQLiteStore(path, clock=clock)
    store.create("key", a_record(clock))
    fork = multiprocessing.get_context("fork")

    def work(n: int) -> None:
        if n < 2:
            for turn in range(100):
                store.commit("key", some_changes(clock, set={f"{n}.{turn}": b"1"}))
        else:
            for turn in range(5):
                name = f"child{n}.{turn}"
                child = fork.Process(target=_commit_one, args=(store, clock, name))
                child.start()
                child.join(timeout=20)

    in_parallel(4, work)

    children = {f"child{n}.{turn}" for n in (2, 3) for turn in range(5)}
    assert set(values_of(store, "key")) == children | {
        f"{n}.{turn}" for n in range(2) for turn in range(100)
    }


def _commit_one(store: Store, clock: ManualClock, name: str) -> None:
    store.commit("key", some_changes(clock, set={name: b"1"}))
