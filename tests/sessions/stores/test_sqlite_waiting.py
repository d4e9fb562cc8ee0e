"""Which calls of SQLiteStore wait: threads in a queue, and processes for a limited time."""

import itertools
import multiprocessing
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from sessions.errors import StoreUnavailable
from sessions.record import Outcome
from sessions.stores.base import CALL_DEADLINE
from sessions.stores.sqlite import SQLiteStore
from sessions.stores.sqlite_turns import LONGEST_WAIT, Turns
from sessions.testing import ManualClock, a_record, in_parallel, some_changes, values_of

LONG_AGO = -1_000_000.0


@pytest.fixture
def clock() -> ManualClock:
    """Return a clock that the test moves."""
    return ManualClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the database goes."""
    return tmp_path / "sessions.db"


def test_threads_write_in_the_order_in_which_they_asked() -> None:
    """The thread that asked first writes first."""
    turns = Turns()
    turns.take(time.monotonic())
    order: list[int] = []

    def wait(n: int) -> None:
        assert turns.take(time.monotonic())
        order.append(n)
        turns.give_back()

    threads = [threading.Thread(target=wait, args=(n,)) for n in range(10)]
    for n, thread in enumerate(threads):
        thread.start()
        while len(turns._waiting) <= n:
            pass
    turns.give_back()
    for thread in threads:
        thread.join(timeout=20)

    assert order == list(range(10))


def test_a_thread_that_waited_too_long_leaves_the_queue() -> None:
    """The turn goes to the next thread that still waits."""
    turns = Turns()
    turns.take(time.monotonic())

    assert not turns.take(LONG_AGO)

    turns.give_back()
    assert turns.take(LONG_AGO)


def test_the_waiting_time_begins_again_after_a_write_of_the_queue(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A thread waits longer if the queue moves, but not without end."""
    monkeypatch.setattr(time, "monotonic", lambda: 10.0)
    turns = Turns()

    assert turns.patience(10.0) == pytest.approx(CALL_DEADLINE)
    assert turns.patience(9.5) < 0

    turns.moved_at = 9.9
    assert turns.patience(9.5) == pytest.approx(min(CALL_DEADLINE - 0.1, LONGEST_WAIT - 0.5))
    assert turns.patience(10.0 - LONGEST_WAIT) == pytest.approx(0)


@contextmanager
def busy_processes(path: Path, count: int) -> Iterator[None]:
    """Let this number of processes write without a pause."""
    spawn = multiprocessing.get_context("spawn")
    started = [spawn.Event() for _ in range(count)]
    done = spawn.Event()
    processes = [
        spawn.Process(target=_write_until, args=(str(path), n, started[n], done), daemon=True)
        for n in range(count)
    ]
    for process in processes:
        process.start()
    try:
        assert all(event.wait(timeout=60) for event in started)
        yield
    finally:
        done.set()
        for process in processes:
            process.join(timeout=60)
    assert [process.exitcode for process in processes] == [0] * count


def _write_until(path, n, started, done) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    clock = ManualClock()
    store = SQLiteStore(path, clock=clock)
    store.create(f"process{n}", a_record(clock))
    started.set()
    while not done.is_set():
        store.commit(f"process{n}", some_changes(clock, set={"a": b"1"}))


def test_many_threads_beside_busy_processes_all_write(path: Path, clock: ManualClock) -> None:
    """A thread may wait long, if other writes succeed meanwhile."""
    store = SQLiteStore(path, clock=clock)
    for n in range(32):
        store.create(f"key{n}", a_record(clock))

    def write(n: int) -> list[Outcome]:
        return [store.commit(f"key{n}", some_changes(clock, set={f"{i}": b"1"})) for i in range(50)]

    with busy_processes(path, 3):
        outcomes = in_parallel(32, write)

    assert outcomes == [[Outcome.APPLIED] * 50] * 32
    assert all(len(values_of(store, f"key{n}")) == 50 for n in range(32))


def test_all_threads_that_wait_for_a_locked_database_give_up_in_time(
    path: Path, clock: ManualClock
) -> None:
    """The time of one thread does not add to the time of the next."""
    store = SQLiteStore(path, clock=clock)
    store.create("key", a_record(clock))

    def write(n: int) -> float:
        began = time.monotonic()
        with pytest.raises(StoreUnavailable, match="database is locked"):
            store.commit("key", some_changes(clock, set={"a": b"1"}))
        return time.monotonic() - began

    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        waits = in_parallel(8, write)

    assert max(waits) < 2 * CALL_DEADLINE


def test_the_waiting_time_begins_again_after_a_write_of_another_process(
    path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first thread of the queue sees the commits of other processes, and waits longer."""
    store = SQLiteStore(path, clock=clock)
    store.create("key", a_record(clock))
    seconds = itertools.count(time.monotonic(), CALL_DEADLINE / 6)
    monkeypatch.setattr(time, "monotonic", lambda: next(seconds))
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("CREATE TABLE other (id)")
    other.execute("BEGIN IMMEDIATE")
    pauses = itertools.count()

    me, sleep = threading.get_ident(), time.sleep

    def write_meanwhile(seconds: float) -> None:
        if threading.get_ident() != me:
            sleep(seconds)
        elif next(pauses) < 7:
            other.execute("INSERT INTO other VALUES (1)")
            other.execute("COMMIT")
            other.execute("BEGIN IMMEDIATE")
        elif other.in_transaction:
            other.execute("COMMIT")

    monkeypatch.setattr(time, "sleep", write_meanwhile)

    assert store.commit("key", some_changes(clock, set={"a": b"1"})) is Outcome.APPLIED
    other.close()


def test_a_reader_does_not_wait_for_a_writer(path: Path, clock: ManualClock) -> None:
    """A load does not wait for a write that never ends."""
    store = SQLiteStore(path, clock=clock)
    store.create("key", a_record(clock))

    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()

        assert values_of(store, "key") == {}

    assert time.monotonic() - began < CALL_DEADLINE


def test_close_lets_go_of_the_files_and_a_later_call_opens_them(
    path: Path, clock: ManualClock
) -> None:
    """The last connection that is closed removes the log."""
    store = SQLiteStore(path, clock=clock)
    in_parallel(4, lambda n: store.create(f"key{n}", a_record(clock)))

    store.close()

    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert values_of(store, "key0") == {}
