"""The child of a fork has no lock that another thread held, and no half-done work."""

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from sessions import MemoryStore, SessionContainer, SessionEvent, SessionManager
from sessions.core.locks import lock_across_forks
from sessions.listeners.log import LoggingListener
from sessions.testing import ManualClock, a_record
from tests.support.apps import KEY

pytestmark = pytest.mark.slow

FORKS = 40
EMPTY = "<MemoryStore: 0 sessions, 0 bytes>"


@pytest.fixture(autouse=True)
def busy_threads() -> Iterator[None]:
    """Let the threads take turns much oftener than they usually do."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def succeeds_in_a_child(work: Callable[[], bool]) -> bool:
    """Run the function in a forked process; return whether it returned True."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = 0 if work() else 2
        finally:
            os._exit(status)
    return os.waitpid(child, 0)[1] == 0


def test_a_fork_waits_until_a_lock_of_the_process_is_free() -> None:
    """Parent and child both find the lock free."""
    lock, is_held = lock_across_forks(), threading.Event()

    def hold() -> None:
        with lock:
            is_held.set()
            threading.Event().wait(0.05)

    holder = threading.Thread(target=hold)
    holder.start()
    is_held.wait()
    is_free = succeeds_in_a_child(lambda: lock.acquire(timeout=5))
    holder.join()

    assert is_free
    assert lock.acquire(timeout=5)
    lock.release()


def test_a_child_has_a_whole_memory_store() -> None:
    """The threads of the parent left no record half removed."""
    store, clock, is_over = MemoryStore(), ManualClock(), threading.Event()
    keys = [f"{number}" for number in range(50)]

    def change(number: int) -> None:
        while not is_over.is_set():
            for key in keys[number::4]:
                store.create(key, a_record(clock, lives=1e9, values={"a": b"1" * 100}))
                store.delete(key)

    def is_whole() -> bool:
        for key in keys:
            store.delete(key)
        return repr(store) == EMPTY and store.create("new", a_record(clock, lives=1e9))

    threads = [threading.Thread(target=change, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    try:
        done = [succeeds_in_a_child(is_whole) for _ in range(FORKS)]
    finally:
        is_over.set()
        for thread in threads:
            thread.join()

    assert all(done)
    assert is_whole()


@pytest.mark.parametrize("forks", [1, 3])
def test_a_store_works_in_a_child_of_a_child(forks: int) -> None:
    """The grandchild finds a session of the parent."""
    manager = SessionManager(SessionContainer(keys=[KEY]))
    id = manager.create({"a": 1}).id

    def work(left: int) -> bool:
        if left:
            return succeeds_in_a_child(lambda: work(left - 1))
        with manager.get(id) as session:
            session["b"] = 2
        return manager.get(id).copy() == {"a": 1, "b": 2}

    assert work(forks)


def test_a_child_can_log_events() -> None:
    """Another thread of the parent was writing a line at the moment of the fork."""
    listener = LoggingListener(silent_logger(), per_second=1)
    event, is_over = SessionEvent("created", "it was stored for the first time"), threading.Event()

    def write() -> None:
        while not is_over.is_set():
            listener(event)

    def write_once() -> bool:
        # A child that waits for ever is ended by this signal.
        signal.alarm(2)
        listener(event)
        return True

    writer = threading.Thread(target=write)
    writer.start()
    results = [succeeds_in_a_child(write_once) for _ in range(FORKS)]
    is_over.set()
    writer.join()

    assert results == [True] * FORKS


def silent_logger() -> logging.Logger:
    """Return a logger that writes nothing."""
    logger = logging.getLogger("tests.forks")
    logger.propagate = False
    logger.addHandler(logging.NullHandler())
    logger.setLevel(logging.INFO)
    return logger
