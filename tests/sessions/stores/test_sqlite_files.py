"""SQLiteStore when its files or tables are removed, replaced or restored while it runs."""

import multiprocessing
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from sessions.errors import StoreUnavailable
from sessions.record import Outcome
from sessions.stores.sqlite import SQLiteStore
from sessions.testing import ManualClock, a_record, in_parallel, some_changes, values_of

LOGS = ("-wal", "-shm")


@pytest.fixture
def clock() -> ManualClock:
    """Return a clock that the test moves."""
    return ManualClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the database goes."""
    return tmp_path / "sessions.db"


def remove_all(path: Path) -> None:
    """Remove the database and the files beside it."""
    for file in path.parent.iterdir():
        file.unlink()


def seen_by_another(path: Path, clock: ManualClock, key: str) -> bool:
    """Return whether a new process finds the record."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_is_there, (str(path), clock(), key))


def _is_there(path: str, now: float, key: str) -> bool:
    store = _stores.setdefault(path, SQLiteStore(path, clock=ManualClock(now)))
    return store.load(key) is not None


# The other process keeps its connections open.
_stores: dict[str, SQLiteStore] = {}


def test_a_removed_file_ends_its_sessions_and_new_ones_are_stored(
    path: Path, clock: ManualClock
) -> None:
    """Users are logged out, and the site works."""
    store = SQLiteStore(path, clock=clock)
    store.create("old", a_record(clock))
    remove_all(path)

    assert store.load("old") is None
    assert store.commit("old", some_changes(clock, set={"a": b"1"})) is Outcome.GONE
    assert store.create("new", a_record(clock))
    assert seen_by_another(path, clock, "new")


@pytest.mark.parametrize("first", ["create", "commit", "touch", "delete"])
def test_a_write_is_acknowledged_only_if_the_file_at_the_path_has_it(
    path: Path, clock: ManualClock, first: str
) -> None:
    """The first call after the removal already goes to the new file."""
    store = SQLiteStore(path, clock=clock)
    store.create("old", a_record(clock))
    remove_all(path)

    answers: dict[str, Callable[[], object]] = {
        "create": lambda: store.create("new", a_record(clock)),
        "commit": lambda: store.commit("old", some_changes(clock, set={"a": b"1"})),
        "touch": lambda: store.touch("old", a_record(clock).secret, clock() + 200, clock()),
        "delete": lambda: store.delete("old"),
    }
    answer = answers[first]()

    assert answer == {"create": True, "commit": Outcome.GONE}.get(first, False)
    assert path.exists()


def test_a_file_removed_during_a_write_does_not_get_it(path: Path, clock: ManualClock) -> None:
    """The write is done again in the file that is at the path when it is acknowledged."""
    store = SQLiteStore(path, clock=clock)
    removals = [lambda: remove_all(path)]

    def now() -> float:
        if removals:
            removals.pop()()
        return clock()

    store.clock = now
    assert store.create("new", a_record(clock))

    assert seen_by_another(path, clock, "new")


def test_an_atomic_commit_into_replaced_files_is_an_error(path: Path, clock: ManualClock) -> None:
    """The commit is not repeated, because the old files may come back."""
    store = SQLiteStore(path, clock=clock)
    store.create("key", a_record(clock))
    removals = [lambda: remove_all(path)]

    def now() -> float:
        if removals:
            removals.pop()()
        return clock()

    store.clock = now
    with pytest.raises(StoreUnavailable, match="replaced or removed"):
        store.commit("key", some_changes(clock, set={"a": b"1"}, expected={"a": None}))

    assert store.load("key") is None


def test_threads_and_a_removed_file(path: Path, clock: ManualClock) -> None:
    """Every write of every thread is stored, and no call fails."""
    store = SQLiteStore(path, clock=clock)
    in_parallel(8, lambda n: store.create(f"old{n}", a_record(clock)))
    remove_all(path)

    made = in_parallel(8, lambda n: [store.create(f"{n}.{i}", a_record(clock)) for i in range(20)])

    assert all(all(answers) for answers in made)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT COUNT(*) FROM sessions").fetchone() == (160,)


def test_two_processes_share_the_file_that_took_the_place_of_a_removed_one(
    path: Path, clock: ManualClock
) -> None:
    """A logout in the other process is a logout here."""
    store = SQLiteStore(path, clock=clock)
    store.create("old", a_record(clock))
    remove_all(path)
    store.create("key", a_record(clock))

    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(_delete, (str(path), clock(), "key"))

    assert store.commit("key", some_changes(clock, set={"a": b"1"})) is Outcome.GONE


def _delete(path: str, now: float, key: str) -> bool:
    return SQLiteStore(path, clock=ManualClock(now)).delete(key)


def test_a_restored_backup_is_used(path: Path, clock: ManualClock) -> None:
    """The log of the old database is not applied to the one that took its place."""
    store = SQLiteStore(path, clock=clock)
    store.create("kept", a_record(clock, values={"a": b"1"}))
    store.close()
    backup = path.with_name("backup.db")
    shutil.copy(path, backup)
    store.create("later", a_record(clock))
    store.commit("kept", some_changes(clock, set={"a": b"2"}))

    os.replace(backup, path)

    assert store.load("later") is None
    assert values_of(store, "kept") == {"a": b"1"}
    assert store.commit("kept", some_changes(clock, set={"a": b"3"})) is Outcome.APPLIED
    assert seen_by_another(path, clock, "kept")


def test_a_replaced_folder_is_noticed(path: Path, clock: ManualClock) -> None:
    """A deploy may move the whole folder away and put another in its place."""
    folder = path.parent / "data"
    folder.mkdir()
    store = SQLiteStore(folder / "sessions.db", clock=clock)
    store.create("old", a_record(clock))
    folder.rename(path.parent / "before")
    folder.mkdir()

    assert store.load("old") is None
    assert store.create("new", a_record(clock))
    assert (folder / "sessions.db").exists()


@pytest.mark.parametrize("suffix", LOGS)
def test_removed_logs_lose_nothing(path: Path, clock: ManualClock, suffix: str) -> None:
    """Committed changes are still in the open log, and go to the database later."""
    store = SQLiteStore(path, clock=clock)
    in_parallel(4, lambda n: store.create(f"key{n}", a_record(clock)))
    path.with_name(path.name + suffix).unlink()

    in_parallel(4, lambda n: store.commit(f"key{n}", some_changes(clock, set={"a": b"1"})))
    store.close()

    assert [values_of(store, f"key{n}") for n in range(4)] == [{"a": b"1"}] * 4
    assert seen_by_another(path, clock, "key0")


def test_a_write_into_a_removed_log_does_not_count(path: Path, clock: ManualClock) -> None:
    """Another process has made a new log, so an acknowledged record must be in this log."""
    store = SQLiteStore(path, clock=clock)
    for suffix in LOGS:
        path.with_name(path.name + suffix).unlink()

    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert not pool.apply(_is_there, (str(path), clock(), "new"))
        assert store.create("new", a_record(clock))
        assert pool.apply(_is_there, (str(path), clock(), "new"))


def test_dropped_tables_are_made_again(path: Path, clock: ManualClock) -> None:
    """After the tables were dropped, all users are signed out."""
    store = SQLiteStore(path, clock=clock)
    in_parallel(4, lambda n: store.create(f"old{n}", a_record(clock)))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE sessions")
        connection.execute("DROP TABLE session_schema")

    assert store.load("old0") is None
    assert store.create("new", a_record(clock))
    assert values_of(store, "new") == {}


def test_a_folder_that_is_gone_is_unavailable(path: Path, clock: ManualClock) -> None:
    """Calls raise StoreUnavailable until the folder is back."""
    folder = path.parent / "data"
    folder.mkdir()
    store = SQLiteStore(folder / "sessions.db", clock=clock)
    store.create("old", a_record(clock))
    shutil.rmtree(folder)

    with pytest.raises(StoreUnavailable, match="No such file or directory"):
        store.create("new", a_record(clock))

    folder.mkdir()
    assert store.create("new", a_record(clock))


def test_a_child_of_a_fork_notices_a_removed_file(path: Path, clock: ManualClock) -> None:
    """Parent and child use the same new file afterwards."""
    store = SQLiteStore(path, clock=clock)
    store.create("old", a_record(clock))
    remove_all(path)
    process = multiprocessing.get_context("fork").Process(
        target=lambda: store.create("child", a_record(clock))
    )
    process.start()
    process.join(timeout=20)

    store.create("parent", a_record(clock))

    assert process.exitcode == 0
    assert [values_of(store, key) for key in ("child", "parent")] == [{}, {}]
